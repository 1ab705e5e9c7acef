/** Tensors as pictures. */
import { expect, test } from 'vitest'
import { pictureSheet, picturesOf } from '../../src/report/from-tensors.ts'

test('planes become pixels; bytes stay, floats go from black to white and are cut off beyond', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6)
  expect(picturesOf({ dtype: 'uint8', shape: [1, 3, 1, 2], data: bytes })).toEqual([
    { pixels: Uint8Array.of(1, 3, 5, 2, 4, 6), width: 2, height: 1, channels: 3 },
  ])
  const floats = Float32Array.of(-1, 0, 1, 9)
  const [signed] = picturesOf({ dtype: 'float32', shape: [1, 1, 2, 2], data: floats })
  expect(signed?.pixels).toEqual(Uint8Array.of(0, 128, 255, 255))
  const [unit] = picturesOf({ dtype: 'float32', shape: [1, 1, 2, 2], data: floats }, [0, 1])
  expect(unit?.pixels).toEqual(Uint8Array.of(0, 0, 255, 255))
})

test('a picture has 1 or 3 channels', () => {
  expect(() => picturesOf({ dtype: 'uint8', shape: [1, 2, 1, 1], data: new Uint8Array(2) })).toThrow(
    'a picture must have 1 or 3 channels, found 2 in [1, 2, 1, 1]',
  )
})

test('a sheet of three, two in a row', () => {
  const pictures = picturesOf({ dtype: 'uint8', shape: [3, 1, 1, 1], data: Uint8Array.of(10, 20, 30) })
  const { pixels, width, height } = pictureSheet(pictures)
  const w = 255
  expect([width, height]).toEqual([4, 4])
  expect([...pixels]).toEqual([10, w, w, 20, w, w, w, w, w, w, w, w, 30, w, w, w])
  expect(pictureSheet(pictures, 3)).toMatchObject({ width: 7, height: 1 })
})

test('pictures of a sheet are of one size', () => {
  const [a] = picturesOf({ dtype: 'uint8', shape: [1, 1, 1, 1], data: new Uint8Array(1) })
  const [b] = picturesOf({ dtype: 'uint8', shape: [1, 1, 2, 1], data: new Uint8Array(2) })
  expect(() => pictureSheet([a, b].flatMap((each) => each ?? []))).toThrow(
    'pictureSheet: all pictures must have the same width, height and channels, found 1 x 1 in 1 and 1 x 2 in 1',
  )
  expect(() => pictureSheet([])).toThrow('pictureSheet: at least one picture is needed, found none')
})
