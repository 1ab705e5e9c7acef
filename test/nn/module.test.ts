import { beforeEach, describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import {
  BatchNorm1d,
  BatchNorm2d,
  Dropout,
  freeze,
  init,
  Linear,
  Module,
  Sequential,
  unfreeze,
} from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { type NDArray, toNumbers } from '../../src/tensor/dtype.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

class Block extends Module {
  readonly fc1: Linear
  readonly scale: Variable
  constructor(width: number) {
    super()
    this.fc1 = new Linear(width, width, { bias: false })
    this.scale = init.parameter([width], init.ones)
  }
  forward(x: Tensor): Tensor {
    return ops.mul(this.fc1.forward(x), this.scale)
  }
}

class Model extends Module {
  readonly sizes = { width: 2, list: [1, 2] }
  readonly blocks: readonly Block[]
  readonly heads: Readonly<Record<string, Linear>>
  readonly tied: Variable
  readonly counter = new Variable([], { dtype: 'int64' })
  readonly cache = new Variable([2], { persistent: false })
  readonly nothing: Linear | undefined
  constructor() {
    super()
    this.blocks = [new Block(2), new Block(2)]
    this.heads = { mean: new Linear(2, 1) }
    this.tied = this.blocks[0]?.fc1.weight ?? this.counter
  }
  forward(x: Tensor): Tensor {
    return this.blocks.reduce((y, block) => block.forward(y), x)
  }
}

beforeEach(() => manualSeed(1))

describe('names', () => {
  test('are property paths, also through arrays and records; a shared parameter is listed once', () => {
    const model = new Model()
    const names = [
      'tied',
      'blocks.0.scale',
      'blocks.1.scale',
      'blocks.1.fc1.weight',
      'heads.mean.weight',
      'heads.mean.bias',
    ]
    expect([...model.namedParameters().keys()]).toEqual(names)
    expect([...model.namedBuffers().keys()]).toEqual(['counter', 'cache'])
    expect([...model.variables().keys()]).toEqual(['tied', 'counter', ...names.slice(1)])
    expect([...model.namedModules().keys()]).toEqual([
      '',
      'blocks.0',
      'blocks.0.fc1',
      'blocks.1',
      'blocks.1.fc1',
      'heads.mean',
    ])
  })

  test('of variables are their longest path, whoever is asked first', () => {
    const model = new Model()
    const block = model.blocks[1] as Block
    block.parameters()
    expect(block.fc1.weight.name).toBe('fc1.weight')
    model.parameters()
    block.parameters()
    expect(block.fc1.weight.name).toBe('blocks.1.fc1.weight')
  })

  test('a module that refers back to its owner is no endless walk', () => {
    class Child extends Module {
      owner: Module | undefined
      forward(x: Tensor): Tensor {
        return x
      }
    }
    class Owner extends Module {
      readonly child = new Child()
      forward(x: Tensor): Tensor {
        return x
      }
    }
    const owner = new Owner()
    owner.child.owner = owner
    expect([...owner.namedModules().keys()]).toEqual(['', 'child'])
  })
})

test('an error inside a forward names the module', () => {
  expect(() => new Model().forward(tensor([[1, 2, 3]]))).toThrow(/in Model\.blocks\.0\.fc1 \(module\.test\.ts:\d+\)/)
})

describe('the mode', () => {
  test('is set in all modules, and a compiled function is traced again', async () => {
    const dropout = new Dropout(1)
    const run = compile((x: Tensor) => dropout.forward(x))
    const x = tensor([1, 2]).array
    expect(toNumbers((await run(x)).array.data)).toEqual([0, 0])
    dropout.eval()
    expect(toNumbers((await run(x)).array.data)).toEqual([1, 2])
    dropout.train()
    expect(toNumbers((await run(x)).array.data)).toEqual([0, 0])
    expect(run.traces).toHaveLength(2)
    await run.release()
    const model = new Model().eval()
    expect(model.modules().map((module) => module.training)).toEqual([false, false, false, false, false, false])
  })

  test('of each module comes back after an evaluation, also after one that fails', async () => {
    const model = new Model()
    const [, own] = model.modules()
    own?.eval()
    const modes = () => model.modules().map((module) => module.training)
    const before = modes()
    expect(new Set(before).size).toBe(2)
    expect(await model.inEvalMode(async () => modes().includes(true))).toBe(false)
    expect(modes()).toEqual(before)
    await expect(model.inEvalMode(() => Promise.reject(new Error('stop')))).rejects.toThrow('stop')
    expect(modes()).toEqual(before)
  })

  test('is evaluation for good where it is held', () => {
    const model = new Model()
    const [, held] = model.modules()
    held?.holdEval()
    model.train()
    const inside = new Set(held?.modules())
    expect(inside.size).toBeGreaterThan(0)
    for (const module of model.modules()) expect(module.training).toBe(!inside.has(module))
  })
})

test('frozen parameters are not trained, but saved', () => {
  const model = new Model()
  freeze(model, (name) => name.startsWith('blocks'))
  expect([...model.namedParameters().keys()]).toEqual(['tied', 'heads.mean.weight', 'heads.mean.bias'])
  expect(model.stateDict().has('blocks.1.scale')).toBe(true)
  freeze(model)
  expect(model.parameters()).toEqual([])
  unfreeze(model, (name) => name.endsWith('bias'))
  expect([...model.namedParameters().keys()]).toEqual(['heads.mean.bias'])
  expect(() => freeze(model, 'blocks' as never)).toThrow('freeze: parameters are chosen by a function, found "blocks"')
})

describe('state dicts', () => {
  test('hold copies, under each name of a shared variable, without what is not persistent', () => {
    const model = new Model()
    const state = model.stateDict()
    expect(state.has('tied') && state.has('blocks.0.fc1.weight')).toBe(true)
    expect(state.has('cache')).toBe(false)
    const before = state.get('heads.mean.bias')?.data[0]
    model.heads.mean?.bias?.set([7])
    expect(state.get('heads.mean.bias')?.data[0]).toBe(before)
  })

  test('come back into another model', () => {
    const [model, other] = [new Model(), new Model()]
    expect(other.stateDict()).not.toEqual(model.stateDict())
    expect(other.loadStateDict(model.stateDict())).toEqual({ missing: [], unexpected: [] })
    expect(other.stateDict()).toEqual(model.stateDict())
  })

  test('one name of a shared variable is enough', () => {
    const state = new Model().stateDict()
    state.delete('tied')
    const model = new Model()
    model.loadStateDict(state)
    expect(model.tied.array).toEqual(state.get('blocks.0.fc1.weight'))
  })

  test('what is no array is told', () => {
    const state = new Map([['weight', {} as NDArray]])
    expect(() => new Linear(2, 2, { bias: false }).loadStateDict(state)).toThrow(
      'Linear: weight of the state dict: must be an array, { dtype, shape, data }, found an object',
    )
  })

  test('an array whose data are of another type than it says changes nothing', () => {
    const layers = new Sequential(new Linear(2, 2), new BatchNorm2d(2))
    const before = layers.stateDict()
    const state = new Map(before)
    state.set('0.weight', { dtype: 'float32', shape: [2, 2], data: Float32Array.of(7, 7, 7, 7) })
    state.set('1.num_batches_tracked', { dtype: 'int64', shape: [], data: Float32Array.of(1.5) })
    expect(() => layers.loadStateDict(state)).toThrow(
      'Sequential: 1.num_batches_tracked of the state dict: int64 is stored as BigInt64Array, found Float32Array',
    )
    expect(layers.stateDict()).toEqual(before)
  })

  test('options that are none are told', () => {
    const layer = new Linear(2, 2)
    const state = layer.stateDict()
    expect(() => layer.loadStateDict(state, { strict: 0 as never })).toThrow(
      'Linear: strict must be true or false, found 0',
    )
    expect(() => layer.loadStateDict(state, { strct: false } as never)).toThrow('Linear: there is no option "strct"')
  })

  test('what does not fit is told, and nothing is changed', () => {
    const model = new Model()
    const state = new Model().stateDict()
    const scale = state.get('blocks.0.scale')
    state.delete('blocks.0.scale')
    state.set('blocks.0.scales', scale ?? tensor([1]).array)
    state.set('heads.mean.bias', tensor([1, 2]).array)
    const before = model.stateDict()
    let error: unknown
    try {
      model.loadStateDict(state)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({
      message:
        'Model: the state dict does not fit: missing blocks.0.scale; unexpected blocks.0.scales; of another shape heads.mean.bias (float32[1], found float32[2])',
      hint: '"blocks.0.scales" may be meant for "blocks.0.scale"',
    })
    expect(model.stateDict()).toEqual(before)
    state.delete('heads.mean.bias')
    expect(model.loadStateDict(state, { strict: false })).toEqual({
      missing: ['blocks.0.scale', 'heads.mean.bias'],
      unexpected: ['blocks.0.scales'],
    })
  })

  test('numbers of another type are not said to have another shape', () => {
    const model = new Model()
    const state = new Map(model.stateDict()).set('heads.mean.bias', tensor([1], 'int32').array)
    expect(() => model.loadStateDict(state)).toThrow(
      'does not fit: of another type heads.mean.bias (float32[1], found int32[1])',
    )
  })

  test('a scalar may be stored as [1], but nothing longer', () => {
    const norm = new BatchNorm1d(3)
    const counted = (...counts: number[]) =>
      new Map(norm.stateDict()).set('num_batches_tracked', tensor(counts, 'int64').array)
    norm.loadStateDict(counted(7))
    expect(norm.num_batches_tracked?.array).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(7n) })
    expect(() => norm.loadStateDict(counted(7, 7))).toThrow(
      'does not fit: of another shape num_batches_tracked (int64[], found int64[2])',
    )
  })

  test('running statistics are among them', () => {
    expect([...new BatchNorm1d(3).stateDict().keys()]).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ])
  })
})
