/** The settings of optimizer and training that all recipes share, and what they mean. */
import { describe, expect, test } from 'vitest'
import { Linear } from '../../src/nn/index.ts'
import { Adam, AdamW, LAMB, LARS, SGD } from '../../src/optim/index.ts'
import { loopOptions, type OptimizerDefaults, optimizerSettings, trainSettings } from '../../src/tasks/settings.ts'
import { learningRate, makeOptimizer } from '../../src/tasks/training.ts'

const rates = (defaults: Omit<OptimizerDefaults, 'lr'>, steps: readonly number[], total = 100) => {
  const schedule = learningRate(optimizerSettings({ lr: 1, ...defaults }).parse({}), total)
  return steps.map((step) => Number(schedule(step).toFixed(4)))
}

describe('the learning rate', () => {
  test('falls along half a cosine, after no warm-up', () => expect(rates({}, [0, 50, 100])).toEqual([1, 0.5, 0]))
  test('rises in so many steps, or in a share of all', () => {
    expect(rates({ schedule: 'linear', warmup_steps: 20 }, [0, 10, 20, 60, 100])).toEqual([0, 0.5, 1, 0.5, 0])
    expect(rates({ schedule: 'linear', warmup_share: 0.2 }, [0, 10, 20, 60, 100])).toEqual([0, 0.5, 1, 0.5, 0])
    expect(rates({ schedule: 'constant', warmup_steps: 10, warmup_share: 0.5 }, [5, 10, 90])).toEqual([0.5, 1, 1])
  })
  test('falls as 1 / sqrt(step)', () =>
    expect(rates({ schedule: 'inverse_sqrt', warmup_steps: 25 }, [25, 100])).toEqual([1, 0.5]))
})

describe("mmcv's learning rates change between epochs", () => {
  const of = (defaults: Omit<OptimizerDefaults, 'lr'>, steps: readonly number[]): number[] => {
    const settings = optimizerSettings({ lr: 0.8, ...defaults }).parse({})
    const schedule = learningRate(settings, 12 * 10, { stepsPerEpoch: 10, epochs: 12 })
    return steps.map((step) => Number(schedule(step).toFixed(5)))
  }
  const cosine = (epoch: number): number => 0.4 * (1 + Math.cos((Math.PI * epoch) / 12))

  test('half a cosine; in the warm-up a share of what the epoch has', () => {
    const found = of({ schedule: 'epoch_cosine', warmup_steps: 20, warmup_ratio: 0.25 }, [0, 5, 15, 20, 29, 119])
    const wanted = [0.2, 0.8 * (1 - 0.75 * 0.75), cosine(1) * (1 - 0.25 * 0.75), cosine(2), cosine(2), cosine(11)]
    expect(found).toEqual(wanted.map((rate) => Number(rate.toFixed(5))))
  })

  test('a tenth after two thirds of the epochs, and again near the end', () =>
    expect(of({ schedule: 'epoch_steps' }, [0, 79, 80, 109, 110])).toEqual([0.8, 0.8, 0.08, 0.08, 0.008]))

  test('others may begin above 0, too', () =>
    expect(of({ schedule: 'constant', warmup_steps: 10, warmup_ratio: 0.5 }, [0, 5, 10])).toEqual([0.4, 0.6, 0.8]))
})

describe('the optimizer', () => {
  const optimizerOf = (defaults: Omit<OptimizerDefaults, 'lr'>) =>
    makeOptimizer(new Linear(2, 3).parameters(), optimizerSettings({ lr: 1, ...defaults }).parse({}), 10)

  test.each([
    ['adamw', AdamW],
    ['adam', Adam],
    ['sgd', SGD],
    ['lamb', LAMB],
    ['lars', LARS],
  ] as const)('%s', (name, kind) => expect(optimizerOf({ name })).toBeInstanceOf(kind))

  test('weight decay of all parameters, or of matrices only', () => {
    const decays = (defaults: Omit<OptimizerDefaults, 'lr'>) =>
      optimizerOf({ weight_decay: 0.1, ...defaults }).groups.map(({ parameters, settings }) => [
        parameters.map(({ shape }) => shape.length),
        'weightDecay' in settings ? settings.weightDecay : undefined,
      ])
    expect(decays({})).toEqual([[[2, 1], 0.1]])
    expect(decays({ decayed: 'matrices' })).toEqual([
      [[2], 0.1],
      [[1], 0],
    ])
  })

  test("lars decays vectors where all decay, and takes Nesterov's momentum", () => {
    const [all] = optimizerOf({ name: 'lars', nesterov: true }).groups
    expect(all?.settings).toMatchObject({ decayVectors: true, nesterov: true })
    const [matrices] = optimizerOf({ name: 'lars', decayed: 'matrices' }).groups
    expect(matrices?.settings).toMatchObject({ decayVectors: false, nesterov: false })
  })

  test('betas and eps', () => {
    const [group] = optimizerOf({ betas: [0.5, 0.9], eps: 1e-6 }).groups
    expect(group?.settings).toMatchObject({ betas: [0.5, 0.9], eps: 1e-6 })
  })
})

test('parameters may learn at a multiple of the rate, along the same schedule', () => {
  const model = new Linear(2, 3)
  const settings = optimizerSettings({ lr: 1, schedule: 'linear' }).parse({})
  const { groups } = makeOptimizer(model.parameters(), settings, 10, {
    scaleOf: ({ shape }) => (shape.length > 1 ? 0.1 : 1),
  })
  const rateOf = ({ settings: { lr } }: (typeof groups)[number]): number => (typeof lr === 'number' ? lr : lr(5))
  expect(groups.map((group) => [group.parameters.map(({ shape }) => shape.length), rateOf(group)])).toEqual([
    [[1], 0.5],
    [[2], 0.05],
  ])
})

test('the loop: whether the monitored metric is to rise is what its description says', () => {
  const settings = trainSettings({ epochs: 2, batch_size: 8, monitor: ['accuracy', 'loss'] })
  const metrics = { accuracy: { goal: 'max' }, loss: { goal: 'min' } } as const
  const usual = { epochs: 2, checkpointEvery: 100, keepCheckpoints: 2, monitor: { metric: 'accuracy', goal: 'max' } }
  expect(loopOptions(settings.parse({}), metrics)).toEqual(usual)
  const given = { evaluate_every: 5, patience: 3, monitor: 'loss' }
  expect(loopOptions(settings.parse(given), metrics)).toEqual({
    ...usual,
    evaluateEvery: 5,
    patience: 3,
    monitor: { metric: 'loss', goal: 'min' },
  })
  expect(() => settings.parse({ monitor: 'f1' })).toThrow()
})
