/** Where a runtime lacks a kernel, others compute the same. */
import { expect, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { emitGraph, modelBytes } from '../../src/compile/onnx.ts'
import * as ops from '../../src/ops/index.ts'
import { matmulWith } from '../../src/ops/kit.ts'
import { loadSession } from '../../src/runtime/node.ts'
import { allocate, elementCount } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

async function numbersOf(
  y: Tensor,
  hasKernel: (type: string) => boolean,
): Promise<{ found: number[]; kernels: string[] }> {
  const graph = emitGraph([y], { hasKernel })
  const session = await loadSession(modelBytes(graph), { threads: 1 })
  const inputs = graph.inputs.map(({ tensor: { source } }) => {
    if (source.kind !== 'variable') throw new Error('only variables')
    return source.variable.array
  })
  const data = allocate('float32', y.size)
  await session.run(inputs, [{ dtype: 'float32', shape: y.shape, buffer: () => data }])
  await session.release()
  return { found: Array.from(data, Number), kernels: graph.nodes.map(({ opType }) => opType) }
}

const x = new Variable([2, 3], { data: Float32Array.of(1, -200, 30, 4, 5, 6.5) })
const none = Number.NEGATIVE_INFINITY

/** Numbers up to 0.1, so that sums of many products stay small. */
const waves = (shape: readonly number[], step: number): Variable =>
  new Variable(shape, { data: Float32Array.from({ length: elementCount(shape) }, (_, i) => 0.1 * Math.sin(step * i)) })
const [scene, kernel] = [waves([2, 96, 12, 12], 0.7), waves([96, 96, 3, 3], 1.3)]
const tiles = ops.conv2d(scene, kernel, undefined, { padding: 1 })
const ofTiles = gradient(ops.mean(ops.mul(tiles, tiles)), [scene.value, kernel.value])

test.each([
  ...[tiles, ...ofTiles].map((y): [string, Tensor] => ['FusedMatMul', y]),
  ['LogSoftmax', ops.logSoftmax(x, 1)],
  ['LogSoftmax', ops.logSoftmax(x, 0)],
  ['LogSoftmax', ops.logSoftmax(ops.add(x, tensor([none, 0, 0])), -1)],
  [
    'FusedMatMul',
    matmulWith(
      x.value,
      tensor([
        [1, 2, 3],
        [0, 1, -1],
      ]),
      { transposeA: false, transposeB: true, scale: 0.5 },
    ),
  ],
])('%s', async (kernel, y) => {
  const [whole, parts] = [await numbersOf(y, () => true), await numbersOf(y, (type) => type !== kernel)]
  expect(whole.kernels).toContain(kernel)
  expect(parts.kernels).not.toContain(kernel)
  for (const [i, value] of whole.found.entries()) expect(parts.found[i]).toBeCloseTo(value, 5)
})

const [nan, infinity] = [Number.NaN, Number.POSITIVE_INFINITY]
const odd = new Variable([2, 13], {
  data: Float32Array.of(
    ...[nan, 0, -0, infinity, 3.4e38, none, -3.4e38, 1e-30, -1e-30, 3, 3, nan, 2],
    ...[0, -0, 0, -0, 5, 5, 1, 1, 1, 2e-30, -2e-30, none, infinity],
  ),
})
const picture = new Variable([2, 3, 4, 5], {
  data: Float32Array.from({ length: 120 }, (_, i) => (i % 11 === 3 ? none : (7 * i) % 13)),
})
const slopes = (y: Tensor): Tensor => {
  const weights = tensor(Array.from({ length: y.size }, (_, i) => 1 + (i % 5)))
  return gradient(ops.sum(ops.mul(ops.reshape(y, [-1]), weights)), [picture])[0] as Tensor
}

/** Everything but one kernel, as on another runtime. */
const without = (missing: string) => (type: string) => type !== missing

test.each([
  ['float64', ops.sort(odd)[0]],
  ['float64', ops.cast(ops.argsort(odd), 'float32')],
  ['float64', ops.sort(odd, -1, { descending: true })[0]],
  ['float64', ops.cast(ops.argsort(odd, -1, { descending: true }), 'float32')],
  ['float64', ops.cast(ops.topk(odd, 4, 1)[1], 'float32')],
  ['Log', ops.log(odd)],
  ['Log', ops.log1p(odd)],
  ['Relu', ops.relu(odd)],
  ['Pow', ops.pow(tensor([nan, -2, 0, 1, infinity, 2]), tensor([[2.5], [3], [-1.5]]))],
  ['MaxPool with indices', ops.maxPool2d(picture, 2)],
  ['MaxPool with indices', slopes(ops.maxPool1d(ops.reshape(picture, [2, 3, 20]), 3, { stride: 2, padding: 1 }))],
  ['MaxPool with indices', slopes(ops.maxPool2d(picture, 3, { stride: 2, padding: 1, ceilMode: true }))],
  ['MaxPool with indices', slopes(ops.maxPool2d(picture, 2, { dilation: 2, stride: 1 }))],
  ['MaxPool with indices', slopes(ops.maxPool3d(ops.reshape(picture, [1, 2, 3, 4, 5]), 2, { stride: 1 }))],
])('without %s: the same numbers, NaN and infinities too', async (missing, y) => {
  const [whole, parts] = [await numbersOf(y, () => true), await numbersOf(y, without(missing))]
  expect(parts.kernels).not.toEqual(whole.kernels)
  expect(parts.found).toEqual(whole.found)
})

test('max pooling without the kernel of places passes over NaN, unless all of a window is NaN', async () => {
  const x = new Variable([1, 1, 8], { data: Float32Array.of(1, nan, nan, nan, none, none, 4, 4) })
  const [y, g] = [ops.maxPool1d(x, 2), gradient(ops.sum(ops.maxPool1d(x, 2)), [x])[0] as Tensor]
  const has = without('MaxPool with indices')
  expect((await numbersOf(y, has)).found).toEqual([1, nan, none, 4])
  expect((await numbersOf(g, has)).found).toEqual([1, 0, 1, 0, 1, 0, 1, 0])
  // The maxima and their places at once.
  expect((await numbersOf(ops.mul(y, ops.sum(g)), has)).found).toEqual([4, nan, none, 16])
})

test('what needs float64 says so', async () => {
  await expect(numbersOf(ops.lgamma(x), without('float64'))).rejects.toThrow(
    /^lgamma computes in float64, which WebGPU lacks\n {2}in kernels\.test\.ts:\d+$/,
  )
})
