/** The standard output as something that may end: `tenfold list | head -1`, a closed terminal, a full disk. */
import type { TenfoldError } from '../util/errors.ts'
import { describeSystemError } from '../util/system-errors.ts'

type CloseListener = () => void

// With the exit code that is set, if the work was done before.
const quit: CloseListener = () => process.exit()

let listener: CloseListener = quit

/**
 * From now on, the program ends quietly when nobody reads its output any more. An output that fails otherwise is one line and
 * exit code 1.
 */
export function watchOutput(): void {
  let wasSaid = false
  process.stdout.on('error', (error: Error & { code?: string }) => {
    // A terminal that is gone answers EIO.
    const isClosed = error.code === 'EPIPE' || error.code === 'EIO'
    if (!isClosed && !wasSaid) {
      wasSaid = true
      note(`error: the standard output cannot be written: ${describeSystemError(error) ?? error.message}`)
    }
    if (isClosed || listener !== quit) return listener()
    process.exit(1)
  })
  // Nothing is left to say it with.
  process.stderr.on('error', () => {})
}

/** Calls `close`, instead of ending the program, when the output ends; the function it returns takes that back. */
export function onOutputEnd(close: CloseListener): () => void {
  listener = close
  return () => {
    listener = quit
  }
}

/** A line beside the output, for warnings and errors. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** An error in one line, with its hint. */
export function errorLine({ message, hint }: TenfoldError): string {
  return `${message}${hint ? ` (${hint})` : ''}`.replaceAll('\n', ' ')
}
