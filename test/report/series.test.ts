import { describe, expect, test } from 'vitest'
import type { LinePlot, Point } from '../../src/report/figures.ts'
import { drawablePoints, extreme, omissionNote, smoothed, thinned } from '../../src/report/series.ts'

const points = (ys: readonly number[]): Point[] => ys.map((y, x) => ({ x, y }))

function plot(ys: readonly number[], log = false): LinePlot {
  const [x, y] = [{ label: 'step' }, { label: 'loss', log }]
  return { kind: 'lines', title: 'Loss', x, y, series: [{ name: 'training', points: points(ys) }] }
}

describe('values that can not be drawn', () => {
  test('are left out', () => {
    const ys = [1, Number.NaN, Number.POSITIVE_INFINITY, 0, -1, 2]
    const axis = { label: '' }
    expect(drawablePoints(points(ys), axis, axis).map(({ y }) => y)).toEqual([1, 0, -1, 2])
    expect(drawablePoints(points(ys), axis, { label: '', log: true }).map(({ y }) => y)).toEqual([1, 2])
  })

  test('are told of', () => {
    expect(omissionNote(plot([1, 2]))).toBeUndefined()
    expect(omissionNote(plot([1, Number.NaN]))).toBe('1 of 2 points left out: NaN or infinite.')
    expect(omissionNote(plot([1, Number.NaN, 0, -3], true))).toBe(
      '1 of 4 points left out: NaN or infinite. 2 of 4 points left out: not positive, on a log scale.',
    )
  })

  test('in bars, too', () => {
    const bars = [{ label: 'a', value: Number.NaN }]
    expect(omissionNote({ kind: 'bars', title: '', value: { label: 'ms' }, bars })).toBe(
      '1 of 1 bar left out: NaN or infinite.',
    )
  })
})

describe('smoothing', () => {
  test('keeps the first point and constants', () => {
    expect(smoothed(points([5, ...new Array(99).fill(1)]))[0]).toEqual({ x: 0, y: 5 })
    for (const { y } of smoothed(points(new Array(200).fill(0.3)))) expect(y).toBeCloseTo(0.3, 12)
  })

  test('takes noise away', () => {
    const noisy = points(Array.from({ length: 600 }, (_, i) => 1 + (i % 2 ? 0.5 : -0.5)))
    for (const { y } of smoothed(noisy).slice(30)) expect(Math.abs(y - 1)).toBeLessThan(0.05)
  })

  test('leaves a few points alone', () => {
    const few = points([3, 1, 2])
    expect(smoothed(few)).toBe(few)
  })

  test('of very many points gives no more than a page can show', () => {
    const line = smoothed(points(Array.from({ length: 50_000 }, (_, i) => i)))
    expect(line).toHaveLength(600)
    expect(line[300]?.y).toBeCloseTo(line[300]?.x ?? 0, 0)
  })
})

describe('thinning', () => {
  const many = points(Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 500)))

  test('keeps peaks, both ends and the order', () => {
    many[7777] = { x: 7777, y: 99 }
    const kept = thinned(many, 300)
    expect(kept.length).toBeLessThanOrEqual(302)
    expect(kept.map(({ y }) => y)).toContain(99)
    expect([kept[0], kept.at(-1)]).toEqual([many[0], many.at(-1)])
    expect(kept.map(({ x }) => x)).toEqual(kept.map(({ x }) => x).toSorted((a, b) => a - b))
  })

  test('leaves short lines alone', () => {
    expect(thinned(many.slice(0, 300), 300)).toHaveLength(300)
  })
})

test('extremes are the first of their kind', () => {
  expect(extreme(points([2, 1, 1, 3, 3]), 'min')?.x).toBe(1)
  expect(extreme(points([2, 1, 1, 3, 3]), 'max')?.x).toBe(3)
  expect(extreme([], 'max')).toBeUndefined()
})
