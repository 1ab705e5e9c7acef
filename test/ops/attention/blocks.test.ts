import { expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { unmaskedAttention } from '../../../src/ops/attention/kernel.ts'
import * as ops from '../../../src/ops/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { record } from '../../../src/tensor/trace.ts'
import { expectSame } from '../../support/tensors.ts'

// 4,100 queries and as many keys: more scores than are kept.
const [length, width] = [4100, 2]
const wave = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(step * i))
const array = (shape: readonly number[], step: number) => ({
  dtype: 'float32' as const,
  shape,
  data: wave(
    shape.reduce((product, size) => product * size, 1),
    step,
  ),
})

function attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor): Tensor[] {
  const y = ops.scaledDotProductAttention(q, k, v, { mask, causal: true })
  return [y, ...gradient(ops.sum(ops.mul(y, ops.sin(y))), [q, k, v, mask])]
}

/** The same graph, but traced as for an export: one product of all queries. */
function attendWhole(...inputs: [Tensor, Tensor, Tensor, Tensor]): Tensor[] {
  return record(() => attend(...inputs)).result
}

test('attention over long sequences: blocks of queries give the output and the gradients of all at once', async () => {
  const run = compile((...inputs: [Tensor, Tensor, Tensor, Tensor]) => ({
    blocks: attend(...inputs),
    whole: attendWhole(...inputs),
  }))
  const q = array([length, width], 0.7)
  const { blocks, whole } = await run(q, array([length, width], 0.3), array([length, 1], 0.11), array([length], 0.05))
  expectSame(blocks, whole)
  await run.release()
})

test.each([
  { name: 'as many keys', queries: 300, keys: 300, mask: [1, 300, 1] },
  { name: 'fewer keys', queries: 301, keys: 170, mask: [170] },
  { name: 'more keys', queries: 290, keys: 400, mask: [2, 1, 1] },
])('causal attention by blocks that leave out keys, $name: output and gradients of all at once', async (sizes) => {
  const run = compile((...inputs: [Tensor, Tensor, Tensor, Tensor]) => ({
    blocks: attend(...inputs),
    whole: attendWhole(...inputs),
  }))
  const key = [2, sizes.keys, 3]
  const { blocks, whole } = await run(
    array([2, sizes.queries, 3], 0.7),
    array(key, 0.3),
    array(key, 0.11),
    array(sizes.mask, 0.05),
  )
  expectSame(blocks, whole)
  await run.release()
})

test('causal attention multiplies fewer keys than there are', async () => {
  const products = async (causal: boolean): Promise<number> => {
    const run = compile((q: Tensor) => ops.scaledDotProductAttention(q, q, q, { causal }), { profile: true })
    await run(array([2, 512, 4], 0.7))
    const kernels = run.program?.endProfiling() ?? []
    await run.release()
    return kernels.filter(({ op }) => op.endsWith('MatMul')).length
  }
  expect([await products(false), await products(true)]).toEqual([2, 8])
})

/** How often a kernel runs for attention over so many tokens, forward or forward and backward. */
async function countKernels(tokens: number, training: boolean, options: ops.AttentionOptions = {}) {
  const run = compile(
    (q: Tensor) => {
      const y = ops.scaledDotProductAttention(q, q, q, options)
      return training ? gradient(ops.sum(ops.mul(y, y)), [q]) : [y]
    },
    { profile: true },
  )
  await run(array([tokens, width], 0.7))
  const kernels = run.program?.endProfiling() ?? []
  await run.release()
  const count = (name: string): number => kernels.filter(({ op }) => op === name).length
  return { joined: count('MultiHeadAttention'), softmaxes: count('Softmax') }
}

test('the weights of the blocks are computed again, not kept', async () => {
  expect(await countKernels(length, true)).toEqual({ joined: 1, softmaxes: 2 })
  const mask = ops.ones([length])
  expect(await countKernels(length, true, { mask })).toEqual({ joined: 0, softmaxes: 4 })
})

test('long attention is one kernel where nobody needs the weights', async () => {
  expect(await countKernels(1024, false)).toEqual({ joined: 1, softmaxes: 0 })
  expect(await countKernels(1024, true)).toEqual({ joined: 0, softmaxes: 1 })
  expect(await countKernels(512, false)).toEqual({ joined: 0, softmaxes: 1 })
})

test.each([
  { name: 'both', outputs: [0, 1], scale: 0.9 },
  { name: 'no weights', outputs: [0], scale: 0.9 },
  { name: 'no weights, all equal', outputs: [0], scale: 0 },
])('the kernel and the products give the same attention and gradients, used: $name', async ({ outputs, scale }) => {
  const [q, k, v] = [array([2, 1, 9, 4], 0.7), array([2, 1, 33, 4], 0.3), array([2, 1, 33, 3], 0.11)]
  const results = (a: Tensor, b: Tensor, c: Tensor): Tensor[] => {
    const attended = unmaskedAttention(a, b, c, scale).filter((_, i) => outputs.includes(i))
    const loss = ops.addAll(attended.map((x) => ops.sum(ops.sin(x))))
    return [...attended, ...gradient(loss, [a, b, c])]
  }
  const forward = compile((a: Tensor, b: Tensor, c: Tensor) => results(a, b, c).slice(0, outputs.length))
  const [here, anywhere] = [compile(results), compile(results, { fused: false })]
  const expected = await anywhere(q, k, v)
  expectSame(await here(q, k, v), expected)
  expectSame(await forward(q, k, v), expected.slice(0, outputs.length))
  await Promise.all([here.release(), anywhere.release(), forward.release()])
})
