import { expect, test } from 'vitest'
import { topologicalNodes } from '../../src/autodiff/graph.ts'
import { compile } from '../../src/compile/compile.ts'
import { fuseSums } from '../../src/compile/fuse-sums.ts'
import * as ops from '../../src/ops/kit.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { RandomStream } from '../../src/util/random.ts'

const input = (name: string, shape: readonly number[]): Tensor => new Tensor('float32', shape, { kind: 'input', name })

/** Sum of a^T b over blocks of rows: a [rows, m], b [rows, n]. */
function sumOfProducts(blocks: readonly (readonly [Tensor, Tensor])[], scale = 1): Tensor {
  const products = blocks.map(([a, b]) => ops.matmulWith(a, b, { transposeA: true, scale }))
  return products.reduce((sum, product) => ops.add(sum, product))
}

/** Names and shapes of the nodes after the pass, in order. */
function fused(root: Tensor): { nodes: string[]; count: number } {
  const counts = { simplified: 0, merged: 0, folded: 0, fused: 0 }
  const roots = fuseSums([root], counts)
  const nodes = topologicalNodes(roots).map(({ op, outputs }) => `${op.name} ${outputs[0]?.shape.join('x')}`)
  return { nodes, count: counts.fused }
}

const blocksOf = (rows: number, m: number, n: number, count: number) =>
  Array.from({ length: count }, (_, i) => [input(`a${i}`, [rows, m]), input(`b${i}`, [rows, n])] as const)

test('products are added by the products, the first by itself', () => {
  const { nodes, count } = fused(sumOfProducts(blocksOf(512, 64, 256, 3)))
  expect(count).toBe(2)
  expect(nodes).toEqual(['matmul 64x256', 'addmm 64x256', 'addmm 64x256'])
})

test('where the left operands are the larger, what is summed is the transpose', () => {
  const { nodes, count } = fused(sumOfProducts(blocksOf(512, 256, 64, 3)))
  expect(count).toBe(2)
  expect(nodes).toEqual(['matmul 64x256', 'addmm 64x256', 'addmm 64x256', 'permute 256x64'])
})

test('few rows, or a sum that starts from something else, are added as they are', () => {
  expect(fused(sumOfProducts(blocksOf(32, 256, 64, 2))).nodes).toEqual(['matmul 256x64', 'addmm 256x64'])
  const [[a, b] = []] = blocksOf(512, 256, 64, 1)
  if (!a || !b) throw new Error('no block')
  const started = ops.add(input('c', [256, 64]), ops.matmulWith(a, b, { transposeA: true }))
  expect(fused(started).nodes).toEqual(['addmm 256x64'])
})

test('a product that something else uses is computed once and added', () => {
  const [[a, b] = [], [c, d] = []] = blocksOf(512, 256, 64, 2)
  if (!a || !b || !c || !d) throw new Error('no blocks')
  const [first, second] = [ops.matmulWith(a, b, { transposeA: true }), ops.matmulWith(c, d, { transposeA: true })]
  const sum = ops.add(first, second)
  expect(fused(ops.mul(sum, first)).nodes).toEqual(['matmul 256x64', 'addmm 256x64', 'mul 256x64'])
  expect(fused(ops.mul(ops.mul(sum, first), second)).nodes.filter((node) => /addmm|permute/.test(node))).toEqual([])
})

test.each([
  [256, 64],
  [64, 256],
])('[%i, %i]: the same numbers as with sums of their own', async (m, n) => {
  const rows = 512
  const arrays = [m, n, m, n, m, n].map((width, lane) => ({
    dtype: 'float32' as const,
    shape: [rows, width],
    data: new RandomStream(1).normal(0, lane, rows * width),
  }))
  const sum = (...tensors: Tensor[]): Tensor =>
    sumOfProducts(
      [0, 2, 4].map((i) => [tensors[i] as Tensor, tensors[i + 1] as Tensor] as const),
      0.5,
    )
  const values = async (fuses: boolean): Promise<number[]> => {
    const run = compile(sum, { passes: { fuseSums: fuses } })
    const y = await run(...arrays)
    const numbers = toNumbers(y.array.data)
    await run.release()
    return numbers
  }
  const [found, wanted] = [await values(true), await values(false)]
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN))))
  expect(worst).toBeLessThanOrEqual(1e-4)
})
