import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { findFfmpeg } from '../../../src/data/sources/ffmpeg.ts'
import { type FilmOptions, writeFilm } from '../../../src/io/animation/film.ts'
import { MissingPackageError } from '../../../src/util/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-film-'))
const path = join(folder, 'film.mp4')
const frames = [new Uint8Array(15), new Uint8Array(15).fill(255)]
const options = { width: 5, height: 3, channels: 1, fps: 10, frames: 2 } as const satisfies Omit<FilmOptions, 'ffmpeg'>

/** A program in the place of ffmpeg. */
function program(name: string, script: string): string {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
  return join(folder, name)
}

test('the program gets the frames, and what they are', async () => {
  const ffmpeg = program('ffmpeg', 'echo "$@" > "$0.told"; for last; do :; done; cat > "$last"')
  await writeFilm(path, frames, { ...options, ffmpeg })
  expect(readFileSync(path)).toEqual(Buffer.concat(frames))
  const told = readFileSync(`${ffmpeg}.told`, 'utf8')
  expect(told).toContain('-pix_fmt gray -s 5x3 -r 10 -i - -an -vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -c:v libx264')
  expect(findFfmpeg(['/nowhere', folder].join(delimiter))).toBe(ffmpeg)
})

test('what it complains of is one line, and nothing is left behind', async () => {
  async function* colored() {
    for (let i = 0; i < 3; i++) yield new Uint8Array(1200)
  }
  const ffmpeg = program('broken', 'echo "no such codec" >&2; exit 3')
  const film = { ffmpeg, width: 20, height: 20, fps: 1, frames: 3 }
  await expect(writeFilm(join(folder, 'broken.mp4'), colored(), film)).rejects.toThrow(
    'ffmpeg could not write the video: no such codec',
  )
  await expect(writeFilm(path, frames, { ...options, ffmpeg: 'no-such-ffmpeg' })).rejects.toThrow(
    `${path}: ffmpeg could not write the video: spawn no-such-ffmpeg ENOENT`,
  )
  expect(readdirSync(folder).filter((name) => /unfinished|broken.mp4/.test(name))).toEqual([])
})

test('a film, where ffmpeg is installed', async () => {
  try {
    await writeFilm(path, frames, { ...options, ffmpeg: findFfmpeg() })
  } catch (error) {
    if (error instanceof MissingPackageError) return
    throw error
  }
  expect(readFileSync(path).subarray(4, 8).toString('latin1')).toBe('ftyp')
})
