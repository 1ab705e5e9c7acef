import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { arrayDataset, type BatchTensors } from '../../src/data/dataset.ts'
import { type BatchSource, DataLoader, type SourceState } from '../../src/data/loader.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { type LoopOptions, type TrainingTask, train } from '../../src/train/loop.ts'
import { MemoryStore } from '../../src/train/memory-store.ts'
import { checkpointVariables } from '../../src/train/store.ts'

function makeTask(): TrainingTask<'x'> {
  manualSeed(1)
  const layer = new Linear(3, 1)
  const optimizer = new SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 })
  const x = Float32Array.from({ length: 24 * 3 }, (_, i) => Math.sin(i * i))
  const data = arrayDataset({ x: { dtype: 'float32', shape: [24, 3], data: x } })
  const step = compile(({ x: input }: BatchTensors<'x'>) => {
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

/** Windows of an endless series in order: its state is where the series stands, not a number of examples. */
class Stream implements BatchSource<'x'> {
  readonly stepsPerEpoch = 6
  #state = { epoch: 0, step: 0, phase: 0.25 }

  state(): SourceState {
    return this.#state
  }

  restore(state: SourceState): void {
    this.#state = { epoch: state.epoch, step: Number(state.step), phase: Number(state.phase) }
  }

  async *[Symbol.asyncIterator]() {
    const { epoch } = this.#state
    while (this.#state.epoch === epoch) {
      const { step, phase } = this.#state
      const x = Float32Array.from({ length: 3 }, (_, i) => Math.sin(phase + i))
      const ends = step + 1 === this.stepsPerEpoch
      this.#state = { epoch: ends ? epoch + 1 : epoch, step: ends ? 0 : step + 1, phase: (phase * 1.7 + 0.3) % 7 }
      yield { x: { dtype: 'float32', shape: [1, 3], data: x } as const }
    }
  }
}

/** Predicts from the window and a memory of what came before, which evaluation uses too. */
function makeStreamTask(): TrainingTask<'x'> {
  manualSeed(1)
  const layer = new Linear(6, 3)
  const memory = new Variable([1, 3], { name: 'memory', trainable: false })
  const optimizer = new SGD(layer.parameters(), { lr: 0.1 })
  const forward = (x: Tensor) => {
    const y = layer.forward(ops.concat([x, memory.value], -1))
    memory.assign(ops.tanh(y))
    return ops.mean(ops.square(ops.sub(y, x)))
  }
  const step = compile(({ x }: BatchTensors<'x'>) => {
    const loss = forward(x)
    optimizer.minimize(loss)
    return { loss }
  })
  const look = compile((x: Tensor) => forward(x))
  const evaluate = async () => {
    memory.set([0, 0, 0])
    await look(tensor([[1, 2, 3]]))
    return { bias: (await look(tensor([[3, 2, 1]]))).item() }
  }
  const variables = checkpointVariables({ model: layer.variables(), stream: [['memory', memory]] })
  return { variables, memory: [memory], loader: new Stream(), step, evaluate }
}

test('a stream with memory goes on bit for bit, and evaluation leaves its memory alone', async () => {
  const [straight, broken, unwatched] = [new MemoryStore(), new MemoryStore(), new MemoryStore()]
  const often = { ...options, evaluateEvery: 1 }
  const whole = await train(makeStreamTask(), straight, often)
  await train(makeStreamTask(), broken, { ...often, steps: 5 })
  expect(broken.newest?.state.loader).toMatchObject({ epoch: 0, step: 5 })
  const rest = await train(makeStreamTask(), broken, often)
  expect([rest.step, rest.metrics]).toEqual([12, whole.metrics])
  expect(broken.newest?.tensors).toEqual(straight.newest?.tensors)
  await train(makeStreamTask(), unwatched, options)
  expect(unwatched.newest?.tensors).toEqual(straight.newest?.tensors)
})
