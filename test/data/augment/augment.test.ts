import { describe, expect, test } from 'vitest'
import * as color from '../../../src/data/augment/color.ts'
import * as geometry from '../../../src/data/augment/geometry.ts'
import {
  augmentPictures,
  cropResized,
  inceptionBox,
  operations,
  type Picture,
  randAugment,
  shiftPictures,
} from '../../../src/data/augment/index.ts'
import { arrayDataset } from '../../../src/data/dataset.ts'
import { Generator } from '../../../src/util/random.ts'
import { told } from '../support.ts'

function picture(height: number, width: number, channels = 3): Picture {
  const pixels = Uint8Array.from({ length: channels * height * width }, (_, i) => (i * i * 31 + 7 * i) % 256)
  return { pixels, channels, height, width }
}

const pictures = arrayDataset({
  image: { dtype: 'uint8', shape: [6, 3, 12, 10], data: picture(6 * 12, 10).pixels },
  label: { dtype: 'int32', shape: [6], data: Int32Array.from([0, 1, 2, 3, 4, 5]) },
})

const everything = { cropArea: 0.3, flip: true, layers: 2, magnitude: 15 }

/** The bytes of each picture of a batch. */
async function bytes(indices: number[], epoch: number, seed = 5): Promise<string[]> {
  const batch = await augmentPictures(pictures, everything).batch(indices, { epoch, seed })
  const data = Buffer.from(batch.image?.data as Uint8Array)
  return indices.map((_, i) => data.subarray(i * 360, (i + 1) * 360).toString('hex'))
}

describe('augmentPictures', () => {
  test('is a function of seed, epoch and example, whatever the batch', async () => {
    const [a, b, c] = await bytes([2, 4, 5], 3)
    expect(await bytes([5, 2], 3)).toEqual([c, a])
    expect(await bytes([4], 3)).toEqual([b])
    expect(await bytes([4], 4)).not.toEqual([b])
    expect(await bytes([4], 3, 6)).not.toEqual([b])
  })

  test('changes nothing where nothing is asked, and never the labels', async () => {
    expect(augmentPictures(pictures, { cropArea: 1, layers: 0 })).toBe(pictures)
    const batch = await augmentPictures(pictures, everything).batch([3, 1], { epoch: 0, seed: 0 })
    expect(batch.label?.data).toEqual(Int32Array.from([3, 1]))
    expect(batch.image?.shape).toEqual([2, 3, 12, 10])
  })

  test('mirrors about half of the pictures', async () => {
    const one = picture(1, 2, 1)
    const many = arrayDataset({
      image: { dtype: 'uint8', shape: [400, 1, 1, 2], data: new Uint8Array(800).map((_, i) => one.pixels[i % 2] ?? 0) },
    })
    const indices = Array.from({ length: 400 }, (_, i) => i)
    const batch = await augmentPictures(many, { flip: true }).batch(indices, { epoch: 0, seed: 1 })
    const flipped = indices.filter((i) => batch.image?.data[2 * i] === one.pixels[1]).length
    expect(flipped).toBeGreaterThan(160)
    expect(flipped).toBeLessThan(240)
  })
})

describe('RandAugment', () => {
  test('has the official 16 operations', () => {
    expect(Object.keys(operations)).toHaveLength(16)
  })

  test('strengths are those of big_vision: level 10 is full, beyond it extrapolates', () => {
    const big = picture(224, 224, 1)
    const positive = { integers: () => Int32Array.of(1) } as unknown as Generator
    const run = (name: string, m: number) => operations[name]?.(big, m, positive).pixels
    expect(run('Rotate', 15)).toEqual(geometry.rotate(big, 45).pixels)
    expect(run('Posterize', 15)).toEqual(color.posterize(big, 6).pixels)
    expect(run('Solarize', 5)).toEqual(color.solarize(big, 128).pixels)
    expect(run('Solarize', 15)).toEqual(big.pixels)
    expect(run('SolarizeAdd', 10)).toEqual(color.solarizeAdd(big, 110).pixels)
    expect(run('Contrast', 5)).toEqual(color.contrast(big, 1).pixels)
    expect(run('Brightness', 10)).toEqual(color.brightness(big, 1.9).pixels)
    expect(run('Sharpness', 20)).toEqual(color.sharpness(big, 3.7).pixels)
    expect(run('ShearY', 10)).toEqual(geometry.shearY(big, 0.3).pixels)
    expect(run('TranslateX', 15)).toEqual(geometry.translateX(big, 150).pixels)
    expect(run('Cutout', 15)).toEqual(geometry.cutout(big, 60, 1, 1).pixels)
  })

  test('distances keep their share of smaller pictures', () => {
    const small = picture(56, 28, 1)
    const positive = { integers: () => Int32Array.of(1) } as unknown as Generator
    expect(operations.TranslateX?.(small, 8, positive).pixels).toEqual(geometry.translateX(small, 10).pixels)
    expect(operations.TranslateY?.(small, 8, positive).pixels).toEqual(geometry.translateY(small, 20).pixels)
    expect(operations.Cutout?.(small, 10, positive).pixels).toEqual(geometry.cutout(small, 5, 1, 1).pixels)
  })

  test('works at every strength on pictures of one and three channels', () => {
    for (const channels of [1, 3]) {
      const start = picture(9, 8, channels)
      for (let seed = 0; seed < 60; seed++) {
        const changed = randAugment(start, 2, seed % 31, new Generator(seed))
        expect(changed).toMatchObject({ channels, height: 9, width: 8 })
        expect(changed.pixels).toHaveLength(start.pixels.length)
      }
    }
  })

  test('zero strength: posterize takes every bit, as in the official code', () => {
    const start = picture(4, 4)
    expect(new Set(operations.Posterize?.(start, 0, new Generator(0)).pixels)).toEqual(new Set([0]))
    expect(operations.Rotate?.(start, 0, new Generator(0)).pixels).toEqual(start.pixels)
  })
})

describe('Inception crop', () => {
  test('boxes keep area and shape, and lie inside', () => {
    const random = new Generator(3)
    const heights = new Set<number>()
    for (let i = 0; i < 500; i++) {
      const { top, left, height, width } = inceptionBox(40, 60, random)
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0)
      expect(top + height).toBeLessThanOrEqual(40)
      expect(left + width).toBeLessThanOrEqual(60)
      expect(height * width).toBeGreaterThanOrEqual(0.05 * 40 * 60)
      // The width is rounded: half a pixel of play.
      expect(width).toBeGreaterThanOrEqual(0.75 * height - 0.5)
      expect(width).toBeLessThanOrEqual(1.33 * height + 0.5)
      heights.add(height)
    }
    expect(Math.max(...heights)).toBe(40)
    expect(Math.min(...heights)).toBeLessThan(13)
  })

  test('is the whole picture where no box fits', () => {
    expect(inceptionBox(1, 40, new Generator(0))).toEqual({ top: 0, left: 0, height: 1, width: 40 })
  })

  test('refuses shares that are none', async () => {
    expect(await told(() => inceptionBox(4, 4, new Generator(0), { area: [0, 1] }))).toMatchInlineSnapshot(
      `"UsageError: crop: shares of the area must be above 0, at most 1 and rising, found 0, 1"`,
    )
  })

  test('the whole box at its own size is the picture; halving a box averages pairs', () => {
    const start = picture(6, 4, 2)
    expect(cropResized(start, { top: 0, left: 0, height: 6, width: 4 }, 6, 4)).toEqual(start)
    const ramp: Picture = { pixels: Uint8Array.of(0, 10, 20, 30, 100, 110, 120, 130), channels: 1, height: 2, width: 4 }
    expect([...cropResized(ramp, { top: 0, left: 0, height: 2, width: 4 }, 2, 2).pixels]).toEqual([5, 25, 105, 125])
    expect([...cropResized(ramp, { top: 1, left: 1, height: 1, width: 2 }, 1, 4).pixels]).toEqual([110, 113, 118, 120])
  })
})

test('a mirror twice is the picture', () => {
  const start = picture(3, 5)
  expect(geometry.flipLeftRight(geometry.flipLeftRight(start))).toEqual(start)
  expect(geometry.flipLeftRight(start).pixels.slice(0, 5)).toEqual(start.pixels.slice(0, 5).reverse())
})

test('shifts follow from seed, epoch and example, whatever batch it is in', async () => {
  const data = Uint8Array.from({ length: 6 * 16 }, (_, i) => i + 1)
  const shifted = shiftPictures(arrayDataset({ image: { dtype: 'uint8', shape: [6, 1, 4, 4], data } }), 2)
  const pictures = async (indices: readonly number[], epoch: number): Promise<number[][]> => {
    const { image } = await shifted.batch(indices, { seed: 1, epoch })
    return indices.map((_, n) => Array.from(image.data.subarray(16 * n, 16 * (n + 1)), Number))
  }
  const whole = await pictures([5, 1, 3], 0)
  expect([...(await pictures([5], 0)), ...(await pictures([1, 3], 0))]).toEqual(whole)
  expect(await pictures([5, 1, 3], 1)).not.toEqual(whole)
})
