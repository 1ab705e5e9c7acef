/** The program ffmpeg: where it is, and what it says of sound. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { FormatError, MissingPackageError, UsageError } from '../../util/errors.ts'
import { installedFolder } from '../packages.ts'

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
