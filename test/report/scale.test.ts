import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { axisScale } from '../../src/report/scale.ts'

const axis = { label: 'x' }

function labels(...[of, values, options]: Parameters<typeof axisScale>): string[] {
  const scale = axisScale(of, values, options)
  return scale.ticks.map(scale.format)
}

describe('ticks', () => {
  test('steps begin at 0 even if they are first measured later', () => {
    const scale = axisScale(axis, [100, 4690], { count: 5 })
    expect(scale.domain).toEqual([0, 4690])
    expect(scale.ticks.map(scale.format)).toEqual(['0', '1,000', '2,000', '3,000', '4,000'])
  })

  test('nice scales end at ticks', () => {
    expect(axisScale(axis, [0.13, 2.31], { count: 6, nice: true }).domain).toEqual([0, 2.5])
    expect(labels(axis, [0.13, 2.31], { count: 6, nice: true })).toEqual(['0', '0.5', '1.0', '1.5', '2.0', '2.5'])
  })

  test('percent never goes beyond 100', () => {
    const options = { count: 4, nice: true }
    expect(labels({ label: 'accuracy', percent: true }, [0.913, 1], options)).toEqual(['90 %', '95 %', '100 %'])
    expect(axisScale({ label: 'accuracy', percent: true }, [0.5, 1], options).domain[1]).toBe(1)
  })

  test('large and small values are short', () => {
    expect(labels(axis, [0, 2e6], { count: 4 })).toEqual(['0', '0.5M', '1.0M', '1.5M', '2.0M'])
    expect(labels(axis, [0, 4e5], { count: 2 })).toEqual(['0', '200k', '400k'])
    expect(labels(axis, [0, 3e-6], { count: 3 })).toEqual(['0', '1e−6', '2e−6', '3e−6'])
  })

  test('logarithmic scales tick powers, and digits where there is room', () => {
    const log = { label: 'loss', log: true }
    expect(labels(log, [1e-6, 1e6], { count: 5 })).toEqual(['1e−6', '0.001', '1', '1,000', '1,000,000'])
    expect(labels(log, [0.02, 3], { count: 6 })).toEqual(['0.03', '0.1', '0.3', '1', '3'])
    expect(labels(log, [3.02, 4], { count: 5 })).toEqual(['3.2', '3.4', '3.6', '3.8', '4'])
  })

  test('values that are all equal stand inside', () => {
    for (const value of [0, 3, -7, 1e-9]) {
      const [low, high] = axisScale(axis, [value, value], { count: 5 }).domain
      expect(low).toBeLessThan(value)
      expect(high).toBeGreaterThan(value)
    }
    expect(axisScale({ label: 'x', log: true }, [5], { count: 5 }).domain).toEqual([2.5, 10])
  })
})

test('what is invisibly close to 0 is written as 0', () => {
  const scale = axisScale(axis, [0, 1e-3], { count: 5 })
  expect(scale.exact(1.4e-8)).toBe('0')
  expect(scale.exact(3.25e-4)).toBe('3.25e−4')
})

describe.each([{ log: false }, { log: true }])('any values, log $log', ({ log }) => {
  const bounds = log ? { min: 1e-250, max: 1e250 } : { min: -1e250, max: 1e250 }
  const values = fc.array(fc.double({ ...bounds, noNaN: true }), { minLength: 1, maxLength: 5 })

  test('are inside a scale with a few ticks inside it', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 2, max: 12 }), fc.boolean(), (list, count, nice) => {
        const { domain, ticks, format } = axisScale({ label: 'x', log }, list, { count, nice })
        const room = 1e-6 * (domain[1] - domain[0])
        expect(domain[0]).toBeLessThan(domain[1])
        expect(domain[0]).toBeLessThanOrEqual(Math.min(...list) + room)
        expect(domain[1]).toBeGreaterThanOrEqual(Math.max(...list) - room)
        expect(ticks.length).toBeLessThanOrEqual(count + 3)
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(domain[0] - room)
          expect(tick).toBeLessThanOrEqual(domain[1] + room)
          expect(format(tick)).not.toMatch(/NaN|∞/)
        }
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})
