/** Uses of trained runs (predict, sample, continue ...): each in a process of its own, the command line, which answers line by line. */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { flagOf } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { HttpError } from './http.ts'
import { program } from './launcher.ts'

/** What an upload is called in inputs and options: these and a number. */
const uploadPrefix = 'upload:'

const largestUpload = 2 ** 29

const folderPrefix = 'tenfold-studio-'
/** Where an upload is kept, before its name. */
const uploadedFile = new RegExp(`[^\\s"']*${folderPrefix}\\w+[\\\\/]\\d+[\\\\/]`, 'g')

/** Files that were dropped on the page, in a temporary folder. */
export class Uploads {
  readonly #files = new Map<string, string>()
  #folder: string | undefined

  /** Keeps a file; returns its name for inputs. Its own name is kept as far as it is harmless: answers show it. */
  async add(name: string, content: NodeJS.ReadableStream): Promise<string> {
    this.#folder ??= await realpath(await mkdtemp(join(tmpdir(), folderPrefix)))
    const id = `${uploadPrefix}${this.#files.size + 1}`
    const harmless =
      name
        .replace(/[^\p{L}\p{N}_.-]/gu, '_')
        .replace(/^[.-]+/, '')
        .slice(-100) || 'file'
    const folder = join(this.#folder, String(this.#files.size + 1))
    const path = join(folder, harmless)
    this.#files.set(id, path)
    await mkdir(folder)
    let length = 0
    const limit = new Transform({
      transform(piece: Buffer, _encoding, done) {
        length += piece.length
        done(length > largestUpload ? new HttpError(413, 'the file is larger than 512 MB') : null, piece)
      },
    })
    await pipeline(content, limit, createWriteStream(path))
    return id
  }

  /** The file of an upload; other texts are as they are. Throws a UsageError for an upload that is not there. */
  resolve(text: string): string {
    if (!text.startsWith(uploadPrefix)) return text
    const path = this.#files.get(text)
    if (path === undefined) throw new UsageError(`there is no file ${JSON.stringify(text)} (any more): drop it again`)
    return path
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }
}

/** What is to be done with a run. */
export interface UseCall {
  readonly use: string
  /** The run directory. */
  readonly run: string
  readonly inputs: readonly string[]
  /** By their paths; `true` sets a switch. */
  readonly options: Readonly<Record<string, string>>
  readonly checkpoint?: string | undefined
  readonly seed?: number | undefined
}

/** The arguments of a use; inputs come last, where none is taken for an option. */
function useArguments({ use, run, inputs, options, checkpoint, seed }: UseCall): string[] {
  const flags = Object.entries(options).map(([path, value]) =>
    value === 'true' ? flagOf(path) : `${flagOf(path)}=${value}`,
  )
  return [
    ...[use, '--json', ...flags],
    ...(checkpoint ? [`--checkpoint=${checkpoint}`] : []),
    ...(seed === undefined ? [] : [`--seed=${seed}`]),
    ...['--', run, ...inputs],
  ]
}

/** An event of `--json`. `run`: files of the run are named as seen from it, in `shown`. */
function eventOf(line: string, run: string): Record<string, unknown> | undefined {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof event !== 'object' || event === null) return undefined
  const found = event as Record<string, unknown>
  if (typeof found.file !== 'string') return found
  const way = relative(run, found.file)
  return way.startsWith('..') ? found : { ...found, shown: way.split(sep).join('/') }
}

/** Runs a use and gives its events as they come; the last one is `end`, with the exit code. Ends with `signal`. */
export async function* runUse(call: UseCall, signal: AbortSignal): AsyncGenerator<Record<string, unknown>> {
  const child = spawn(process.execPath, [program, ...useArguments(call)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const stop = (): boolean => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-16_384)
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  try {
    if (signal.aborted) stop()
    for await (const line of createInterface(child.stdout)) {
      const event = eventOf(line, call.run)
      if (event) yield event
    }
    const code = await ended
    const lines = said.split('\n').filter((line) => line !== '')
    for (const line of lines.filter((each) => each.startsWith('warning: ')))
      yield { event: 'warning', message: line.slice('warning: '.length) }
    const error = lines.findLast((line) => line.startsWith('error: '))?.slice('error: '.length)
    const isBug = lines.includes('tenfold has a bug:')
    // Uploads by their own names, not by where they are kept.
    const told = (error ?? '').replaceAll(uploadedFile, '')
    yield { event: 'end', code, error: error === undefined && isBug ? lines.join('\n') : told }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}
