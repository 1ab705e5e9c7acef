import { decode } from 'fast-png'
import { expect, test } from 'vitest'
import { dataUri, encodePng } from '../../src/io/png.ts'
import { expectError } from './samples.ts'

test.each([1, 3, 4] as const)('pixels of %i channels come back', (channels) => {
  const pixels = Uint8Array.from({ length: 5 * 3 * channels }, (_, i) => (i * 37) % 256)
  const { data, width, height, depth, channels: found } = decode(encodePng(pixels, 5, 3, channels))
  expect([width, height, depth, found]).toEqual([5, 3, 8, channels])
  expect(data).toEqual(pixels)
})

test('a file begins as PNG files do', () => {
  expect([...encodePng(Uint8Array.of(7), 1, 1, 1).subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10])
})

test('sizes must be those of the pixels', () => {
  const hint = 'pixels are [height, width, channels], one byte each'
  const short = 'encodePng: 2 x 2 pixels of 3 bytes take 12, found 11 bytes'
  expectError(() => encodePng(new Uint8Array(11), 2, 2, 3), 'ShapeError', short, hint)
  const empty = 'encodePng: 0 x 2 pixels of 1 bytes take 0, found 0 bytes'
  expectError(() => encodePng(new Uint8Array(), 0, 2, 1), 'ShapeError', empty, hint)
})

test('a data URI has the bytes of the view alone', () => {
  const bytes = Uint8Array.of(9, 1, 2, 255, 9).subarray(1, 4)
  expect(dataUri(bytes, 'image/png')).toBe('data:image/png;base64,AQL/')
})
