/** H.264 and AAC in an MP4 file by ffmpeg, which is the user's own: frames go in through a pipe. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { access, constants, rename, rm } from 'node:fs/promises'
import { basename, delimiter, dirname, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { installedFolder } from '../../../data/packages.ts'
import { atExit } from '../../../io/at-exit.ts'
import { cannotWrite } from '../../../io/errors.ts'
import { FormatError, MissingPackageError, UsageError } from '../../../util/errors.ts'

const run = promisify(execFile)

/** ffmpeg on the PATH, else the one of an installed @ffmpeg-installer package. Throws a MissingPackageError. */
export function findFfmpeg(path = process.env.PATH ?? ''): string {
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg'
  const installer = installedFolder(`@ffmpeg-installer/${process.platform}-${process.arch}`)
  const candidates = [...path.split(delimiter).filter(Boolean), ...(installer ? [installer] : [])].map((folder) =>
    join(folder, name),
  )
  const found = candidates.find((candidate) => existsSync(candidate))
  if (found) return found
  throw new MissingPackageError('a video needs ffmpeg, which is not on the PATH', {
    hint: 'install it (apt-get install ffmpeg, brew install ffmpeg), or npm install @ffmpeg-installer/ffmpeg',
  })
}

/** Seconds of sound in a file, decoded to its end. Throws a FormatError if it is no sound or damaged. */
export async function soundLength(ffmpeg: string, path: string): Promise<number> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new UsageError(`${path}: no such file, or it cannot be read`, { cause: error })
  })
  const rate = 8000
  const args = ['-v', 'error', '-i', path, '-vn', '-ac', '1', '-ar', String(rate), '-f', 's16le', '-']
  try {
    const { stdout } = await run(ffmpeg, args, { encoding: 'buffer', maxBuffer: 2 ** 31 - 1 })
    if (stdout.length > 0) return stdout.length / (2 * rate)
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    const [first = ''] = told.split('\n').map((line) => line.replace(/^\[[^\]]*\]\s*/, '').trim())
    throw new FormatError(`${path}: must be sound that ffmpeg can read, found: ${first}`, { cause: error })
  }
  throw new FormatError(`${path}: there is no sound in it`)
}

/** A film to write. */
export interface FilmOptions {
  readonly ffmpeg: string
  readonly width: number
  readonly height: number
  readonly fps: number
  readonly frames: number
  /** Sound from its beginning, filled up with silence; undefined: none. */
  readonly audio: string | undefined
  readonly signal?: AbortSignal | undefined
}

function argumentsOf({ width, height, fps, frames, audio }: FilmOptions, path: string): string[] {
  const video = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${width}x${height}`, '-r', String(fps), '-i', '-']
  const sound =
    audio === undefined ? ['-an'] : ['-map', '0:v', '-map', '1:a', '-af', 'apad', '-c:a', 'aac', '-b:a', '192k']
  const h264 = ['-c:v', 'libx264', '-preset', 'medium', '-crf', '23', '-pix_fmt', 'yuv420p']
  return [
    ...['-v', 'error', '-y', ...video],
    ...(audio === undefined ? [] : ['-i', audio]),
    ...sound,
    ...h264,
    ...['-t', String(frames / fps), '-movflags', '+faststart', path],
  ]
}

/** Throws a UsageError unless a file can be made there: before the work, not after it. */
export async function requireWritable(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw cannotWrite(path, error)
  })
}

/**
 * Writes a film of RGB frames [height, width, 3]; `path` has it when all is done, and what was there before until then. An aborted signal
 * ends it, and throws its reason.
 */
export async function writeFilm(path: string, frames: AsyncIterable<Uint8Array>, options: FilmOptions): Promise<void> {
  const unfinished = join(dirname(path), `.${basename(path, extname(path))}.unfinished${extname(path) || '.mp4'}`)
  const ffmpeg = spawn(options.ffmpeg, argumentsOf(options, unfinished), { stdio: ['pipe', 'ignore', 'pipe'] })
  const forget = atExit(() => void ffmpeg.kill('SIGKILL'))
  const ended = endOf(ffmpeg)
  try {
    let isOpen = true
    ffmpeg.stdin.on('error', () => {
      isOpen = false // why is told by `ended`
    })
    for await (const frame of frames) {
      options.signal?.throwIfAborted()
      if (!isOpen || ffmpeg.exitCode !== null) break
      if (!ffmpeg.stdin.write(frame)) await Promise.race([once(ffmpeg.stdin, 'drain').catch(() => {}), ended])
    }
    ffmpeg.stdin.end()
    const complaint = await ended
    if (complaint !== undefined) throw new UsageError(`${path}: ffmpeg could not write the video: ${complaint}`)
    await rename(unfinished, path).catch((error: unknown) => {
      throw cannotWrite(path, error)
    })
  } finally {
    ffmpeg.kill('SIGKILL')
    forget()
    await rm(unfinished, { force: true })
  }
}

/** When the process has ended: undefined, or what it complained of. */
function endOf(ffmpeg: ChildProcess): Promise<string | undefined> {
  let told = ''
  ffmpeg.stderr?.on('data', (text: Buffer) => {
    told = (told + text.toString()).slice(-2000)
  })
  return new Promise((resolve) => {
    ffmpeg.on('error', (error) => resolve(error.message))
    ffmpeg.on('close', (code) =>
      resolve(code === 0 ? undefined : told.trim().split('\n').at(-1) || `it ended with code ${code}`),
    )
  })
}
