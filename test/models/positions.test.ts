import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import { fourierFeatures, gridPositions, LearnedPositions, sinCos1d, sinCos2d } from '../../src/models/positions.ts'
import * as ops from '../../src/ops/index.ts'
import { tensor } from '../../src/tensor/tensor.ts'
import { expectOutputs, readReference } from './reference.ts'

describe('sines and cosines', () => {
  test('of one axis', () => {
    const table = sinCos1d([3, 4])
    const expected = [0, 1, 2].flatMap((p) => [Math.sin(p), Math.sin(p / 100), Math.cos(p), Math.cos(p / 100)])
    for (const [i, value] of expected.entries()) expect(table[i]).toBeCloseTo(value, 6)
  })

  test("of a grid: the column, then the row; zeros for a class token (MAE's get_2d_sincos_pos_embed)", () => {
    const table = sinCos2d([2, 3])([1, 7, 8])
    const waves = (p: number): number[] => [Math.sin(p), Math.sin(p / 100), Math.cos(p), Math.cos(p / 100)]
    const rows = [0, 1].flatMap((row) => [0, 1, 2].map((column) => [...waves(column), ...waves(row)]))
    const expected = [...new Array<number>(8).fill(0), ...rows.flat()]
    expect(table).toHaveLength(expected.length)
    for (const [i, value] of expected.entries()) expect(table[i]).toBeCloseTo(value, 6)
  })

  test.each<[string, () => unknown]>([
    [
      'sinCos1d: the table must be [rows, width] with a width that is a multiple of 2, found [3, 5]',
      () => sinCos1d([3, 5]),
    ],
    [
      'sinCos2d: the table must be [rows, width] with a width that is a multiple of 4, found [6, 10]',
      () => sinCos2d([2, 3])([6, 10]),
    ],
    ['sinCos2d: a grid of 2x3 needs 6 rows, found [5, 8]', () => sinCos2d([2, 3])([5, 8])],
  ])('%s', (message, make) => {
    expect(make).toThrow(expect.objectContaining({ message }) as Error)
  })
})

test('learned positions: the first rows', async () => {
  const positions = new LearnedPositions(4, 2)
  positions.weight.set([1, 2, 3, 4, 5, 6, 7, 8])
  expect(await positions.first(2).numbers()).toEqual([1, 2, 3, 4])
  expect(await positions.first(4).numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(() => positions.first(5)).toThrow('LearnedPositions: at most 4 tokens fit, found 5')
})

describe('Fourier features', () => {
  test('places on a grid', async () => {
    const places = gridPositions([2, 3])
    expect(places.shape).toEqual([6, 2])
    expect(await places.numbers()).toEqual([-1, -1, -1, 0, -1, 1, 1, -1, 1, 0, 1, 1])
    expect(await gridPositions([1]).numbers()).toEqual([-1])
  })

  test("are those of transformers' Perceiver", async () => {
    await expectOutputs(readReference('fourier'), ['places'], (places = ops.zeros([])) => ({
      features: fourierFeatures(places, { bands: 4, maxResolution: [9, 5, 20] }),
    }))
  })

  test('axis by axis: sines, cosines, position (perceiver-pytorch)', async () => {
    const places = [0.5, -0.25]
    const found = fourierFeatures(tensor([places]), { bands: 3, maxResolution: 10, order: 'axes' })
    const waves = (x: number, wave: (angle: number) => number): number[] => [1, 3, 5].map((f) => wave(Math.PI * f * x))
    const expected = places.flatMap((x) => [...waves(x, Math.sin), ...waves(x, Math.cos), x])
    expect(found.shape).toEqual([1, 14])
    for (const [i, value] of (await found.numbers()).entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5)
  })

  test('without positions, without cosines', async () => {
    const places = gridPositions([2, 3])
    const options = { bands: 2, maxResolution: 8 }
    const all = await fourierFeatures(places, options).numbers()
    const columns = (first: number, count: number) => all.filter((_, i) => i % 10 >= first && i % 10 < first + count)
    expect(await fourierFeatures(places, { ...options, concatPos: false }).numbers()).toEqual(columns(2, 8))
    expect(await fourierFeatures(places, { ...options, sineOnly: true }).numbers()).toEqual(columns(0, 6))
    const axes = fourierFeatures(places, { ...options, order: 'axes', concatPos: false, sineOnly: true })
    expect(await axes.numbers()).toEqual(columns(2, 4))
  })

  test('one resolution an axis', () => {
    expect(() => fourierFeatures(gridPositions([2, 3]), { bands: 2, maxResolution: [2] })).toThrow(
      'fourierFeatures: there must be one maxResolution, or one for each of 2 axes, found [2]',
    )
  })
})
