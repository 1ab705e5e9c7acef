import { describe, expect, test } from 'vitest'
import { loadSession } from '#runtime'
import { emitGraph, modelBytes } from '../../../src/compile/onnx.ts'
import { addmmWith, matmulWith } from '../../../src/ops/products/matmul.ts'
import { transposedForm } from '../../../src/ops/products/transposed.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import type { Shape } from '../../../src/tensor/shape.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

function random(shape: Shape, lane: number): Tensor {
  return constant(new RandomStream(7).normal(0, lane, elementCount(shape)), shape, 'float32')
}

/** The kernels of a product as it is written for blocks of a width, and what they compute. */
async function written(product: Tensor, channelBlock: number): Promise<{ kernels: string[]; data: Float32Array }> {
  const graph = emitGraph([product], { channelBlock })
  const data = new Float32Array(product.size)
  const session = await loadSession(modelBytes(graph), { optimize: false, threads: 1 })
  await session.run([], [{ dtype: 'float32', shape: product.shape, buffer: () => data }])
  await session.release()
  return { kernels: graph.nodes.map(({ opType }) => opType), data }
}

function product(m: number, rows: number, n: number, scale = 1): Tensor {
  return matmulWith(random([rows, m], 0), random([rows, n], 1), { transposeA: true, scale })
}

function added(m: number, rows: number, n: number): Tensor {
  return addmmWith(random([m, n], 2), random([rows, m], 0), random([rows, n], 1), { transposeA: true, beta: 0.5 })
}

describe('a weight gradient on AVX2', () => {
  test.each([
    { name: 'few rows of the result: the left operand', made: product(64, 512, 256), kernels: ['Transpose', 'MatMul'] },
    {
      name: 'many rows of the result: the right operand, and the result',
      made: product(256, 1024, 64, 0.5),
      kernels: ['Transpose', 'FusedMatMul', 'Transpose'],
    },
    { name: 'added to a sum: the left operand', made: added(64, 512, 256), kernels: ['Transpose', 'Gemm'] },
  ])('transposes the smaller operand before the product: $name', async ({ made, kernels }) => {
    const [avx2, other] = [await written(made, 8), await written(made, 16)]
    expect(avx2.kernels).toEqual(kernels)
    expect(other.kernels).toEqual([kernels.includes('Gemm') ? 'Gemm' : 'FusedMatMul'])
    // Sums of up to 1,024 products of normal numbers: of the same order, but the kernels of a machine may differ by roundings.
    for (const [i, value] of avx2.data.entries())
      expect(Math.abs(value - (other.data[i] ?? Infinity))).toBeLessThan(2e-4)
  })

  test('is one kernel where the result is small, the rows are few, or the sum would be transposed', async () => {
    for (const made of [product(32, 2048, 256), product(128, 2048, 128), product(256, 256, 256), added(256, 1024, 64)])
      expect((await written(made, 8)).kernels).toHaveLength(1)
  })

  test('batches and other layouts keep their kernel', async () => {
    expect(transposedForm([2, 1024, 256], [2, 1024, 256])).toBeUndefined()
    const both = matmulWith(random([1024, 256], 0), random([256, 1024], 1), { transposeA: true, transposeB: true })
    expect((await written(both, 8)).kernels).toEqual(['FusedMatMul'])
    const plain = matmulWith(random([256, 1024], 0), random([1024, 256], 1), {})
    expect((await written(plain, 8)).kernels).toEqual(['MatMul'])
  })
})
