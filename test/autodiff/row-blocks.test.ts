import { describe, expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { inRowBlocks } from '../../src/autodiff/row-blocks.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { record } from '../../src/tensor/trace.ts'
import { Variable } from '../../src/tensor/variable.ts'

const numbers = (x: Tensor | undefined): number[] => (x ? toNumbers(x.array.data) : [])
const wave = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(step * i))

const weight = new Variable([3, 4], { data: wave(12, 0.9) })
const bias = new Variable([3], { data: wave(3, 0.4) })
const layer = (x: Tensor): Tensor => ops.gelu(ops.linear(x, weight, bias))

/** The number of rows of each call of `fn` in a trace. */
function rowsSeen(
  shape: readonly number[],
  options: { widest: number; axes?: number },
  tuned = true,
): (readonly number[])[] {
  const seen: (readonly number[])[] = []
  record(
    () =>
      inRowBlocks(ops.full(shape, 1), options, (rows) => {
        seen.push(rows.shape)
        return ops.mul(rows, 2)
      }),
    { tuned },
  )
  return seen
}

describe('inRowBlocks', () => {
  test('computes the function and its gradients, with a last block that is smaller', async () => {
    const x = { dtype: 'float32' as const, shape: [2, 5, 4], data: wave(40, 0.3) }
    const run = compile((input: Tensor) => {
      // 10 rows "of 700,000 elements": 7 MB, in 14 blocks of a row; then in blocks of 4, 4 and 2.
      const forms = [layer, ...[700_000, 240_000].map((widest) => (y: Tensor) => inRowBlocks(y, { widest }, layer))]
      return forms.map((form) => {
        const y = form(input)
        return [y, ...gradient(ops.sum(ops.mul(y, ops.sin(y))), [input, weight, bias])]
      })
    })
    const [plain = [], ...blocked] = await run(x)
    for (const results of blocked) {
      expect(results.map(({ shape }) => shape)).toEqual(plain.map(({ shape }) => shape))
      for (const [i, result] of results.entries()) {
        const expected = numbers(plain[i])
        for (const [j, value] of numbers(result).entries()) expect(value).toBeCloseTo(expected[j] as number, 5)
      }
    }
    await run.release()
  })

  test('blocks are even and fit 2 MB; what is small, exported or only looked at stays whole', () => {
    expect(rowsSeen([8, 512, 4], { widest: 1024 })).toEqual(new Array(8).fill([512, 4]))
    expect(rowsSeen([5, 600, 4], { widest: 1024 })).toEqual(new Array(6).fill([500, 4]))
    expect(rowsSeen([8, 256, 4], { widest: 1024 })).toEqual([[8, 256, 4]])
    expect(rowsSeen([8, 512, 4], { widest: 1024 }, false)).toEqual([[8, 512, 4]])
  })

  test('rows may have several axes left', () => {
    expect(rowsSeen([16, 3, 4], { axes: 1, widest: 262_144 })).toEqual(new Array(8).fill([2, 3, 4]))
  })

  test('names the axes that are possible', () => {
    expect(() => rowsSeen([3], { widest: 4 })).toThrow('axes must be 1 to 1')
  })

  test('the weight gradients of the blocks are added by the products themselves', async () => {
    const run = compile(
      (x: Tensor) =>
        gradient(ops.sum(inRowBlocks(x, { widest: 3_000_000 }, (rows) => ops.linear(rows, weight))), [weight]),
      { profile: true },
    )
    await run(
      tensor([
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12],
      ]),
    )
    const kernels = (run.program?.endProfiling() ?? []).map(({ op }) => op)
    await run.release()
    expect(kernels.filter((op) => op === 'Gemm')).toHaveLength(2)
    expect(kernels).not.toContain('Add')
  })
})
