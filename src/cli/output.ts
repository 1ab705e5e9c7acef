/** A standard output that may be closed: `tenfold list | head -1`, a closed terminal, a full disk. */
import { setImmediate } from 'node:timers/promises'
import { describeSystemError } from '../util/system-errors.ts'

type CloseListener = () => void

// With the exit code that is set, if the work was done before.
const quit: CloseListener = () => process.exit()

let listener: CloseListener = quit

/**
 * From now on, the program ends quietly when its output is no longer read. Any other failure of the output is one line and
 * exit code 1.
 */
export function watchOutput(): void {
  let wasSaid = false
  process.stdout.on('error', (error: Error & { code?: string }) => {
    // A closed terminal gives EIO.
    const isClosed = error.code === 'EPIPE' || error.code === 'EIO'
    if (!isClosed && !wasSaid) {
      wasSaid = true
      note(`error: the standard output cannot be written: ${describeSystemError(error) ?? error.message}`)
    }
    if (isClosed || listener !== quit) return listener()
    process.exit(1)
  })
  // There is no way left to report it.
  process.stderr.on('error', () => {})
}

/** Calls `close`, instead of ending the program, when the output ends; the function it returns cancels that. */
export function onOutputEnd(close: CloseListener): () => void {
  listener = close
  return () => {
    listener = quit
  }
}

/**
 * Waits until it is known whether what was written so far has arrived: an output that was closed before the first line has ended
 * the program when this returns, and nothing has been begun.
 */
export async function outputNoticed(): Promise<void> {
  await setImmediate()
}

/** A line on standard error, for warnings and errors. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
