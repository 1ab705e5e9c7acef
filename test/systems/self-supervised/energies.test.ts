import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { alignment, spreadOf, uniformity } from '../../../src/systems/self-supervised/collapse.ts'
import { PointNetwork } from '../../../src/systems/self-supervised/energies/energy.ts'
import { inferByGradient, langevin } from '../../../src/systems/self-supervised/energies/inference.ts'
import {
  DiscreteLatent,
  freeEnergy,
  posterior,
  SparseCoding,
  zeroTemperature,
} from '../../../src/systems/self-supervised/energies/latent.ts'
import { energyLosses } from '../../../src/systems/self-supervised/energies/losses.ts'
import { scoreOf } from '../../../src/systems/self-supervised/energies/score-matching.ts'
import { nearestNeighbours } from '../../../src/systems/self-supervised/evaluation/nearest-neighbours.ts'
import {
  byolLearningRate,
  maeLearningRate,
  redundancyLearningRate,
  targetEma,
  warmedCosine,
} from '../../../src/systems/self-supervised/schedules.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const normal = (seed: number, ...shape: number[]): Tensor =>
  constant(new Generator(seed).normal(elementCount(shape)), shape, 'float32')

/** The number in a tensor of one. */
const numberOf = async (x: Tensor): Promise<number> => (await x.numbers())[0] ?? Number.NaN

const options = { margin: 1, beta: 1, alpha_l2: 0.1 }

describe('losses of energies', () => {
  // Energies 0 of right answers and 2 of wrong ones, against flat energies of several heights.
  test.each(Object.entries(energyLosses))('a flat energy minimises %s or not, as it says', async (_name, entry) => {
    const at = (right: number, wrong: number): Promise<number> =>
      numberOf(entry.loss(ops.full([4], right), ops.full([4, 3], wrong), options))
    const flat = await Promise.all([0, 0.25, 0.5, 1, 2].map((height) => at(height, height)))
    expect((await at(0, 2)) < Math.min(...flat) - 1e-6).toBe(!entry.collapses)
  })

  test('the perceptron loss is 0 of a flat energy, the hinge is its margin', async () => {
    const [positive, negative] = [ops.ones([4]), ops.ones([4, 3])]
    expect(await numberOf(energyLosses.perceptron.loss(positive, negative))).toBe(0)
    expect(await numberOf(energyLosses.hinge.loss(positive, negative, options))).toBe(1)
  })
})

describe('inference', () => {
  const bowl = (y: Tensor): Tensor => ops.sum(ops.square(ops.sub(y, 2)), -1)

  test('by gradient finds the least energy', async () => {
    const run = compile((start: Tensor) => inferByGradient(bowl, start, { steps: 30, lr: 0.2 }))
    for (const value of await (await run(normal(1, 3, 2))).numbers()) expect(value).toBeCloseTo(2, 4)
    await run.release()
  })

  test('Langevin dynamics without noise goes down the same way', async () => {
    const run = compile((start: Tensor) => {
      const noise = Array.from({ length: 30 }, () => ops.zeros([3, 2]))
      return langevin(bowl, start, noise, { sgld_lr: 0.2, sgld_std: 0.1 }).at(-1) ?? start
    })
    for (const value of await (await run(normal(1, 3, 2))).numbers()) expect(value).toBeCloseTo(2, 4)
    await run.release()
  })

  test('the score points down the energy', async () => {
    manualSeed(1)
    const model = new PointNetwork([2, 4, 1], 'tanh')
    const run = compile((x: Tensor) => {
      const score = scoreOf((y) => model.energy(y))(x)
      return ops.sub(model.energy(ops.add(x, ops.mul(score, 1e-2))), model.energy(x))
    })
    for (const change of await (await run(normal(2, 5, 2))).numbers()) expect(change).toBeLessThan(0)
    await run.release()
  })
})

describe('latent variables', () => {
  test('the free energy lies above the minimum and tends to it', async () => {
    const energies = normal(3, 6, 4)
    const lowest = await zeroTemperature(energies).energy.numbers()
    const [warm, cold] = [await freeEnergy(energies, 1).numbers(), await freeEnergy(energies, 1000).numbers()]
    for (const [i, value] of lowest.entries()) {
      expect(warm[i]).toBeGreaterThan(value)
      expect(cold[i]).toBeCloseTo(value, 2)
    }
    const sums = await ops.sum(posterior(energies, 2), 1).numbers()
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5)
  })

  test('without x it is k-means: the energy is the squared distance to a mean', async () => {
    const model = new DiscreteLatent({ x_dim: 1, y_dim: 2, latents: 2 })
    model.W.set(new Float32Array(4))
    model.b.set(Float32Array.of(0, 0, 3, 4))
    const run = compile((x: Tensor, y: Tensor) => zeroTemperature(model.forward(x, y)))
    const { place, energy } = await run(normal(1, 2, 1), constant(Float32Array.of(3, 3, 0, 1), [2, 2], 'float32'))
    expect(await place.numbers()).toEqual([1, 0])
    expect(await energy.numbers()).toEqual([1, 1])
    await run.release()
  })

  test('codes are the sparser the larger lambda', async () => {
    const nonzero = async (lambda_l1: number): Promise<number> => {
      manualSeed(4)
      const config = { y_dim: 3, sparse_code_dim: 8, lambda_l1, ista_iterations: 50, ista_step: 0.02 }
      const model = new SparseCoding(config)
      const run = compile((y: Tensor) => ops.countNonzero(model.infer(y)))
      const count = await numberOf(await run(normal(5, 10, 3)))
      await run.release()
      return count
    }
    const [few, many] = [await nonzero(2), await nonzero(0.05)]
    expect(few).toBeLessThan(many)
  })
})

describe('collapse', () => {
  test('embeddings that are all equal', async () => {
    const equal = { dtype: 'float32', shape: [6, 4], data: new Float32Array(24).fill(0.5) } as const
    const spread = spreadOf(equal)
    expect(spread.mean_std).toBeCloseTo(0, 9)
    expect(spread.rankme).toBeCloseTo(1, 4)
    expect(spread.mean_cosine_offdiag).toBeCloseTo(1, 9)
    expect(spread.std_ref).toBe(0.5)
    const x = ops.normalize(constant(equal.data, equal.shape, 'float32'))
    expect(await numberOf(uniformity(x))).toBeCloseTo(0, 5)
    expect(await numberOf(alignment(x, x))).toBe(0)
  })

  test('embeddings in all directions', () => {
    const { array } = normal(6, 400, 4)
    const { mean_std, std_ref, rankme, participation_ratio } = spreadOf(array)
    expect(mean_std / std_ref).toBeCloseTo(1, 1)
    expect(rankme).toBeGreaterThan(3.9)
    expect(participation_ratio).toBeGreaterThan(3.8)
  })

  test('one embedding has no spread', () => {
    expect(() => spreadOf({ dtype: 'float32', shape: [1, 2], data: new Float32Array(2) })).toThrow(
      'spreadOf: there must be at least two embeddings, found 1',
    )
  })
})

describe('k nearest neighbours', () => {
  const features = (rows: number[][]) => ({
    dtype: 'float32' as const,
    shape: [rows.length, 2],
    data: Float32Array.from(rows.flat()),
  })
  const problem = {
    trainFeatures: features([
      [1, 0],
      [2, 0.1],
      [0, 1],
    ]),
    trainLabels: [0, 0, 2],
    testFeatures: features([
      [3, 0.2],
      [0.1, 5],
    ]),
    testLabels: [0, 1],
    classes: 3,
  }

  test('vote by cosine, whatever the lengths', async () => {
    const { predictions, top1, top5 } = await nearestNeighbours({ ...problem, k: 2 })
    expect(predictions).toEqual([0, 2])
    expect([top1, top5]).toEqual([0.5, 0.5])
  })

  test('more neighbours than there are is told', () =>
    expect(nearestNeighbours({ ...problem, k: 4 })).rejects.toThrow(
      'k-NN: k must be at most the 3 known pictures, found 4',
    ))
})

test('schedules begin and end as published', () => {
  const byol = byolLearningRate({ batch_size: 512, base_learning_rate: 0.3, total_steps: 100, warmup_steps: 10 })
  expect([byol(0), byol(10), byol(100)]).toEqual([0, 0.6, expect.closeTo(0, 9)])
  expect([targetEma(0.99, 50)(0), targetEma(0.99, 50)(50), targetEma(0.99, 50)(99)]).toEqual([0.99, 1, 1])
  const barlow = redundancyLearningRate({ lr: 0.2, batch_size: 256, epochs: 20, steps_per_epoch: 2 })
  expect([barlow(20), barlow(40)]).toEqual([0.2, expect.closeTo(0.0002, 9)])
  const dino = warmedCosine({ base_value: 1, final_value: 0, epochs: 4, niter_per_ep: 2, warmup_epochs: 1 })
  expect([dino.length, dino[0], dino[1], dino[2]]).toEqual([8, 0, 1, 1])
  expect(maeLearningRate({ lr: 1, min_lr: 0, warmup_epochs: 2, epochs: 4 })(3)).toBeCloseTo(0.5, 9)
  expect(() => warmedCosine({ base_value: 1, final_value: 0, epochs: 1, niter_per_ep: 2, warmup_epochs: 2 })).toThrow(
    'warmedCosine: the warm-up must not be longer than 1 epochs, found 2',
  )
})
