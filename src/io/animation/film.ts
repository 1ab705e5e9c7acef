/** Films, made by the program ffmpeg where it is installed. */
import { spawn } from 'node:child_process'
import { UsageError } from '../../util/errors.ts'

/** The pictures of a film. */
export interface FilmOptions {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
  readonly framesPerSecond: number
  /** The program. Default: the `ffmpeg` on PATH. */
  readonly program?: string
}

/**
 * Writes frames `[height, width, channels]`, row-major bytes, as an MP4 file (H.264, an even size: a black line is added where it is odd).
 * Throws a UsageError where ffmpeg is missing or fails.
 */
export async function writeFilm(path: string, frames: readonly Uint8Array[], options: FilmOptions): Promise<void> {
  const { width, height, channels, framesPerSecond, program = 'ffmpeg' } = options
  const input = ['-f', 'rawvideo', '-pix_fmt', channels === 1 ? 'gray' : 'rgb24', '-s', `${width}x${height}`]
  const output = ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', path]
  const child = spawn(
    program,
    ['-y', '-loglevel', 'error', ...input, '-r', String(framesPerSecond), '-i', '-', ...output],
    {
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  )
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += String(bytes)
  })
  child.stdin.on('error', () => undefined) // it has ended early: what it says about that is told below
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  for (const frame of frames) child.stdin.write(frame)
  child.stdin.end()
  const code = await ended.catch((error: unknown) => {
    throw new UsageError(`${path}: ffmpeg makes films, and there is no program ${program} here`, {
      cause: error,
      hint: 'install it, or write an animated picture: a name that ends in .png',
    })
  })
  if (code !== 0) {
    const [reason = ''] = complaint.trim().split('\n')
    throw new UsageError(`${path}: ffmpeg could not write it: ${reason || `it ended with code ${code}`}`)
  }
}
