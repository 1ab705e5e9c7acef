/** Indices that point nowhere: refused in one way, whatever op gets them and wherever they come from. */
import { describe, expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { exportOnnx } from '../../src/compile/export.ts'
import * as ops from '../../src/ops/kit.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { IndexError } from '../../src/util/errors.ts'

const rows = tensor([
  [1, 2, 3],
  [4, 5, 6],
])
const numbers = (t: Tensor): number[] => toNumbers(t.array.data)
const matrix = (index: Tensor): Tensor => ops.reshape(index, [1, -1])

/** Every function that takes an index with 3 places, and the words for it. */
const users: Record<string, [(index: Tensor) => Tensor, string]> = {
  embedding: [(index) => ops.embedding(index, ops.transpose(rows)), 'embedding: index must lie in 0 to 2'],
  indexSelect: [(index) => ops.indexSelect(rows, index, 1), 'indexSelect: index must lie in 0 to 2'],
  gather: [(index) => ops.gather(rows, matrix(index), 1), 'gather: index must lie in 0 to 2'],
  takeAlongAxis: [(index) => ops.takeAlongAxis(rows, matrix(index), 1), 'gather: index must lie in 0 to 2'],
  scatterAdd: [
    (index) => ops.scatterAdd(rows, matrix(index), matrix(ops.cast(index, 'float32')), 1),
    'scatterAdd: index must lie in 0 to 2',
  ],
  scatter: [(index) => ops.scatter(rows, matrix(index), 0, 1), 'scatter: index must lie in 0 to 2'],
  scatterReduce: [
    (index) => ops.scatterReduce(rows, matrix(index), matrix(ops.cast(index, 'float32')), 1, 'amax'),
    'scatterReduce: index must lie in 0 to 2',
  ],
  indexCopy: [
    (index) => ops.indexCopy(tensor([1, 2, 3]), index, ops.cast(index, 'float32'), 0),
    'indexCopy: index must lie in 0 to 2',
  ],
  segmentSum: [
    (index) => ops.segmentSum(ops.cast(index, 'float32'), index, 3, 0),
    'segmentSum: index must lie in 0 to 2',
  ],
  indexAdd: [
    (index) => ops.indexAdd(tensor([1, 2, 3]), index, ops.cast(index, 'float32'), 0),
    'indexAdd: index must lie in 0 to 2',
  ],
  bincount: [(index) => ops.bincount(index, 3), 'bincount: element must lie in 0 to 2'],
  oneHot: [(index) => ops.oneHot(index, 3), 'oneHot: index must lie in 0 to 2'],
  crossEntropy: [
    (index) => ops.crossEntropy(ops.mul(ops.expand(tensor([[1, 2, 3]]), [index.size, 3]), 1), index),
    'crossEntropy: label must lie in 0 to 2, or be -100 (ignored)',
  ],
  nllLoss: [
    (index) => ops.nllLoss(ops.mul(ops.expand(tensor([[1, 2, 3]]), [index.size, 3]), 1), index),
    'nllLoss: label must lie in 0 to 2, or be -100 (ignored)',
  ],
}

describe.each(Object.entries(users))('%s', (name, [use, words]) => {
  test.each(['int32', 'int64'] as const)(
    'refuses %s arguments that point nowhere, and names the element',
    async (dtype) => {
      const run = compile(use)
      for (const wrong of [-1, 3, -7, 2 ** 31 - 1]) {
        const call = run(tensor([0, wrong], dtype))
        await expect(call).rejects.toThrow(IndexError)
        await expect(call).rejects.toThrow(`${words}, found ${wrong} at [1] of argument [0]\n  in places.test.ts:`)
      }
      await run(tensor([2, 0], dtype))
    },
  )

  test('refuses variables that point nowhere, at every call', async () => {
    const index = new Variable([2], { dtype: 'int64', name: 'places' })
    const run = compile(() => use(index.value))
    await run()
    index.set([0, 3])
    await expect(run()).rejects.toThrow(`${words}, found 3 at [1] of variable places\n  in places.test.ts:`)
  })

  test('refuses constants where the op is called', () => {
    // What is made of another op is named beside the place.
    const through = words.startsWith(`${name}:`) ? '' : `${name} at `
    expect(() => use(tensor([1, 3], 'int32'))).toThrow(`${words}, found 3 at [1]\n  in ${through}places.test.ts:`)
    expect(() => use(tensor([-1, 1], 'int64'))).toThrow(IndexError)
  })

  test('refuses indices that are computed from constants', async () => {
    const run = compile(() => use(ops.add(tensor([0, 1], 'int32'), 2)))
    await expect(run()).rejects.toThrow(
      /must lie in 0 to 2.*, found .* among those that the function computes\n {2}in places.test.ts:/,
    )
  })

  test('refuses what a variable was assigned in the same call', async () => {
    const index = new Variable([2], { dtype: 'int64' })
    const run = compile(() => {
      index.assign(ops.add(index.value, 3))
      return use(index.value)
    })
    await expect(run()).rejects.toThrow(IndexError)
  })

  test('refuses indices that the function computes', async () => {
    const run = compile((index: Tensor, shift: Tensor) => use(ops.add(index, shift)))
    for (const shift of [-1, 3]) {
      await expect(run(tensor([0, 1], 'int32'), tensor(shift, 'int32'))).rejects.toThrow(
        /must lie in 0 to 2.*, found .* among those that the function computes\n {2}in places.test.ts:/,
      )
    }
    await run(tensor([0, 1], 'int32'), tensor(1, 'int32'))
  })
})

describe('indices that may count from the end', () => {
  const read = (index: Tensor): Tensor => ops.index(rows, [null, index])
  const words = 'index: index of axis 1 must lie in -3 to 2, found'

  test.each(['int32', 'int64'] as const)('%s arguments', async (dtype) => {
    const run = compile(read)
    expect(numbers(await run(tensor([-1, 0, -3], dtype)))).toEqual([3, 1, 1, 6, 4, 4])
    for (const wrong of [-4, 3])
      await expect(run(tensor([0, wrong], dtype))).rejects.toThrow(`${words} ${wrong} at [1] of argument [0]`)
  })

  test('constants', () => {
    expect(() => read(tensor([0, -4], 'int64'))).toThrow(`${words} -4 at [1]`)
  })

  test('those that the function computes', async () => {
    const run = compile((index: Tensor) => read(ops.sub(index, 1)))
    expect(numbers(await run(tensor([0, 3, -2], 'int32')))).toEqual([3, 3, 1, 6, 6, 4])
    for (const wrong of [-4, 3])
      await expect(run(tensor([1, wrong + 1], 'int32'))).rejects.toThrow(
        `${words} ${wrong} among those that the function computes`,
      )
  })

  test('the same argument may count from the end for one op and not for another', async () => {
    const run = compile((index: Tensor) => [read(index), ops.indexSelect(rows, index, 1)])
    await expect(run(tensor([0, -1], 'int64'))).rejects.toThrow('indexSelect: index must lie in 0 to 2, found -1')
  })
})

describe('places that only values tell', () => {
  test('a masked scatter needs an element for each place', async () => {
    const run = compile((mask: Tensor) => ops.maskedScatter(rows, ops.greater(mask, 0), tensor([7, 8])))
    expect(numbers(await run(tensor([0, 1, 0])))).toEqual([1, 7, 3, 4, 8, 6])
    await expect(run(tensor([1, 1, 0]))).rejects.toThrow('maskedScatter: element of source must lie in 0 to 1, found 2')
  })

  test('bags begin at 0', async () => {
    const index = tensor([0, 1, 1], 'int64')
    const run = compile((offsets: Tensor) => ops.embeddingBag(index, rows, { offsets }))
    expect(numbers(await run(tensor([0, 3], 'int64')))).toEqual([3, 4, 5, 0, 0, 0])
    await expect(run(tensor([1, 2], 'int64'))).rejects.toThrow(
      'embeddingBag: bag of an element (the first offset must be 0) must lie in 0 to 1, found 2 or one below 0',
    )
    await expect(run(tensor([0, 4], 'int64'))).rejects.toThrow(
      'embeddingBag: offset must lie in 0 to 3, found 4 at [1]',
    )
  })

  test.each([
    ['too few weights above 0', [0, 1, 0], 2, false],
    ['a negative weight', [1, -1, 3], 1, true],
    ['a negative weight', [1, -1, 3], 1, false],
    ['no weight above 0', [0, 0, 0], 1, true],
    ['a weight that is no number', [1, Number.NaN, 1], 1, true],
    ['an infinite weight', [1, Number.POSITIVE_INFINITY, 1], 1, false],
  ])('multinomial refuses %s: %j', async (_what, weights, samples, replacement) => {
    const run = compile((w: Tensor) => ops.multinomial(w, samples, { replacement }))
    await expect(run(tensor(weights))).rejects.toThrow(
      'multinomial: weights above 0 are too few, or one is no weight: class must lie in 0 to 2, found 3 or one below 0',
    )
    await run(tensor([1, 1, 0]))
  })
})

describe('cross entropy', () => {
  test('a label of ignoreIndex does not count, computed or given', async () => {
    const logits = tensor([
      [1, 2, 3],
      [3, 2, 1],
    ])
    const loss = async (label: number, ignoreIndex: number): Promise<number> => {
      const given = compile((labels: Tensor) => ops.crossEntropy(ops.mul(logits, 1), labels, { ignoreIndex }))
      const computed = compile((labels: Tensor) =>
        ops.crossEntropy(ops.mul(logits, 1), ops.sub(labels, 1), { ignoreIndex }),
      )
      const [a, b] = [await given(tensor([0, label], 'int32')), await computed(tensor([1, label + 1], 'int32'))]
      expect(a.item()).toBe(b.item())
      return a.item()
    }
    const alone = -Math.log(Math.exp(1) / (Math.exp(1) + Math.exp(2) + Math.exp(3)))
    expect(await loss(-1, -1)).toBeCloseTo(alone, 6)
    expect(await loss(255, 255)).toBeCloseTo(alone, 6)
  })
})

describe('what costs nothing', () => {
  const nodes = async (fn: (table: Tensor, index: Tensor) => Tensor): Promise<number> => {
    const run = compile(fn)
    await run(tensor([[1], [2], [3]]), tensor([0, 1], 'int32'))
    return run.program?.statistics.nodes ?? 0
  }
  test('an argument is looked at outside of the graph', async () => {
    const checked = await nodes((table, index) => ops.indexSelect(table, ops.reshape(index, [2, 1]), 0))
    const unchecked = await nodes((table, index) =>
      ops.indexSelect(table, ops.certainlyWithin(ops.reshape(index, [2, 1]), 3), 0),
    )
    expect(checked).toBe(unchecked)
  })
  test('places that an op gives are not compared', async () => {
    const found = await nodes((table, index) =>
      ops.indexSelect(table, ops.add(ops.argmax(table, 0), ops.mul(ops.cast(index, 'int64'), 0)), 0),
    )
    const plain = await nodes((table) => ops.indexSelect(table, ops.argmax(table, 0), 0))
    const marked = await nodes((table) => ops.indexSelect(table, ops.certainlyWithin(ops.argmax(table, 0), 3), 0))
    expect([plain, found > plain]).toEqual([marked, true])
  })
  test('a gradient does not check again', async () => {
    const weight = new Variable([3, 2], { data: new Float32Array(6).fill(1) })
    const run = compile((index: Tensor) => {
      const [g] = gradient(ops.sum(ops.embedding(ops.reshape(index, [2, 2]), weight)), [weight])
      return ops.sum(g)
    })
    expect((await run(tensor([0, 1, 1, 2], 'int64'))).item()).toBe(8)
    await expect(run(tensor([0, 1, 1, 3], 'int64'))).rejects.toThrow('embedding: index must lie in 0 to 2')
  })
})

test('an exported model has no comparisons', async () => {
  const bytes = await exportOnnx({
    inputs: { index: { dtype: 'int64', shape: [1, 4] } },
    forward: ({ index }) => ({ rows: ops.embedding(index, new Variable([3, 2])) }),
  })
  const text = Buffer.from(bytes).toString('latin1')
  expect([text.includes('Gather'), text.includes('Less'), text.includes('Where')]).toEqual([true, false, false])
})

test('an empty axis and values beyond 2^53', async () => {
  expect(() => ops.indexSelect(constant(new Float32Array(0), [0], 'float32'), tensor([0], 'int32'), 0)).toThrow(
    'indexSelect: index cannot point into an empty axis, found 0 at [0]',
  )
  const run = compile((index: Tensor) => ops.indexSelect(tensor([1, 2]), index, 0))
  await expect(run(constant(BigInt64Array.of(2n ** 60n), [1], 'int64'))).rejects.toThrow(
    'found 1152921504606846976 at [0]',
  )
})

test('a computed index is checked where only its gradient is asked for', async () => {
  const weight = new Variable([3, 1])
  const run = compile((index: Tensor) => gradient(ops.sum(ops.embedding(ops.sub(index, 2), weight)), [weight]))
  await expect(run(tensor([2, 1], 'int32'))).rejects.toThrow('embedding: index must lie in 0 to 2')
})
