/** Films, by the program ffmpeg, which is the user's own: frames go in through a pipe. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { UsageError } from '../../util/errors.ts'
import { atExit } from '../at-exit.ts'
import { cannotWrite } from '../errors.ts'

/** A film to write. */
export interface FilmOptions {
  /** The program. */
  readonly ffmpeg: string
  readonly width: number
  readonly height: number
  /** 1: gray, 3: red, green, blue. Default: 3. */
  readonly channels?: 1 | 3
  /** Frames in a second. */
  readonly fps: number
  /** How many frames there are. */
  readonly frames: number
  /** A file of sound, from its beginning, filled up with silence. Default: none. */
  readonly audio?: string | undefined
  readonly signal?: AbortSignal | undefined
}

function argumentsOf({ width, height, channels = 3, fps, frames, audio }: FilmOptions, path: string): string[] {
  const pixels = channels === 1 ? 'gray' : 'rgb24'
  const video = ['-f', 'rawvideo', '-pix_fmt', pixels, '-s', `${width}x${height}`, '-r', String(fps), '-i', '-']
  const sound =
    audio === undefined ? ['-an'] : ['-map', '0:v', '-map', '1:a', '-af', 'apad', '-c:a', 'aac', '-b:a', '192k']
  const h264 = ['-c:v', 'libx264', '-preset', 'medium', '-crf', '23', '-pix_fmt', 'yuv420p']
  return [
    ...['-v', 'error', '-y', ...video],
    ...(audio === undefined ? [] : ['-i', audio]),
    ...sound,
    ...(width % 2 === 0 && height % 2 === 0 ? [] : ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2']),
    ...h264,
    ...['-t', String(frames / fps), '-movflags', '+faststart', path],
  ]
}

/**
 * Writes frames [height, width, channels] of bytes as a film, H.264 and AAC in an MP4 file (an even size: a black line is added where it is
 * odd); `path` has it when all is done, and what was there before until then. An aborted signal ends it, and throws its reason. Throws a
 * UsageError with what ffmpeg complains of.
 */
export async function writeFilm(
  path: string,
  frames: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: FilmOptions,
): Promise<void> {
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
