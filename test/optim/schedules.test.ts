/** What the reference tables do not show: edges, composition, and PyTorch's own step-by-step forms. */
import { describe, expect, test } from 'vitest'
import * as optim from '../../src/optim/index.ts'
import { UsageError } from '../../src/util/errors.ts'
import { untyped } from './support.ts'

const table = (schedule: optim.Schedule, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => schedule(i))

function expectTable(schedule: optim.Schedule, expected: readonly number[]): void {
  for (const [i, value] of expected.entries()) expect(schedule(i), `step ${i}`).toBeCloseTo(value, 12)
}

describe('PyTorch', () => {
  test("cosineAnnealingLR equals the recursion that PyTorch's scheduler steps, beyond tMax too", () => {
    const [lr, tMax, etaMin] = [0.3, 5, 0.1]
    const expected = [lr]
    for (let t = 1; t < 14; t++) {
      const previous = expected.at(-1) ?? lr
      if ((t - 1 - tMax) % (2 * tMax) === 0) {
        expected.push(previous + ((lr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2)
      } else {
        const ratio = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax))
        expected.push(ratio * (previous - etaMin) + etaMin)
      }
    }
    expectTable(optim.cosineAnnealingLR(lr, { tMax, etaMin }), expected)
  })

  test('oneCycleLR in three phases, in straight lines', () => {
    const schedule = optim.oneCycleLR({
      maxLr: 1,
      totalSteps: 11,
      pctStart: 0.5,
      divFactor: 4,
      finalDivFactor: 5,
      annealStrategy: 'linear',
      threePhase: true,
    })
    // Phases end at 4.5, 9 and 10; rates there 1, 0.25, 0.05.
    const up = (t: number): number => 0.25 + (0.75 * t) / 4.5
    const down = (t: number): number => 1 - (0.75 * (t - 4.5)) / 4.5
    expectTable(schedule, [...[0, 1, 2, 3, 4].map(up), ...[5, 6, 7, 8, 9].map(down), 0.05, 0.05])
  })

  test('cosineAnnealingWarmRestarts starts anew at 0, t0, t0 + t0 tMult, ...', () => {
    const schedule = optim.cosineAnnealingWarmRestarts(1, { t0: 2, tMult: 3, etaMin: 0.2 })
    expect([0, 2, 8, 26].map(schedule)).toEqual([1, 1, 1, 1])
    expect(schedule(5)).toBeCloseTo(0.6, 12)
  })

  test('sequentialLR begins each schedule anew at its milestone', () => {
    const schedule = optim.sequentialLR(
      [optim.constantLR(1, { factor: 0.1, totalIters: 2 }), optim.exponentialLR(1, { gamma: 0.5 })],
      [3],
    )
    expectTable(schedule, [0.1, 0.1, 1, 1, 0.5, 0.25])
  })

  test.each<[string, () => unknown]>([
    [
      'sequentialLR: there must be a milestone between each two schedules, found 0 schedules and 0 milestones',
      () => optim.sequentialLR([], []),
    ],
    [
      'sequentialLR: there must be a milestone between each two schedules, found 2 schedules and 2 milestones',
      () => optim.sequentialLR([() => 1, () => 2], [1, 2]),
    ],
    [
      'sequentialLR: milestones must not fall, found 5, 3',
      () => optim.sequentialLR([() => 1, () => 2, () => 3], [5, 3]),
    ],
    ['withWarmup: steps must be at least 0, found NaN', () => optim.withWarmup(1, Number.NaN)],
    ['constantLR: totalIters must be ', () => optim.constantLR(1, { totalIters: -1 })],
    ['linearLR: startFactor must be a finite number, found NaN', () => optim.linearLR(1, { startFactor: Number.NaN })],
  ])('%s', (message, call) => expect(call).toThrow(message))

  test('lengths of 0', () => {
    expect(table(optim.constantLR(1, { factor: 0.5, totalIters: 0 }), 2)).toEqual([0.5, 0.5])
    expect(table(optim.linearLR(1, { totalIters: 0 }), 2)).toEqual([1, 1])
    const linear = optim.linearScheduleWithWarmup(1, { numWarmupSteps: 0, numTrainingSteps: 2 })
    expect(table(linear, 4)).toEqual([1, 0.5, 0, 0])
    expect(table(optim.withWarmup(2, 0), 2)).toEqual([2, 2])
    const polynomial = optim.polynomialDecayScheduleWithWarmup(1, { numWarmupSteps: 2, numTrainingSteps: 2 })
    expect(table(polynomial, 4)).toEqual([0, 0.5, 1, 1e-7])
    expect(optim.oneCycleLR({ maxLr: 1, totalSteps: 10, pctStart: 0.1 })(0)).toBe(1)
  })
})

describe('composition', () => {
  const shifted = (t: number, warmup: number, total: number): number =>
    Math.min(1, Math.max(0, (t - warmup) / (total - warmup)))

  test('big_vision: linear to a share of the peak, with warm-up from 0', () => {
    const [lr, warmup, total, end] = [1e-3, 4, 12, 1e-5]
    const decay = optim.linearLR(lr, { startFactor: 1, endFactor: end, totalIters: total - warmup })
    const schedule = optim.withWarmup(optim.sequentialLR([() => lr, decay], [warmup]), warmup)
    const rate = (t: number): number =>
      lr * (end + (1 - end) * (1 - shifted(t, warmup, total))) * Math.min(1, t / warmup)
    expectTable(schedule, table(rate, 15))
  })

  test('vit_jax: cosine with warm-up from 0', () => {
    const [lr, warmup, total] = [0.03, 3, 10]
    const cosine = optim.cosineAnnealingLR(lr, { tMax: total - warmup })
    const schedule = optim.withWarmup(optim.sequentialLR([() => lr, cosine], [warmup]), warmup)
    const rate = (t: number): number =>
      0.5 * lr * (1 + Math.cos(Math.PI * shifted(t, warmup, total))) * Math.min(1, t / warmup)
    expectTable(schedule, table(rate, 11))
  })
})

describe('transformers', () => {
  test('inverseSqrtSchedule without warm-up uses 10000 as its timescale', () => {
    const schedule = optim.inverseSqrtSchedule(1, { numWarmupSteps: 0 })
    expect(schedule(0)).toBe(1)
    expect(schedule(30_000)).toBeCloseTo(0.5, 12)
  })

  test('polynomialDecayScheduleWithWarmup ends at lrEnd, which must be lower', () => {
    const options = { numWarmupSteps: 1, numTrainingSteps: 5, lrEnd: 0.2 }
    expectTable(optim.polynomialDecayScheduleWithWarmup(1, options), [0, 1, 0.8, 0.6, 0.4, 0.2, 0.2])
    expect(() => optim.polynomialDecayScheduleWithWarmup(0.1, options)).toThrow(
      expect.objectContaining({
        message: 'polynomialDecayScheduleWithWarmup: lrEnd must be below lr, found 0.2, lr 0.1',
      }),
    )
  })

  test('hard restarts stay at 0 after the end', () => {
    const options = { numWarmupSteps: 0, numTrainingSteps: 4, numCycles: 2 }
    expectTable(optim.cosineWithHardRestartsScheduleWithWarmup(1, options), [1, 0.5, 1, 0.5, 0, 0])
  })
})

const lengths = { numWarmupSteps: 1, numTrainingSteps: 5 }

test.each([
  ['stepLR: stepSize must be a whole number of at least 1, found 0', () => optim.stepLR(1, { stepSize: 0 })],
  [
    'polynomialLR: totalIters must be a whole number of at least 1, found 0',
    () => optim.polynomialLR(1, { totalIters: 0 }),
  ],
  ['cosineAnnealingLR: tMax must be above 0, found 0', () => optim.cosineAnnealingLR(1, { tMax: 0 })],
  [
    'oneCycleLR: pctStart must be from 0 to 1, found 2',
    () => optim.oneCycleLR({ maxLr: 1, totalSteps: 5, pctStart: 2 }),
  ],
  ['cosineAnnealingWarmRestarts: t0 must be above 0, found 0', () => optim.cosineAnnealingWarmRestarts(1, { t0: 0 })],
  [
    'cosineAnnealingWarmRestarts: tMult must be at least 1, found 0.5',
    () => optim.cosineAnnealingWarmRestarts(1, { t0: 2, tMult: 0.5 }),
  ],
  ['polynomialLR: power must be at least 0, found -1', () => optim.polynomialLR(1, { power: -1 })],
  ['stepLR: lr must be a finite number, found NaN', () => optim.stepLR(Number.NaN, { stepSize: 2 })],
  [
    'multiStepLR: a milestone must be a finite number, found "2"',
    () => optim.multiStepLR(1, { milestones: untyped(['2']) }),
  ],
  [
    'cosineAnnealingLR: etaMin must be a finite number, found "0.1"',
    () => optim.cosineAnnealingLR(1, { tMax: 2, etaMin: untyped('0.1') }),
  ],
  ['oneCycleLR: options must be an object, found undefined', () => optim.oneCycleLR(untyped(undefined))],
  ['oneCycleLR: maxLr must be a finite number, found undefined', () => optim.oneCycleLR(untyped({ totalSteps: 5 }))],
  ['oneCycleLR: divFactor must be above 0, found 0', () => optim.oneCycleLR({ maxLr: 1, totalSteps: 5, divFactor: 0 })],
  [
    'constantScheduleWithWarmup: numWarmupSteps must be at least 0, found -2',
    () => optim.constantScheduleWithWarmup(1, { numWarmupSteps: -2 }),
  ],
  [
    'cosineScheduleWithWarmup: numCycles must be a finite number, found "x"',
    () => optim.cosineScheduleWithWarmup(1, { ...lengths, numCycles: untyped('x') }),
  ],
  [
    'inverseSqrtSchedule: timescale must be above 0, found 0',
    () => optim.inverseSqrtSchedule(1, { numWarmupSteps: 1, timescale: 0 }),
  ],
])('%s', (message, make) => {
  expect(make).toThrow(new UsageError(message))
})

test.each<[string, (options: object) => unknown, object]>([
  ['constantLR', (options) => optim.constantLR(1, options), {}],
  ['linearLR', (options) => optim.linearLR(1, options), {}],
  ['polynomialLR', (options) => optim.polynomialLR(1, options), {}],
  ['stepLR', (options) => optim.stepLR(1, untyped(options)), { stepSize: 2 }],
  ['multiStepLR', (options) => optim.multiStepLR(1, untyped(options)), { milestones: [2] }],
  ['exponentialLR', (options) => optim.exponentialLR(1, untyped(options)), { gamma: 0.5 }],
  ['cosineAnnealingLR', (options) => optim.cosineAnnealingLR(1, untyped(options)), { tMax: 2 }],
  ['cosineAnnealingWarmRestarts', (options) => optim.cosineAnnealingWarmRestarts(1, untyped(options)), { t0: 2 }],
  ['oneCycleLR', (options) => optim.oneCycleLR(untyped(options)), { maxLr: 1, totalSteps: 5 }],
  ['constantScheduleWithWarmup', (o) => optim.constantScheduleWithWarmup(1, untyped(o)), { numWarmupSteps: 1 }],
  ['linearScheduleWithWarmup', (options) => optim.linearScheduleWithWarmup(1, untyped(options)), lengths],
  ['cosineScheduleWithWarmup', (options) => optim.cosineScheduleWithWarmup(1, untyped(options)), lengths],
  [
    'cosineWithHardRestartsScheduleWithWarmup',
    (options) => optim.cosineWithHardRestartsScheduleWithWarmup(1, untyped(options)),
    lengths,
  ],
  ['inverseSqrtSchedule', (options) => optim.inverseSqrtSchedule(1, untyped(options)), { numWarmupSteps: 1 }],
  ['polynomialDecayScheduleWithWarmup', (o) => optim.polynomialDecayScheduleWithWarmup(1, untyped(o)), lengths],
])('%s refuses options that it does not have', (owner, make, required) => {
  expect(() => make({ ...required, unknown: 1 })).toThrow(
    expect.objectContaining({ message: `${owner}: there is no option "unknown"` }),
  )
  expect(() => make({ ...required, eta_min: 1 })).toThrow(`${owner}: there is no option "eta_min"`)
})
