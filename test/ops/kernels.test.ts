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
const [picture, kernel] = [waves([2, 96, 12, 12], 0.7), waves([96, 96, 3, 3], 1.3)]
const tiles = ops.conv2d(picture, kernel, undefined, { padding: 1 })
const ofTiles = gradient(ops.mean(ops.mul(tiles, tiles)), [picture.value, kernel.value])

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
