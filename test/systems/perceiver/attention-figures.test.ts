import { expect, test } from 'vitest'
import {
  centred,
  crossAttentionGrids,
  latentLines,
  readingFigures,
  readingOf,
} from '../../../src/systems/perceiver/attention-figures.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'

const map = (rows: readonly (readonly number[])[]): NDArray => ({
  dtype: 'float32',
  shape: [1, rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flat()),
})

test('how many rows a latent reads: all alike, or one', () => {
  const half = { name: 'the first half', has: (row: number) => row < 2 }
  expect(readingOf([0.25, 0.25, 0.25, 0.25], [half])).toEqual({ count: 4, most: 0, weight: 0.25, shares: [0.5] })
  expect(readingOf([0, 0, 1, 0], [half])).toEqual({ count: 1, most: 2, weight: 1, shares: [0] })
})

test('maps are less their mean; rows that may not be read are 0', () => {
  expect(centred([1, 2, 3])).toEqual([-1, 0, 1])
  expect(centred([1, 99, 3], (row) => row !== 1)).toEqual([-1, 0, 1])
  const [grid] = crossAttentionGrids([map([[0, 2, 4, 6]])], [2, 2])
  expect(grid).toMatchObject({
    title: 'Cross attention 1',
    matrices: [{ values: [-3, -1, 1, 3], width: 2, height: 2 }],
  })
  const [lines] = latentLines(
    [
      map([
        [1, 3],
        [5, 5],
        [0, 0],
      ]),
    ],
    2,
    { title: String, of: 'a row' },
  )
  expect(lines).toMatchObject({ title: '0', matrices: [{ values: [-1, 1, 0, 0], width: 2, height: 2 }] })
})

test('which latents read what: in words, as a picture of the cells, latent by latent', () => {
  const weights = map([
    [0.7, 0.1, 0.1, 0.1],
    [0, 0.5, 0.5, 0],
  ]) // prettier
  const [words, picture, table] = readingFigures(
    [weights],
    {
      unit: 'pixels',
      place: (row) => `pixel ${row}`,
      groups: [{ name: 'the ink', has: (row) => row === 0 }],
      grid: [2, 2],
    },
    1,
  )
  expect(words).toMatchObject({
    paragraphs: [
      'Cross attention 1: a latent reads as much as 2 of the 4 pixels read alike (median; 2 to 3). The ink, 25 % of the pixels, gets 35 % of all weights, of single latents 0.0 % to 70 %.',
    ],
  })
  if (picture?.kind !== 'pictures' || table?.kind !== 'table') throw new Error('other figures')
  const colors = Array.from({ length: 4 }, (_, i) => picture.pictures[0]?.pixels.subarray(3 * i, 3 * i + 3).join())
  expect([colors[0] === colors[3], colors[1] === colors[2], colors[0] === colors[1]]).toEqual([true, true, false])
  expect(table.rows).toEqual([[1, 0, 3, 'pixel 0', '70 %', '70 %']])
})
