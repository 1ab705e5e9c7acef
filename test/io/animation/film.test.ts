import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFilm } from '../../../src/io/animation/film.ts'

const path = join(mkdtempSync(join(tmpdir(), 'tenfold-film-')), 'film.mp4')
const frames = [new Uint8Array(15), new Uint8Array(15).fill(255)]
const options = { width: 5, height: 3, channels: 1, framesPerSecond: 10 } as const

test('the program gets the frames; what it complains of is told in one line', async () => {
  // Instead of ffmpeg: Node, which says that it does not know these options.
  await expect(writeFilm(path, frames, { ...options, program: process.execPath })).rejects.toThrow(
    /^.*film\.mp4: ffmpeg could not write it: /,
  )
})

test('without the program', async () => {
  await expect(writeFilm(path, frames, { ...options, program: 'no-such-ffmpeg' })).rejects.toThrow(
    `${path}: ffmpeg makes films, and there is no program no-such-ffmpeg here`,
  )
})

test('a film, where ffmpeg is installed', async () => {
  try {
    await writeFilm(path, frames, options)
  } catch (error) {
    if (String(error).includes('there is no program')) return
    throw error
  }
  expect(readFileSync(path).subarray(4, 8).toString('latin1')).toBe('ftyp')
})
