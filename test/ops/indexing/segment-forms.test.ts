import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { emitGraph } from '../../../src/compile/onnx.ts'
import * as ops from '../../../src/ops/index.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import type { Shape } from '../../../src/tensor/shape.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

const random = new RandomStream(11)

function normal(shape: Shape, lane: number): Float32Array {
  return random.normal(0, lane, elementCount(shape))
}

/** Indices that a rule makes of uniform numbers in [0, 1). */
function indices(count: number, lane: number, rule: (uniform: number, i: number) => number): bigint[] {
  return Array.from(random.uniform(1, lane, count), (uniform, i) => BigInt(Math.floor(rule(uniform, i))))
}

/** Sums of rows in float64. */
function expected(source: Float32Array, index: readonly bigint[], columns: number, size: number): Float64Array {
  const sums = new Float64Array(size * columns)
  for (const [row, to] of index.entries())
    for (let i = 0; i < columns; i++) {
      const place = Number(to) * columns + i
      sums[place] = (sums[place] ?? 0) + (source[row * columns + i] ?? 0)
    }
  return sums
}

async function sumsOf(source: Tensor, index: Tensor, size: number, axis = 0): Promise<Float32Array> {
  const run = compile((x: Tensor, i: Tensor) => ops.segmentSum(x, i, size, axis))
  const { array } = await run(source, index)
  await run.release()
  return array.data as Float32Array
}

function largestError(found: Float32Array, wanted: Float64Array): number {
  expect(found).toHaveLength(wanted.length)
  return wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (found[i] ?? Infinity))), 0)
}

function kernelsOf(source: Shape, count: number, size: number, axis = 0): string[] {
  const index = constant(new BigInt64Array(count), [count], 'int64')
  const sum = ops.segmentSum(constant(new Float32Array(elementCount(source)), source, 'float32'), index, size, axis)
  return emitGraph([sum]).nodes.map(({ opType }) => opType)
}

describe('sums of many wide rows', () => {
  const rules: Record<string, (uniform: number, i: number, size: number) => number> = {
    'any index': (uniform, _, size) => uniform * size,
    'few indices, many times each': (uniform, _, size) => 7 + Math.floor(uniform * 3) * (size >> 2),
    'one index, in every block': (_uniform, _i, size) => size - 1,
    'the first index': () => 0,
    'frequent and rare': (uniform, _, size) => uniform ** 8 * size,
    'each index at most once, descending': (_uniform, i, size) => size - 1 - i,
  }
  test.each(Object.keys(rules))('are right: %s', async (name) => {
    const rule = rules[name] ?? (() => 0)
    for (const [lane, [rows, columns, size]] of (
      [
        [512, 32, 1600],
        [513, 64, 700],
        [543, 40, 2000],
        [1000, 33, 1500],
      ] as const
    ).entries()) {
      const source = normal([rows, columns], lane)
      const index = indices(rows, lane, (uniform, i) => rule(uniform, i, size))
      const found = await sumsOf(
        constant(source, [rows, columns], 'float32'),
        constant(BigInt64Array.from(index), [rows], 'int64'),
        size,
      )
      // Up to 1,000 normal numbers in one sum.
      expect(largestError(found, expected(source, index, columns, size))).toBeLessThan(1e-4)
    }
  })

  test('keep the axes behind, leading axes of one element, and int32 indices', async () => {
    const [rows, size] = [600, 900]
    const source = normal([1, rows, 5, 8], 9)
    const index = indices(rows, 9, (uniform) => uniform * size)
    const places = constant(Int32Array.from(index, Number), [rows], 'int32')
    const found = await sumsOf(constant(source, [1, rows, 5, 8], 'float32'), places, size, 1)
    expect(largestError(found, expected(source, index, 40, size))).toBeLessThan(1e-4)
    expect(kernelsOf([1, rows, 5, 8], rows, size, 1)).toContain('TopK')
  })
})

test('the form is that which is fastest at the sizes', () => {
  expect(kernelsOf([2048, 256], 2048, 1000)).toContain('TopK')
  expect(kernelsOf([2048, 256], 2048, 100)).not.toContain('TopK')
  expect(kernelsOf([2048, 256], 2048, 100)).toContain('MatMul')
  for (const [shape, count, axis] of [
    [[256, 256], 256, 0],
    [[2048, 8], 2048, 0],
    [[70_000, 32], 70_000, 0],
    [[4, 2048, 64], 2048, 1],
  ] as const) {
    expect(kernelsOf(shape, count, 1000, axis)).toContain('ScatterElements')
    expect(kernelsOf(shape, count, 1000, axis)).not.toContain('TopK')
  }
})

test('one program adds the gradient of an embedding for all lengths', async () => {
  const [batch, size, width] = [16, 1000, 32]
  const table = constant(normal([size, width], 0), [size, width], 'float32')
  const slope = (ids: Tensor, factors: Tensor): Tensor => {
    const [found] = gradient(ops.sum(ops.mul(ops.embedding(ids, table), factors)), [table])
    if (!found) throw new Error('no gradient')
    return found
  }
  const run = compile(slope, { dynamic: [{ 1: 'length' }, { 1: 'length' }] })
  for (const length of [1, 2, 33, 64, 100]) {
    const rows = batch * length
    const index = indices(rows, length, (uniform) => uniform * size)
    const factors = normal([batch, length, width], length)
    const { array } = await run(
      constant(BigInt64Array.from(index), [batch, length], 'int64'),
      constant(factors, [batch, length, width], 'float32'),
    )
    expect(largestError(array.data as Float32Array, expected(factors, index, width, size))).toBeLessThan(1e-4)
  }
  await run.release()
})
