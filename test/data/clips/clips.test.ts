import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { clipPart } from '../../../src/data/clips/clip.ts'
import { readClip } from '../../../src/data/clips/clip-files.ts'
import { digitClips } from '../../../src/data/clips/digits.ts'
import { readClipFile } from '../../../src/data/clips/labelled-clips.ts'
import { writeNpz } from '../../../src/io/npz.ts'
import { told, withFolder } from '../support.ts'

const form = { size: [4, 4], channels: 1, samplesPerFrame: 2 } as const

/** An animated WebP whose frames are grey. */
async function animation(levels: readonly number[]): Promise<Uint8Array> {
  const side = 8
  const pixels = Uint8Array.from(
    { length: levels.length * side * side * 3 },
    (_, i) => levels[Math.floor(i / (side * side * 3))] ?? 0,
  )
  const raw = { width: side, height: side * levels.length, channels: 3, pageHeight: side } as const
  return new Uint8Array(await sharp(pixels, { raw }).webp({ lossless: true, loop: 0 }).toBuffer())
}

test('frames of an animated picture, every so-manyth', async () => {
  const clip = await readClip(await animation([10, 20, 30, 40, 50]), 'a.webp', form, 2)
  expect(clip.frameCount).toBe(3)
  expect([0, 16, 32].map((place) => clip.frames[place])).toEqual([10, 30, 50])
  expect(clip.samples).toEqual(new Float32Array(6))
})

test('a window with its sound; a clip that is too short begins again', () => {
  const clip = {
    frames: Uint8Array.from({ length: 32 }, (_, i) => Math.floor(i / 16)),
    frameCount: 2,
    samples: Float32Array.of(1, 2, 3, 4),
  }
  const { frames, samples } = clipPart(clip, form, 1, 3)
  expect([0, 16, 32].map((place) => frames[place])).toEqual([1, 0, 1])
  expect([...samples]).toEqual([3, 4, 1, 2, 3, 4])
})

const npz = (arrays: Parameters<typeof writeNpz>[0]): Uint8Array => writeNpz(arrays)
const frames = { dtype: 'uint8', shape: [3, 8, 8, 3], data: new Uint8Array(576).fill(7) } as const

test('frames and samples of a .npz; sound lasts as long as the frames', async () => {
  const samples = { dtype: 'float32', shape: [12], data: new Float32Array(12).fill(0.5) } as const
  const file = npz([['frames', frames] as const, ['samples', samples] as const])
  const clip = await readClip(file, 'a.npz', { ...form, channels: 3 }, 1)
  expect([clip.frameCount, clip.frames.length, clip.samples.length]).toEqual([3, 144, 6])
})

test('what is no clip gets one line', async () => {
  const read = async (bytes: Uint8Array, name: string): Promise<string> => told(() => readClip(bytes, name, form, 1))
  expect(await read(await animation([10]), 'a.webp')).toBe('FormatError: a.webp: must have several frames, found 1')
  expect(await read(npz([['x', frames] as const]), 'a.npz')).toBe(
    'FormatError: a.npz: must have frames uint8 [F, H, W] or [F, H, W, 1 or 3], found no array of that name',
  )
  const infinite = { dtype: 'float32', shape: [1], data: Float32Array.of(Number.POSITIVE_INFINITY) } as const
  expect(await read(npz([['frames', frames] as const, ['samples', infinite] as const]), 'a.npz')).toBe(
    'FormatError: a.npz: samples must be finite, found Infinity',
  )
  expect(await read(new TextEncoder().encode('no'), 'a.gif')).toMatch(
    /^FormatError: a\.gif: must be a readable picture, found: /,
  )
})

test('many clips in one file, of any number of classes', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'a.npz')
    const many = { dtype: 'uint8', shape: [2, 3, 4, 4], data: Uint8Array.from({ length: 96 }, (_, i) => i) } as const
    const labels = { dtype: 'uint8', shape: [2, 3], data: Uint8Array.of(1, 0, 1, 0, 0, 0) } as const
    await writeFile(file, writeNpz([['frames', many] as const, ['labels', labels] as const]))
    const clips = await readClipFile(file, form)
    expect([clips.length, clips.classCount, clips.classes]).toEqual([2, 3, [[0, 2], []]])
    expect((await clips.read(1)).frames[0]).toBe(48)
    await writeFile(file, writeNpz([['frames', many] as const]))
    expect((await told(() => readClipFile(file, form))).replaceAll(folder, '.')).toBe(
      'FormatError: ./a.npz: must have labels [2] of class numbers, or [2, K] of 0 and 1, found no array of that name',
    )
  }))

test('digits move, and follow from the seed', async () => {
  const options = { size: 32, frames: 4, samplesPerFrame: 16, frameRate: 8, seed: 1, noise: 0 }
  const clips = await digitClips('test', 3, options)
  expect(clips.classes(0)[0]).toBe(7) // MNIST's first test picture
  expect(clips.classes(0)[1]).toBeGreaterThanOrEqual(10)
  const { frames: moved, samples } = clips.clip(0)
  expect(moved.subarray(0, 1024)).not.toEqual(moved.subarray(3072))
  expect(samples).toHaveLength(64)
  expect(clips.clip(0).frames).toEqual(moved)
})
