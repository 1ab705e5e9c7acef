import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { samplePoints } from '../../../src/compile/dynamic/samples.ts'
import { exportOnnx } from '../../../src/compile/export.ts'
import { LearnedPositions } from '../../../src/models/positions.ts'
import { Dropout, Embedding, LayerNorm, Linear } from '../../../src/nn/index.ts'
import * as ops from '../../../src/ops/index.ts'
import { AdamW } from '../../../src/optim/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { sizeOf } from '../../../src/tensor/shape.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { tensor } from '../../../src/tensor/tensor.ts'
import { Variable } from '../../../src/tensor/variable.ts'

const waves = (...shape: number[]): NDArray => {
  const count = shape.reduce((product, size) => product * size, 1)
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1)) }
}
const labels = (rows: number, columns: number, shift: number): NDArray => {
  const data = Int32Array.from({ length: rows * columns }, (_, i) => (7 * i + shift) % 11)
  return { dtype: 'int32', shape: [rows, columns], data }
}
const valuesOf = (result: Tensor): number[] => Array.from(result.array.data as Float32Array)

const close = (found: NDArray, expected: NDArray | undefined): void => {
  expect([found.dtype, found.shape]).toEqual([expected?.dtype, expected?.shape])
  for (const [i, value] of toNumbers(found.data).entries())
    expect(value).toBeCloseTo(Number(expected?.data[i] ?? Number.NaN), 5)
}

/** A training step of a decoder with a memory; what it draws and assigns is that of any other step. */
function decoder(dynamic: boolean) {
  manualSeed(3)
  const [width, words] = [16, 11]
  const [token, position] = [new Embedding(words, width), new LearnedPositions(64, width)]
  const [norm, head, dropout] = [new LayerNorm(width), new Linear(width, words), new Dropout(0.1)]
  const parameters = [token, position, norm, head].flatMap((module) => [...module.parameters()])
  const optimizer = new AdamW(parameters, { lr: 1e-2 })
  const step = compile(
    (ids: Tensor, next: Tensor, memory: Tensor) => {
      const [length, past] = [sizeOf(ids.shape, 1), sizeOf(memory.shape, 1)]
      const x = ops.add(token.forward(ids), position.first(length))
      const keys = ops.concat([memory, x], 1) // [batch, past + length, width]
      const queries = ops.add(ops.arange(length), past)
      const mask = ops.lessOrEqual(ops.arange(past + length), ops.reshape(queries, [length, 1]))
      const [q, k] = [ops.splitHeads(x, 2), ops.splitHeads(keys, 2)]
      const attended = ops.mergeHeads(ops.scaledDotProductAttention(q, k, k, { mask }))
      const logits = head.forward(dropout.forward(norm.forward(ops.add(x, attended))))
      const loss = ops.crossEntropy(ops.reshape(logits, [-1, words]), ops.reshape(next, [-1]))
      optimizer.minimize(loss)
      return { loss, memory: ops.slice(keys, [-past, null], 1), keys }
    },
    dynamic ? { dynamic: [{ 1: 'length' }, { 1: 'length' }, { 1: 'past' }] } : {},
  )
  return { step, parameters }
}

test('a training step with a memory: as one that is traced for each length', async () => {
  const [one, each] = [decoder(true), decoder(false)]
  const calls = [
    [5, 3],
    [1, 1],
    [2, 7],
    [31, 31],
    [64, 97],
  ] as const
  for (const [length, past] of calls) {
    const batch = [labels(2, length, 1), labels(2, length, 2), waves(2, past, 16)] as const
    manualSeed(length)
    const found = await one.step(...batch)
    manualSeed(length)
    const expected = await each.step(...batch)
    expect(found.keys.shape).toEqual([2, past + length, 16])
    expect(found.loss.item()).toBeCloseTo(expected.loss.item(), 6)
    close(found.memory.array, expected.memory.array)
    for (const [i, parameter] of one.parameters.entries()) close(parameter.array, each.parameters[i]?.array)
  }
  expect([one.step.traces, each.step.traces.length]).toEqual([['argument [0]: int32[2, length]'], calls.length])
  await expect(one.step(labels(2, 65, 1), labels(2, 65, 2), waves(2, 3, 16))).rejects.toThrow(
    'LearnedPositions: at most 64 tokens fit, found 65',
  )
  one.step.undo()
})

test('goes on bit by bit from the values of variables and the number of calls', async () => {
  const first = decoder(true)
  const batchOf = (length: number) => [labels(2, length, 1), labels(2, length, 2), waves(2, 4, 16)] as const
  for (const length of [3, 9]) await first.step(...batchOf(length))
  const kept = first.parameters.map((parameter) => parameter.data.slice())
  const expected = (await first.step(...batchOf(6))).loss.item()
  first.step.undo()
  expect(first.parameters.map((parameter) => parameter.data)).toEqual(kept)
  expect((await first.step(...batchOf(6))).loss.item()).toBe(expected)
})

test('an empty axis has a program of its own', async () => {
  const run = compile((x: Tensor, past: Tensor) => ops.concat([past, x], 0), { dynamic: [{ 0: 'new' }, { 0: 'past' }] })
  const shapes = []
  for (const [length, past] of [
    [2, 0],
    [3, 0],
    [3, 4],
    [1, 9],
  ] as const)
    shapes.push((await run(waves(length, 2), waves(past, 2))).shape)
  expect(shapes).toEqual([
    [2, 2],
    [3, 2],
    [7, 2],
    [10, 2],
  ])
  expect(run.traces).toEqual(['argument [0]: float32[new, 2]', 'argument [1]: float32[past, 2]'])
})

test('nested arguments, negative axes, a name for each layer', async () => {
  const run = compile(
    ({ memories }: { memories: readonly Tensor[] }, x: Tensor) => memories.map((memory) => ops.concat([memory, x], 1)),
    { dynamic: [{ memories: [{ 1: 'first' }, { [-2]: 'second' }] }, {}] },
  )
  for (const [first, second] of [
    [3, 5],
    [8, 1],
  ] as const) {
    const results = await run({ memories: [waves(1, first, 2), waves(1, second, 2)] }, waves(1, 4, 2))
    expect(results.map(({ shape }) => shape[1])).toEqual([first + 4, second + 4])
  }
  expect(run.traces.length).toBe(1)
})

test('random numbers and permutations are as many as the axis is long, and the same as without', async () => {
  const draw = (x: Tensor) => [ops.randomNormal(x.shape), ops.randomPermutation(x.size), ops.dropout(x, 0.5)]
  const [one, each] = [compile(draw, { dynamic: [{ 0: 'n' }] }), compile(draw)]
  for (const n of [1, 2, 17]) {
    manualSeed(n)
    const found = await one(waves(n))
    manualSeed(n)
    const expected = await each(waves(n))
    expect(found.map(({ array }) => array)).toEqual(expected.map(({ array }) => array))
  }
})

/** Numbers and tables that depend on n, each in another way. */
function relations(x: Tensor): Tensor[] {
  const n = sizeOf(x.shape, 0)
  const table = (value: (row: number, column: number) => number, dtype: 'float32' | 'int32'): Tensor => {
    const numbers = Array.from({ length: n * (n + 1) }, (_, i) => value(Math.floor(i / (n + 1)), i % (n + 1)))
    return tensor({ dtype, shape: [n, n + 1], data: fromNumbers(dtype, numbers) })
  }
  return [
    ops.mul(x, 1 / n),
    ops.mul(x, 3 / Math.sqrt(2 * n + 1)),
    ops.mul(x, 0.37 / n),
    ops.mul(x, Math.log(n)),
    ops.mul(x, n / (n + 1)),
    ops.mul(x, 1 / (n * n)),
    ops.linspace(-1, 1, n + 1),
    ops.arange(2 * n, n - 1, { step: -1 }),
    ops.arange(0, n, { step: 0.1, dtype: 'float32' }),
    table((row, column) => (row >= column ? 1 : -7), 'float32'),
    table((row, column) => (column > row + 2 ? 0 : 5), 'int32'),
    table((row, column) => n * row - column + 2 * n, 'int32'),
    ops.indexSelect(
      x,
      tensor(
        Array.from({ length: 3 * n }, (_, i) => Math.floor(i / 3)),
        'int64',
      ),
      0,
    ),
    ops.full([n, n + 1], 2),
    ops.reshape(ops.expand(x, [2, n, n]), [2 * n * n]),
  ]
}

test('what depends on the size by known relations', async () => {
  const [one, each] = [compile(relations, { dynamic: [{ 0: 'n' }] }), compile(relations)]
  for (const n of [1, 2, 13, 100]) {
    const expected = await each(waves(n))
    for (const [i, found] of (await one(waves(n))).entries()) close(found.array, expected[i]?.array)
  }
})

test('numbers of two axes that are equal by chance at a size that is tried', async () => {
  const [[[one = 0, other = 0] = []] = []] = samplePoints(2)
  const more = Math.abs(other - one)
  const shorter = one < other ? 0 : 1
  const sums = compile(
    (first: Tensor, second: Tensor) => {
      const ends = [first, second].map((x, i) => (x.shape[0] ?? 0) + (i === shorter ? more : 0))
      return [first, second].map((x, i) => ops.sum(ops.slice(ops.pad(ops.exp(x), [0, more + 1]), [0, ends[i] ?? 0], 0)))
    },
    { dynamic: [{ 0: 'first' }, { 0: 'second' }] },
  )
  const found = await sums(tensor([0, 0, 0]), tensor([0, 0, 0, 0, 0]))
  expect(await Promise.all(found.map(async (each) => (await each.numbers())[0]))).toEqual([3, 5])
  await sums.release()
})

describe('errors', () => {
  test('a loop over the axis names the op and the line', async () => {
    const weights = { weightIh: new Variable([8, 3]), weightHh: new Variable([8, 2]) }
    const run = compile((x: Tensor) => ops.lstm(x, weights).output, { dynamic: [{ 1: 'length' }] })
    await expect(run(waves(2, 4, 3))).rejects.toThrowError(
      expect.objectContaining({
        name: 'UsageError',
        message: expect.stringMatching(
          /^compile: the graph depends on the size of "length": .* in trace\.test\.ts:\d+/,
        ),
        hint: 'a loop over the axis, or a choice by its size, is another graph for each size: leave the axis fixed',
      }),
    )
  })

  test('a constant that is not understood', async () => {
    const run = compile((x: Tensor) => ops.mul(x, Math.sin(sizeOf(x.shape, 0))), { dynamic: [{ 0: 'n' }] })
    await expect(run(waves(4))).rejects.toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(
          /^compile: a constant of type float32\[\] that is used by mul in trace\.test\.ts:\d+ depends on the size of "n" in a way that is not understood$/,
        ),
        hint: 'compute it with ops from ops.arange(size) and the like, or leave the axis fixed',
      }),
    )
  })

  test('an attribute that is rounded', async () => {
    const run = compile((x: Tensor) => ops.slice(x, [null, null, 2], 0), { dynamic: [{ 0: 'n' }] })
    await expect(run(waves(4))).rejects.toThrow(
      /^compile: sizes of slice in trace\.test\.ts:\d+ depends on the size of "n" in a way that is not understood$/,
    )
  })

  test('a number that follows another rule at other sizes, however far', async () => {
    const window = compile((x: Tensor) => ops.slice(x, [0, Math.min(sizeOf(x.shape, 0), 300)], 0), {
      dynamic: [{ 0: 'n' }],
    })
    for (const n of [3, 250, 299]) expect((await window(waves(n))).shape).toEqual([n])
    await expect(window(waves(301))).rejects.toThrow(
      /^compile: at n 301 slice in trace\.test\.ts:\d+ depends on the size of "n" in a way that is not understood$/,
    )
    const blocks = compile((x: Tensor) => ops.mul(x, Math.ceil(sizeOf(x.shape, 0) / 1000)), { dynamic: [{ 0: 'n' }] })
    await blocks(waves(900))
    await expect(blocks(waves(1001))).rejects.toThrow(
      /^compile: at n 1001 mul in trace\.test\.ts:\d+ depends on the size of "n" in a way that is not understood$/,
    )
  })

  test.each([1, 2, 5, 20, 100])('a choice by the size, below %d', async (n) => {
    const choices: ((x: Tensor, isSmall: boolean) => Tensor)[] = [
      (x, isSmall) => (isSmall ? ops.mul(x, 100) : ops.mul(x, 2)),
      (x, isSmall) => (isSmall ? ops.add(ops.mul(x, 2), 1000) : ops.mul(x, 2)),
      // At size 1 ops may be superfluous.
      (x, isSmall) => (isSmall && n > 1 ? x : isSmall ? ops.neg(x) : ops.mul(x, 2)),
      (x, isSmall) => (isSmall ? ops.neg(x) : ops.exp(x)),
    ]
    for (const choice of choices) {
      const run = compile((x: Tensor) => choice(x, sizeOf(x.shape, 0) <= n), { dynamic: [{ 0: 'n' }] })
      // Seen at the first call, or at the first one that takes the other way.
      await expect(run(waves(300)).then(() => run(waves(n)))).rejects.toThrow(/^compile: .*\bn\b.*trace\.test\.ts:\d+/)
    }
    const input = { x: { dtype: 'float32', shape: [4] } } as const
    const forward = ({ x }: { readonly x: Tensor }) => ({ y: choices[1]?.(x, sizeOf(x.shape, 0) <= n) ?? x })
    await expect(exportOnnx({ inputs: input, forward })).rejects.toThrow(/^export: .*trace\.test\.ts:\d+/)
  })

  test('as many steps as the axis has powers of 2', async () => {
    const run = compile((x: Tensor) => ops.cumprod(x, 0), { dynamic: [{ 0: 'n' }] })
    await expect(run(waves(3))).rejects.toThrow(/^compile: the graph depends on the size of "n": at n 3, slice: /)
  })

  test('a function that wants multiples gets them, and only them', async () => {
    const run = compile((x: Tensor) => ops.sum(ops.reshape(x, [-1, 4]), 1), { dynamic: [{ 0: 'n' }] })
    expect((await run(waves(8))).shape).toEqual([2])
    expect((await run(waves(20))).shape).toEqual([5])
    await expect(run(waves(10))).rejects.toThrow(
      /^compile: n 10: reshape in trace\.test\.ts:\d+ needs a size that divides$/,
    )
  })

  test('a function that wants hundreds gets them', async () => {
    const run = compile(
      (x: Tensor) => {
        if (sizeOf(x.shape, 0) < 300) throw new RangeError('at least 300')
        return ops.sum(x)
      },
      { dynamic: [{ 0: 'length' }] },
    )
    for (const length of [300, 512, 407]) expect((await run(waves(length))).item()).toBeTypeOf('number')
    expect(run.traces).toHaveLength(1)
  })

  test('what is wrong with the sizes of the call is said of these', async () => {
    const run = compile((x: Tensor) => ops.reshape(x, [3, 4]), { dynamic: [{ 0: 'n' }] })
    await expect(run(waves(10))).rejects.toThrow('reshape: [10] has 10 elements, [3, 4] needs 12')
    await expect(run(waves(12))).rejects.toThrow(
      'compile: dynamic: the function cannot be traced at n 137: reshape: [137] has 137 elements, [3, 4] needs 12',
    )
  })

  test('sizes and declarations that do not fit', async () => {
    const add = (x: Tensor, y: Tensor): Tensor => ops.concat([x, y], 0)
    const run = compile(add, { dynamic: [{ 0: 'n' }, { 0: 'n' }] })
    await expect(run(waves(2), waves(3))).rejects.toThrow(
      'compile: "n" is 2 in argument [0] (axis 0), but 3 in argument [1] (axis 0)',
    )
    await expect(compile(add, { dynamic: [{ 1: 'n' }] })(waves(2), waves(3))).rejects.toThrow(
      'compile: dynamic: argument [0] has 1 axes, and none at 1 ("n")',
    )
    const nested = compile((x: { y: Tensor }) => x.y, { dynamic: [{ z: { 0: 'n' } } as never] })
    await expect(nested({ y: tensor([1]) })).rejects.toThrow(
      'compile: dynamic names argument [0].z, which is no tensor in this call',
    )
    expect(() => compile(add, { dynamic: { 0: 'n' } as never })).toThrow(
      'compile: dynamic must be a list as the arguments are, found an object',
    )
    expect(() => compile(add, { dynamic: [{ 0: 'a b' }] })).toThrow(
      'compile: dynamic: the name of axis 0 of argument [0] must be of letters, digits and _, found "a b"',
    )
    expect(() => compile(add, { dynamic: [{ first: 'n' } as never] })).toThrow(
      'compile: dynamic: for argument [0] there must be { axis: name }, found "first" as an axis',
    )
    expect(() => compile(add, { dynamic: ['n' as never] })).toThrow(
      'compile: dynamic: for argument [0] there must be { axis: name }, found "n"',
    )
  })
})

test('an index into a dynamic axis is checked at its size', async () => {
  const run = compile((x: Tensor, index: Tensor) => ops.indexSelect(x, index, 0), { dynamic: [{ 0: 'n' }] })
  expect(valuesOf(await run(waves(9), tensor([8], 'int64')))).toEqual([Math.fround(Math.sin(9))])
  await expect(run(waves(5), tensor([5], 'int64'))).rejects.toThrow('indexSelect: index must lie in 0 to 4, found 5')
  const computed = compile((x: Tensor, index: Tensor) => ops.indexSelect(x, ops.mul(index, 2), 0), {
    dynamic: [{ 0: 'n' }],
  })
  expect(valuesOf(await computed(waves(9), tensor([4], 'int64')))).toEqual([Math.fround(Math.sin(9))])
  await expect(computed(waves(5), tensor([3], 'int64'))).rejects.toThrow('indexSelect: index must lie in 0 to 4')
})

test('profiles and NaN are looked for at the sizes of the call', async () => {
  const run = compile((x: Tensor) => ops.log(ops.sub(x, 1)), { dynamic: [{ 0: 'n' }] })
  expect(await run.findNotFinite(waves(3))).toMatch(/^log\(float32\[3\]\) gives NaN or infinity in 3 of 3 elements/)
  expect((await run.profile(2, waves(300))).rows.map(({ kernel }) => kernel)).toContain('Log')
})

test('gradients of gradients, of a loss over all elements', async () => {
  const penalty = (x: Tensor): Tensor => {
    const [g] = gradient(ops.mean(ops.pow(x, 3)), [x])
    const [h] = gradient(ops.sum(ops.mul(g, g)), [x])
    return h
  }
  const [one, each] = [compile(penalty, { dynamic: [{ 0: 'rows', 1: 'columns' }] }), compile(penalty)]
  for (const [rows, columns] of [
    [2, 3],
    [1, 1],
    [13, 40],
  ] as const)
    close((await one(waves(rows, columns))).array, (await each(waves(rows, columns))).array)
})

test('numbers and texts that it returns must not depend on the sizes', async () => {
  const dynamic = [{ 0: 'n' }] as const
  const counted = compile((x: Tensor) => ({ mean: ops.mean(x), count: x.shape[0] }), { dynamic })
  await expect(counted(tensor([1, 2, 3]))).rejects.toThrow(
    'compile: result.count is no tensor, and depends on the size of "n"',
  )
  const named = compile((x: Tensor) => ({ mean: ops.mean(x), name: 'mean', parts: [1, true] }), { dynamic })
  expect((await named(tensor([1, 2, 3]))).name).toBe('mean')
  expect(await named(tensor([1, 2, 3, 4]))).toMatchObject({ name: 'mean', parts: [1, true] })
})
