/** A translator that is a command of this machine: a text a line on its input, a translation a line on its output. */
import { spawn } from 'node:child_process'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeUtf8 } from '../../../data/text/encoding.ts'
import { FormatError, reworded, UsageError } from '../../../util/errors.ts'
import { shellQuoted } from '../../../util/shell.ts'
import type { Direction, Engine } from './engine.ts'

/** How a command is run. */
export interface CommandOptions {
  readonly batch: number
  /** Seconds after which a batch is given up. */
  readonly timeout: number
}

interface Outcome {
  readonly code: number | null
  readonly output: Uint8Array
  readonly problem: string
}

/**
 * Gives a command its input as a file: Node's pipes are sockets, which a command that opens `/dev/stdin` by its name (apertium does) cannot
 * read.
 */
async function runShell(command: string, input: string, timeout: number, signal?: AbortSignal): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-command-'))
  try {
    await writeFile(join(folder, 'input.txt'), input)
    const file = await open(join(folder, 'input.txt'))
    try {
      return await runWithInput(command, file.fd, timeout, signal)
    } finally {
      await file.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs a shell's command line. It leads a group of its own, so that what it starts ends with it. */
function runWithInput(command: string, input: number, timeout: number, signal?: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const grouped = process.platform !== 'win32'
    const child = spawn(command, { shell: true, detached: grouped, stdio: [input, 'pipe', 'pipe'] })
    const end = (reason: unknown): void => {
      if (grouped && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      else child.kill()
      reject(reason)
    }
    const late = new UsageError(`the command of the engine did not answer within ${timeout} s: ${command}`, {
      hint: 'what was translated is kept; --set timeout=SECONDS gives it longer, --set batch=N less at once',
    })
    const timer = setTimeout(() => end(late), timeout * 1000)
    const interrupted = (): void => end(signal?.reason)
    signal?.addEventListener('abort', interrupted, { once: true })
    const [output, problem]: [Buffer[], Buffer[]] = [[], []]
    child.stdout?.on('data', (piece: Buffer) => output.push(piece))
    child.stderr?.on('data', (piece: Buffer) => problem.push(piece))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', interrupted)
      resolve({ code, output: Buffer.concat(output), problem: Buffer.concat(problem).toString() })
    })
  })
}

function textOf(output: Uint8Array, command: string): string {
  try {
    return decodeUtf8(output, 'the output of the command')
  } catch (error) {
    // Its own hint is for files.
    throw error instanceof FormatError ? reworded(error, error.message, command) : error
  }
}

/** `{source}` and `{target}` in the command are the codes of the languages. */
export function commandEngine(command: string, { batch, timeout }: CommandOptions): Engine {
  if (command.trim() === '')
    throw new UsageError('the engine "command" needs a command, found none', {
      hint: 'for example --set command="apertium -u eu-en"',
    })
  return {
    identity: `command: ${command}`,
    batch,
    translate: async (texts, direction: Direction, signal) => {
      const line = command.replace(/\{(source|target)\}/g, (_, name: keyof Direction) => shellQuoted(direction[name]))
      const { code, output, problem } = await runShell(line, `${texts.join('\n')}\n`, timeout, signal)
      if (code !== 0) {
        const reason = problem.trim().split('\n').at(-1) || 'it wrote no reason'
        throw new UsageError(`the command of the engine ended with exit code ${code}: ${reason}`, { hint: line })
      }
      const text = textOf(output, line)
      const found = text.replace(/\r?\n$/, '').split(/\r?\n/)
      if (found.length !== texts.length)
        throw new UsageError(
          `the command of the engine must write a line for each of ${texts.length} lines, found ${text === '' ? 0 : found.length}`,
          { hint: line },
        )
      return found
    },
  }
}
