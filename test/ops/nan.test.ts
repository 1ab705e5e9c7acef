/** What becomes of NaN: as in PyTorch it is the extremum wherever there is one, and the greatest of what is sorted. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { type NestedNumbers, type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { gradientsOf, valuesOf } from '../support/values.ts'

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

/** Values and indices. */
async function pairOf(call: (x: Tensor) => readonly Tensor[], input: NestedNumbers): Promise<number[][]> {
  const results = await compile(call)(tensor(input))
  return Promise.all(results.map((result) => result.numbers()))
}

/** A row of 20 numbers with a NaN at each place in turn. */
const rows = Array.from({ length: 20 }, (_, place) => Array.from({ length: 20 }, (_, i) => (i === place ? nan : i)))
const all = new Array<number>(20).fill(nan)

describe('extrema', () => {
  test('wherever it stands, along any axis', async () => {
    for (const call of [ops.max, ops.min]) {
      expect(await valuesOf((x) => call(x, 1), rows)).toEqual(all)
      expect(await valuesOf((x) => call(x, 0), rows)).toEqual(all)
      expect(await valuesOf((x) => call(x, undefined), rows)).toEqual([nan])
      expect(
        await valuesOf(
          (x) => call(x, 1),
          [
            [1, 2],
            [nan, inf],
          ],
        ),
      ).toEqual([call === ops.max ? 2 : 1, nan])
    }
    expect(
      await valuesOf(
        (x) => ops.max(x, 1),
        [
          [-inf, 3],
          [inf, -inf],
        ],
      ),
    ).toEqual([3, inf])
  })

  test('and the norms that are extrema', async () => {
    expect(await valuesOf((x) => ops.vectorNorm(x, inf, 1), rows)).toEqual(all)
    expect(await valuesOf((x) => ops.vectorNorm(x, -inf, 1), rows)).toEqual(all)
  })

  test('argmax, argmin: its first place', async () => {
    const places = Array.from({ length: 20 }, (_, i) => i)
    expect(await valuesOf((x) => ops.argmax(x, 1), rows)).toEqual(places)
    expect(await valuesOf((x) => ops.argmin(x, 1), rows)).toEqual(places)
    expect(await valuesOf((x) => ops.argmax(x), [inf, nan, 1, nan])).toEqual([1])
    expect(await valuesOf((x) => ops.argmin(x, 0), [-inf, 2, nan])).toEqual([2])
    expect(await pairOf((x) => ops.maxWithIndices(x, 0), [3, nan, 5])).toEqual([[nan], [1]])
    expect(await pairOf((x) => ops.minWithIndices(x, 0), [3, nan, 5])).toEqual([[nan], [1]])
  })

  test('of two tensors, and clamp', async () => {
    expect(await valuesOf(ops.maximum, [nan, 1, 2], [1, nan, 3])).toEqual([nan, nan, 3])
    expect(await valuesOf(ops.minimum, [nan, 1, 2], [1, nan, 3])).toEqual([nan, nan, 2])
    for (const [low, high] of [
      [0, 1],
      [0, undefined],
      [undefined, 1],
    ])
      expect(await valuesOf((x) => ops.clamp(x, low, high), [nan, 0.5])).toEqual([nan, 0.5])
    expect(await valuesOf((x, low) => ops.clamp(x, low), [1, 2], [nan, 0])).toEqual([nan, 2])
    expect(await valuesOf(ops.relu, [nan, -1])).toEqual([nan, 0])
  })

  test('running ones stay NaN, at the place of the last', async () => {
    expect(await pairOf((x) => ops.cummax(x, 0), [1, nan, 2, nan])).toEqual([
      [1, nan, nan, nan],
      [0, 1, 1, 3],
    ])
    expect(await pairOf((x) => ops.cummin(x, 0), [1, nan, 2])).toEqual([
      [1, nan, nan],
      [0, 1, 1],
    ])
  })
})

describe('order', () => {
  const mixed = [nan, inf, -inf, nan, 3.4028234663852886e38, 1]

  test('sort: last, in the order in which they stand', async () => {
    expect(await pairOf((x) => ops.sort(x), mixed)).toEqual([
      [-inf, 1, 3.4028234663852886e38, inf, nan, nan],
      [2, 5, 4, 1, 0, 3],
    ])
    expect(await pairOf((x) => ops.sort(x, 0, { descending: true }), mixed)).toEqual([
      [nan, nan, inf, 3.4028234663852886e38, 1, -inf],
      [0, 3, 1, 4, 5, 2],
    ])
    expect(await valuesOf((x) => ops.argsort(x), mixed)).toEqual([2, 5, 4, 1, 0, 3])
  })

  test('wherever it stands', async () => {
    const sorted = rows.map((row) => row.filter((value) => !Number.isNaN(value)))
    expect(await valuesOf((x) => ops.sort(x)[0], rows)).toEqual(sorted.flatMap((row) => [...row, nan]))
  })

  test('topk', async () => {
    expect(await pairOf((x) => ops.topk(x, 3), mixed)).toEqual([
      [nan, nan, inf],
      [0, 3, 1],
    ])
    expect(await pairOf((x) => ops.topk(x, 2, 0, { largest: false }), [nan, 2, nan])).toEqual([
      [2, nan],
      [1, 0],
    ])
    expect(await gradientsOf((x) => ops.topk(x, 1)[0], [1, nan, 2])).toEqual([[0, 1, 0]])
  })

  test('medians and quantiles of what has one are NaN', async () => {
    expect(await valuesOf(ops.median, [1, nan, 2])).toEqual([nan])
    expect(await valuesOf(ops.median, [1, inf, 2])).toEqual([2])
    expect(
      await pairOf(
        (x) => ops.medianWithIndices(x, 1),
        [
          [3, nan, nan],
          [3, 1, 2],
        ],
      ),
    ).toEqual([
      [nan, 2],
      [1, 2],
    ])
    expect(
      await valuesOf(
        (x) => ops.quantile(x, [0, 0.5], 1),
        [
          [1, nan, 2],
          [3, 1, 2],
        ],
      ),
    ).toEqual([nan, 1, nan, 2])
  })
})

describe('max pooling', () => {
  const picture = [
    [
      [
        [1, nan, nan, nan],
        [2, 3, nan, nan],
      ],
    ],
  ]

  test('passes over it, unless all of a window is NaN', async () => {
    expect(await valuesOf((x) => ops.maxPool2d(x, 2), picture)).toEqual([3, nan])
  })

  test('propagates it if asked', async () => {
    expect(await valuesOf((x) => ops.maxPool2d(x, 2, { propagateNan: true }), picture)).toEqual([nan, nan])
    const call = (x: Tensor): Tensor => ops.maxPool1d(x, 2, { stride: 1, padding: 1, propagateNan: true })
    expect(await valuesOf(call, [[[1, nan, 2, 3]]])).toEqual([1, nan, nan, 3, 3])
    expect(await gradientsOf(call, [[[1, 4, 2, 3]]])).toEqual([[1, 2, 0, 2]])
  })

  test('adaptive max pooling propagates it', async () => {
    expect(await valuesOf((x) => ops.adaptiveMaxPool2d(x, [1, 2]), picture)).toEqual([nan, nan])
  })
})
