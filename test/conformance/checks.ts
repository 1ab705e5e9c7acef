/**
 * What every runtime must do: run in Node by test/runtime/conformance.test.ts, in Chromium by test/chromium. A check throws if something
 * is wrong, and gives numbers that must be the same everywhere.
 */
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { exportOnnx } from '../../src/compile/export.ts'
import { arrayDataset, type BatchTensors } from '../../src/data/dataset.ts'
import { DataLoader } from '../../src/data/loader.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { importOnnx } from '../../src/models/index.ts'
import { BatchNorm1d, Dropout, GELU, Linear, Sequential } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import * as optim from '../../src/optim/index.ts'
import { elementCount } from '../../src/tensor/dtype.ts'
import { manualSeed, randomState } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { fetchVariables, Variable } from '../../src/tensor/variable.ts'
import { type TrainingTask, train } from '../../src/train/loop.ts'
import { MemoryStore } from '../../src/train/memory-store.ts'
import { checkpointVariables } from '../../src/train/store.ts'
import { close, equal, toldBy } from './assert.ts'
import type { Check } from './check.ts'
import { kernelChecks } from './kernels.ts'

const points = tensor(Array.from({ length: 12 }, (_, i) => [Math.sin(3 * i), Math.cos(7 * i)]))
const labels = tensor(
  Array.from({ length: 12 }, (_, i) => i % 3),
  'int32',
)

function newModel(): Sequential {
  manualSeed(1)
  return new Sequential(new Linear(2, 8), new GELU(), new Linear(8, 3))
}

/** A training step of a classifier. */
function stepOf(model: { forward(x: Tensor): Tensor }, optimizer: Pick<optim.Optimizer, 'minimize'>) {
  return compile((x: Tensor, y: Tensor) => {
    const loss = ops.crossEntropy(model.forward(x), y)
    optimizer.minimize(loss)
    return loss
  })
}

async function losses(step: ReturnType<typeof stepOf>, count: number): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < count; i++) found.push((await step(points, labels)).item())
  return found
}

type Parameters = ConstructorParameters<typeof optim.Adam>[0]

const optimizers: Readonly<
  Record<string, (parameters: Parameters) => Pick<optim.Optimizer, 'minimize' | 'variables'>>
> = {
  SGD: (parameters) => new optim.SGD(parameters, { lr: 0.1, momentum: 0.9, nesterov: true }),
  Adam: (parameters) => new optim.Adam(parameters, { lr: 0.05 }),
  'AdamW with a schedule': (parameters) => new optim.AdamW(parameters, { lr: (step) => 0.05 / (1 + step) }),
  Adagrad: (parameters) => new optim.Adagrad(parameters, { lr: 0.1 }),
  RMSprop: (parameters) => new optim.RMSprop(parameters, { lr: 0.02 }),
  LAMB: (parameters) => new optim.LAMB(parameters, { lr: 0.05 }),
  LARS: (parameters) => new optim.LARS(parameters, { lr: 0.5, momentum: 0.9 }),
}

/** A training with dropout, batch norm and an optimizer's state: all that a checkpoint has to hold. */
function newTask(): TrainingTask {
  manualSeed(2)
  const model = new Sequential(new Linear(2, 8), new BatchNorm1d(8), new GELU(), new Dropout(0.2), new Linear(8, 3))
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 })
  const data = arrayDataset({ x: points.array, label: labels.array })
  const step = compile(({ x, label }: BatchTensors<'x' | 'label'>) => {
    const loss = ops.crossEntropy(model.forward(x), label)
    optimizer.minimize(loss)
    return { loss }
  })
  return {
    variables: checkpointVariables({
      model: model.variables(),
      optimizer: optimizer.variables(),
      random: randomState().variables,
    }),
    loader: new DataLoader(data, { batchSize: 4, shuffle: true, seed: 3 }),
    step: step as unknown as TrainingTask['step'],
    evaluate: async () => ({ loss: 0 }),
  }
}

async function trainFor(steps: number, store: MemoryStore): Promise<number[]> {
  const monitor = { metric: 'loss', goal: 'min' } as const
  await train(newTask(), store, { epochs: 9, steps, checkpointEvery: 2, keepCheckpoints: 1, monitor })
  return store.lines.flatMap(({ type, loss }) => (type === 'step' ? [Number(loss)] : []))
}

export const checks: readonly Check[] = [
  {
    name: 'a compiled function gives its results, again at other shapes',
    run: async () => {
      const run = compile((x: Tensor, scale: number) => ({
        y: ops.mul(ops.matmul(x, ops.transpose(x)), scale),
        sum: ops.sum(x),
      }))
      const { y, sum } = await run(
        tensor([
          [1, 2],
          [3, 4],
        ]),
        2,
      )
      equal([...(await y.numbers()), sum.item()], [10, 22, 22, 50, 10])
      equal(await (await run(tensor([[1, 2, 3]]), 1)).y.numbers(), [14])
      await run.release()
      return []
    },
  },
  {
    name: 'one program for all sizes of an axis',
    run: async () => {
      const run = compile((x: Tensor) => ops.cumsum(x, 0), { dynamic: [{ 0: 'length' }] })
      equal(await (await run(tensor([1, 2]))).numbers(), [1, 3])
      equal(await (await run(tensor([1, 2, 3, 4]))).numbers(), [1, 3, 6, 10])
      equal(run.traces.length, 1)
      return []
    },
  },
  {
    name: 'integers, booleans and large whole numbers come back as they are',
    run: async () => {
      const run = compile((x: Tensor) => ({ next: ops.add(x, 1), even: ops.equal(ops.remainder(x, 2), 0) }))
      const { next, even } = await run(tensor([1, 2 ** 40], 'int64'))
      equal([next.dtype, even.dtype], ['int64', 'bool'])
      equal([...(await next.numbers()), ...(await even.numbers())], [2, 2 ** 40 + 1, 0, 1])
      return []
    },
  },
  {
    name: 'a tensor has its numbers without compile',
    run: async () => ops.softmax(ops.add(tensor([1, 2]), 1)).numbers(),
  },
  {
    name: 'gradients of gradients',
    run: async () => {
      const curvature = compile((x: Tensor) => {
        const [slope] = gradient(ops.sum(ops.pow(x, 3)), [x])
        const [second] = gradient(ops.sum(slope as Tensor), [x])
        return second as Tensor
      })
      const found = await (await curvature(tensor([1, 2, 3]))).numbers()
      close(found, [6, 12, 18])
      return found
    },
  },
  {
    name: 'convolutions with many channels, and their gradients',
    run: async () => {
      const waves = (shape: readonly number[], step: number): Tensor =>
        tensor({
          dtype: 'float32',
          shape,
          data: Float32Array.from({ length: elementCount(shape) }, (_, i) => 0.1 * Math.sin(step * i)),
        })
      const run = compile((x: Tensor, weight: Tensor) => {
        const y = ops.conv2d(x, weight, undefined, { padding: 1 })
        return [y, ...gradient(ops.mean(ops.mul(y, ops.sin(y))), [x, weight])]
      })
      const found = await run(waves([2, 96, 12, 12], 0.7), waves([96, 96, 3, 3], 1.3))
      const numbers = await Promise.all(found.map((each) => each.numbers()))
      return numbers.flatMap((each) => each.filter((_, i) => i % 997 === 0))
    },
  },
  {
    name: 'variables keep what calls assign, and take what is set',
    run: async () => {
      const x = new Variable([2], { name: 'x' })
      const count = new Variable([], { dtype: 'int64', name: 'count' })
      const add = compile((y: Tensor) => {
        x.assign(ops.add(x, y))
        count.assign(ops.add(count, 1))
        return x.value
      })
      await add(tensor([1, 2]))
      equal(await (await add(tensor([1, 2]))).numbers(), [2, 4])
      equal([...(await x.fetch())], [2, 4])
      equal(Number((await count.fetch())[0]), 2)
      x.set([5, 5])
      equal(await (await add(tensor([1, 1]))).numbers(), [6, 6])
      equal(await x.value.numbers(), [6, 6])
      // Another program over the same variables, and the first one again.
      const double = compile(() => x.assign(ops.mul(x, 2)))
      await double()
      await add(tensor([0, 1]))
      equal([...(await x.fetch())], [12, 13])
      // What the program computed outlives it.
      await double()
      await double.release()
      equal([...(await x.fetch())], [24, 26])
      return []
    },
  },
  ...Object.entries(optimizers).map(
    ([name, make]): Check => ({
      name: `${name} learns`,
      run: async () => {
        const model = newModel()
        const found = await losses(stepOf(model, make(model.parameters())), 4)
        if (!((found[3] ?? Number.NaN) < (found[0] ?? 0))) throw new Error(`losses ${found.join(', ')}`)
        return found
      },
    }),
  ),
  {
    name: 'undo takes the last call back, exactly, and no more than that',
    run: async () => {
      const model = newModel()
      const step = stepOf(model, new optim.AdamW(model.parameters(), { lr: 0.05 }))
      equal(await toldBy(() => step.undo()), 'UsageError: undo: the function was not called yet')
      const [, , third] = await losses(step, 3)
      step.undo()
      equal((await step(points, labels)).item(), third)
      step.undo()
      equal(await toldBy(() => step.undo()), 'UsageError: undo: the last call was taken back already')
      equal((await step(points, labels)).item(), third)
      return [third ?? 0]
    },
  },
  {
    name: 'saved and loaded, training goes on as it would have',
    run: async () => {
      const save = async (): Promise<[Uint8Array, Uint8Array, number[]]> => {
        const model = newModel()
        const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 })
        const step = stepOf(model, optimizer)
        await losses(step, 2)
        await fetchVariables([...model.variables(), ...optimizer.variables()])
        const files = [writeSafetensors(model.stateDict()), writeSafetensors(optimizer.stateDict())] as const
        return [...files, await losses(step, 2)]
      }
      const [weights, state, expected] = await save()
      const model = newModel()
      const optimizer = new optim.AdamW(model.parameters(), { lr: 0.05 })
      model.loadStateDict(readSafetensors(weights).tensors)
      optimizer.loadStateDict(readSafetensors(state).tensors)
      equal(await losses(stepOf(model, optimizer), 2), expected)
      return expected
    },
  },
  {
    name: 'a training that was interrupted resumes exactly',
    run: async () => {
      const whole = await trainFor(6, new MemoryStore())
      const store = new MemoryStore()
      await trainFor(4, store)
      equal(await trainFor(6, store), whole)
      return whole
    },
  },
  {
    name: 'an exported model computes the same, at another batch size',
    run: async () => {
      const model = newModel()
      await losses(stepOf(model, new optim.SGD(model.parameters(), { lr: 0.1 })), 1)
      const bytes = await exportOnnx({
        inputs: { x: { dtype: 'float32', shape: [1, 2] } },
        forward: ({ x }) => ({ logits: model.forward(x) }),
      })
      const here = await (await compile((x: Tensor) => model.forward(x))(points)).numbers()
      const imported = importOnnx(bytes)
      const there = compile((x: Tensor) => Object.values(imported.forward({ x }))[0] as Tensor)
      close(await (await there(points)).numbers(), here)
      return here
    },
  },
  {
    name: 'stored weights stay as they were when the program was made',
    run: async () => {
      const x = new Variable([1], { data: Float32Array.of(3), name: 'x' })
      const frozen = compile((y: Tensor) => ops.mul(x, y), { frozen: true })
      equal((await frozen(tensor([2]))).item(), 6)
      x.set([5])
      equal((await frozen(tensor([2]))).item(), 6)
      return []
    },
  },
  {
    name: 'calls that are not awaited run in their order',
    run: async () => {
      const x = new Variable([1], { name: 'x' })
      const add = compile((y: Tensor) => {
        x.assign(ops.add(ops.mul(x, 2), y))
        return x.value
      })
      const read = compile(() => ops.mul(x, 1))
      const found = await Promise.all([
        ...[1, 2, 3].map((y) => add(tensor([y]))),
        read(),
        add(tensor([0])),
        ops.add(x, 0.5).numbers(),
      ])
      equal(
        found.map((each) => (Array.isArray(each) ? each[0] : each.item())),
        [1, 4, 11, 11, 22, 22.5],
      )
      return []
    },
  },
  {
    name: 'equal seeds draw equal numbers',
    run: async () => {
      const draw = compile(() => ops.concat([ops.randomNormal([3]), ops.randomUniform([3])], 0))
      manualSeed(7)
      const first = await (await draw()).numbers()
      equal((await (await draw()).numbers()) === first, false)
      manualSeed(7)
      equal(await (await draw()).numbers(), first)
      return first
    },
  },
  {
    name: 'errors name the op, and change nothing',
    notOnGpu: 'its kernels do not look whether an index is a place',
    run: async () => {
      const table = new Variable([3, 2], { data: Float32Array.of(1, 2, 3, 4, 5, 6), name: 'table' })
      const look = compile((index: Tensor) => {
        // Computed in the graph: nobody knows it before the run.
        const rows = ops.indexSelect(table, ops.add(index, 0), 0)
        table.assign(ops.mul(table, 2))
        return rows
      })
      const message = await toldBy(() => look(tensor([7], 'int64')))
      if (!/indexSelect/.test(message) || !/7/.test(message)) throw new Error(message)
      equal([...(await table.fetch())], [1, 2, 3, 4, 5, 6])
      equal(await (await look(tensor([1], 'int64'))).numbers(), [3, 4])
      return []
    },
  },
  {
    name: 'mistakes are told before anything runs',
    run: async () => {
      const product = compile((x: Tensor, y: Tensor) => ops.matmul(x, y), { maxTraces: 1 })
      equal(
        await toldBy(() => product(tensor([[1, 2]]), tensor([[1, 2]]))),
        'ShapeError: matmul: inner sizes differ: a [1, 2] has 2 on axis -1, b [1, 2] has 1 on axis -2',
      )
      await product(tensor([[1, 2]]), tensor([[1], [2]]))
      const message = await toldBy(() => product(tensor([[1, 2, 3]]), tensor([[1], [2], [3]])))
      if (!message.startsWith('UsageError: compile: the function was traced 1 times, the limit'))
        throw new Error(message)
      return []
    },
  },
  {
    name: 'the op that makes NaN is found',
    run: async () => {
      const makers = {
        log: (x: Tensor) => ops.log(ops.sub(x, 1)),
        pow: (x: Tensor) => ops.pow(ops.sub(x, 1), 2.5),
        sqrt: (x: Tensor) => ops.sqrt(ops.sub(x, 1)),
        div: (x: Tensor) => ops.div(x, ops.sub(x, 0.5)),
      }
      for (const [name, make] of Object.entries(makers)) {
        const run = compile((x: Tensor) => ops.sum(ops.relu(make(x))))
        const found = await run.findNotFinite(tensor([0.5, 2]))
        if (!found?.startsWith(`${name}(`)) throw new Error(`${name}: ${found ?? 'nothing'}`)
        equal(await run.findNotFinite(tensor([3, 2])), undefined)
      }
      return []
    },
  },
  ...kernelChecks,
]
