/** Parameters in places other than plain properties: found, or warned about. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { Linear, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import type { Variable } from '../../src/tensor/variable.ts'
import { collectWarnings } from '../support/warnings.ts'

const warnings = collectWarnings()

const layer = (): Linear => new Linear(2, 2, { bias: false })

class InContainers extends Module {
  readonly byName = new Map([['first', layer()]])
  readonly some = new Set([layer()])
  readonly list = [{ inner: { fc: layer() } }, { inner: { fc: layer() } }]
  forward(x: Tensor): Tensor {
    const all = [...this.byName.values(), ...this.some, ...this.list.map(({ inner }) => inner.fc)]
    return all.reduce((y, fc) => fc.forward(y), x)
  }
}

class Hidden extends Module {
  readonly open = layer()
  readonly #secret = layer()
  forward(x: Tensor): Tensor {
    return this.#secret.forward(this.open.forward(x))
  }
}

class Borrowing extends Module {
  forward(x: Tensor, weight: Variable): Tensor {
    return ops.linear(x, weight)
  }
}

const x = tensor([[1, 2]])

describe('parameters', () => {
  test('in Maps, Sets and arrays of objects are found', async () => {
    const model = new InContainers()
    const names = ['byName.first.weight', 'some.0.weight', 'list.0.inner.fc.weight', 'list.1.inner.fc.weight']
    expect([...model.namedParameters().keys()]).toEqual(names)
    model.eval()
    expect([...model.byName.values(), ...model.some].map(({ training }) => training)).toEqual([false, false])
    await compile((x: Tensor) => model.forward(x))(x)
    expect(warnings).toEqual([])
  })

  test('in a #private field are warned about, once', async () => {
    const model = new Hidden()
    await compile((x: Tensor) => model.forward(x))(x)
    await compile((x: Tensor) => model.forward(x))(x)
    expect(warnings).toEqual([
      'Hidden: forward uses a parameter (float32[2, 2]) that cannot be reached through properties, so optimizers and checkpoints miss it; keep modules and variables in properties that are not #private, or in arrays, plain objects, Maps or Sets there',
    ])
  })

  test('of another module are not', async () => {
    const [owner, model] = [layer(), new Borrowing()]
    await compile((x: Tensor) => model.forward(owner.forward(x), owner.weight))(x)
    expect(warnings).toEqual([])
  })

  test('a model without any says so when it is to be optimised', () => {
    expect(() => new SGD(new Borrowing().parameters(), { lr: 1 })).toThrow(
      expect.objectContaining({
        message: 'SGD: there are no parameters to optimise',
        hint: 'pass model.parameters(); frozen ones are not among them, nor those in #private fields',
      }),
    )
  })
})

test('two parameters under one name are refused, not lost', () => {
  class Twice extends Module {
    readonly layers = new Map<unknown, Linear>([
      [1, layer()],
      ['1', layer()],
    ])
    forward(x: Tensor): Tensor {
      return x
    }
  }
  expect(() => new Twice().parameters()).toThrow('Twice: two variables are called "layers.1.weight"')
})

test('a module prints what is inside', () => {
  expect(String(new InContainers())).toBe(
    [
      'InContainers(',
      '  byName.first: Linear(weight float32[2, 2])',
      '  some.0: Linear(weight float32[2, 2])',
      '  list.0.inner.fc: Linear(weight float32[2, 2])',
      '  list.1.inner.fc: Linear(weight float32[2, 2])',
      ')',
    ].join('\n'),
  )
})
