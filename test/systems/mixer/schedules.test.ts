import { expect, test } from 'vitest'
import { bigVisionSchedule } from '../../../src/systems/mixer/verify/schedules.ts'

const at = (settings: object, steps: readonly number[]): number[] =>
  steps.map(bigVisionSchedule({ total_steps: 100, ...settings }))

test('the decays of big_vision that the reference cases at hand do not have', () => {
  const polynomial = at({ decay_type: 'polynomial', end: 0.1, power: 2 }, [0, 50, 100])
  expect(polynomial.map((rate) => rate.toFixed(6))).toEqual(['1.000000', '0.325000', '0.100000'])
  const rsqrt = { decay_type: 'rsqrt', warmup_steps: 10, timescale: 30, shift: 0 }
  expect(at(rsqrt, [5, 10, 100])).toEqual([0.5, 1, 0.5])
  const stair = { decay_type: 'stair', steps: [20, 60], mults: [0.5, 0.1] }
  expect(at(stair, [0, 19, 20, 59, 60])).toEqual([1, 1, 0.5, 0.5, 0.1])
  expect(at({ decay_type: 'stair', cooldown_steps: 20 }, [80, 90, 100])).toEqual([1, 0.5, 0])
})
