import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { arrayDataset } from '../../src/data/dataset.ts'
import { DataLoader } from '../../src/data/loader.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { SGD } from '../../src/optim/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { type LoopOptions, type TrainingTask, train } from '../../src/train/loop.ts'
import { type Checkpoint, checkpointVariables, type MetricsLine, type TrainingStore } from '../../src/train/store.ts'

/** A store without files, as a page may have one. */
class MemoryStore implements TrainingStore {
  readonly lines: MetricsLine[] = []
  newest: Checkpoint | undefined
  best: Checkpoint | undefined

  async recover(): Promise<Checkpoint | undefined> {
    return this.newest
  }

  async saveCheckpoint(...[variables, state, { best = false }]: Parameters<TrainingStore['saveCheckpoint']>) {
    const copies = [...variables].map(([name, { dtype, shape, data }]): [string, NDArray] => [
      name,
      { dtype, shape, data: data.slice() },
    ])
    this.newest = { path: `step ${state.step}`, tensors: new Map(copies), state }
    if (best) this.best = this.newest
    return this.newest.path
  }

  async markBest(checkpoint: Checkpoint): Promise<void> {
    this.best = checkpoint
  }

  async append(lines: readonly MetricsLine[]): Promise<void> {
    this.lines.push(...lines)
  }

  async readMetrics(): Promise<MetricsLine[]> {
    return [...this.lines]
  }

  async truncateMetrics(step: number): Promise<void> {
    this.lines.splice(0, this.lines.length, ...this.lines.filter((line) => line.step <= step))
  }

  isExtendedAt(): boolean {
    return false
  }
}

function makeTask(): TrainingTask {
  manualSeed(1)
  const layer = new Linear(3, 1)
  const optimizer = new SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 })
  const x = Float32Array.from({ length: 24 * 3 }, (_, i) => Math.sin(i * i))
  const data = arrayDataset({ x: { dtype: 'float32', shape: [24, 3], data: x } })
  const step = compile((batch: Record<string, Tensor>) => {
    const input = batch.x as Tensor
    const loss = ops.mean(ops.square(ops.sub(layer.forward(input), ops.sum(input, -1, { keepDims: true }))))
    optimizer.minimize(loss)
    return { loss }
  })
  const variables = checkpointVariables({ model: layer.variables(), optimizer: optimizer.variables() })
  const loader = new DataLoader(data, { batchSize: 4, shuffle: true, seed: 2 })
  return { variables, loader, step, evaluate: async () => ({ bias: Number(layer.bias?.data[0]) }) }
}

const options: LoopOptions = {
  epochs: 2,
  checkpointEvery: 2,
  keepCheckpoints: 1,
  monitor: { metric: 'bias', goal: 'max' },
}

test('a training that was broken off goes on bit for bit, from any store', async () => {
  const [straight, broken] = [new MemoryStore(), new MemoryStore()]
  const whole = await train(makeTask(), straight, options)
  await train(makeTask(), broken, { ...options, steps: 5 })
  expect(broken.newest?.state.step).toBe(5)
  const rest = await train(makeTask(), broken, options)
  expect([rest.step, rest.metrics]).toEqual([12, whole.metrics])
  expect(broken.newest?.tensors).toEqual(straight.newest?.tensors)
  const steps = ({ lines }: MemoryStore) => lines.filter(({ type }) => type === 'step')
  expect(steps(broken)).toEqual(steps(straight))
})
