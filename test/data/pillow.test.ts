import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pillowCrop, pillowResize, pillowRgb } from '../../src/data/pillow.ts'

const grey = (height: number, width: number, data: readonly number[]) =>
  ({ mode: 'L', height, width, data: Uint8Array.from(data) }) as const

test('a picture of one colour keeps it, at any size', () => {
  const size = fc.integer({ min: 1, max: 20 })
  fc.assert(
    fc.property(size, size, size, size, fc.integer({ min: 0, max: 255 }), (height, width, tall, wide, value) => {
      const { data } = pillowResize(grey(height, width, Array(height * width).fill(value)), tall, wide)
      expect([...data]).toEqual(Array(tall * wide).fill(value))
    }),
    { seed: 3, numRuns: 40 },
  )
})

// Image.fromarray(...).resize((w, h), Image.BICUBIC) of Pillow 11.3.
test('bicubic, with antialiasing when it shrinks', () => {
  expect([...pillowResize(grey(1, 4, [0, 255, 0, 255]), 1, 2).data]).toEqual([107, 148])
  expect([...pillowResize(grey(2, 2, [10, 200, 90, 30]), 3, 3).data]).toEqual([0, 108, 224, 47, 83, 119, 100, 57, 14])
})

test('transparency weighs colours, and is dropped in the end', () => {
  const image = { mode: 'LA', height: 1, width: 2, data: Uint8Array.of(200, 255, 10, 0) } as const
  const { data } = pillowResize(image, 1, 1)
  expect(data).toEqual(Uint8Array.of(199, 128))
  expect([...pillowRgb({ ...image, width: 1, data }).data]).toEqual([data[0], data[0], data[0]])
})

test('palettes by the nearest neighbour', () => {
  const palette = Uint8Array.of(1, 2, 3, 4, 5, 6)
  const image = { mode: 'P', height: 1, width: 2, data: Uint8Array.of(0, 1), palette } as const
  const resized = pillowResize(image, 1, 4)
  expect([...resized.data]).toEqual([0, 0, 1, 1])
  expect([...pillowRgb(pillowCrop(resized, 0, 1, 1, 2)).data]).toEqual([1, 2, 3, 4, 5, 6])
})

// Image.resize((7, 1), NEAREST) of a palette's picture: trunc((3 + 0.5) * 2 / 7) would be 1.
test('the nearest neighbour where a centre falls on an edge', () => {
  const palette = Uint8Array.of(1, 2, 3, 4, 5, 6)
  const image = { mode: 'P', height: 1, width: 2, data: Uint8Array.of(0, 1), palette } as const
  expect([...pillowResize(image, 1, 7).data]).toEqual([0, 0, 0, 0, 1, 1, 1])
})

test('black and white, and four inks', () => {
  const white = { mode: '1', height: 1, width: 2, data: Uint8Array.of(0, 1) } as const
  expect([...pillowRgb(pillowResize(white, 1, 4)).data]).toEqual([0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255])
  const inks = { mode: 'CMYK', height: 1, width: 1, data: Uint8Array.of(10, 200, 255, 100) } as const
  expect([...pillowRgb(inks).data]).toEqual([149, 33, 0])
})

test('pictures that are none', () => {
  expect(() => pillowResize(grey(2, 2, [1]), 1, 1)).toThrow('picture: L of 2 x 2 must have 4 bytes, found 1')
  expect(() => pillowResize({ ...grey(1, 1, [0]), mode: 'P' }, 1, 1)).toThrow('picture: mode P needs a palette')
})
