import { Tensor as OrtTensor } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { checkModelSize, exportOnnx } from '../../src/compile/export.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { newSession } from '../../src/runtime/binding.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const input = { x: { dtype: 'float32', shape: [1, 6] } } as const
const batchOf = (n: number) => ({
  dtype: 'float32' as const,
  shape: [n, 6],
  data: Float32Array.from({ length: n * 6 }, (_, i) => Math.sin(i)),
})

test('an exported model takes any batch size and agrees with the compiled function', async () => {
  manualSeed(5)
  const layer = new Linear(6, 4)
  const forward = (x: Tensor): Tensor => {
    const heads = ops.permute(ops.reshape(layer.forward(x), [-1, 2, 2]), [1, 0, 2]) // [2, N, 2]
    const rest = ops.expand(ops.reshape(ops.arange(3, undefined, { dtype: 'float32' }), [1, 3]), [x.shape[0] ?? 0, 3])
    return ops.concat([ops.reshape(ops.permute(heads, [1, 0, 2]), [x.shape[0] ?? 0, 4]), rest], 1)
  }
  const bytes = await exportOnnx({ inputs: input, forward: ({ x }) => ({ y: forward(x) }) })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  expect(session.inputMetadata.map(({ name }) => name)).toEqual(['x'])
  expect(session.outputMetadata.map(({ name }) => name)).toEqual(['y'])
  const run = compile(forward)
  for (const n of [1, 2, 5]) {
    const batch = batchOf(n)
    const { y } = session.run({ x: new OrtTensor('float32', batch.data, batch.shape) }, { y: null }, {})
    const expected = await run(batch)
    expect(y?.dims).toEqual([n, 7])
    for (const [i, value] of Array.from(y?.data as Float32Array).entries())
      expect(value).toBeCloseTo(Number(expected.array.data[i]), 5)
  }
})

test('what depends on the batch size as such cannot be exported with a symbolic one', async () => {
  await expect(
    exportOnnx({
      inputs: input,
      forward: ({ x }) => ({ y: ops.sum(ops.mul(x, Math.sin(x.shape[0] ?? 1))) }),
    }),
  ).rejects.toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: expect.stringMatching(
        /^export: a constant of type float32\[\] that is used by mul in export.test.ts:\d+ depends on the size of "batch" in a way that is not understood$/,
      ),
      hint: 'a mean or norm over the batch belongs to training, not to the exported function; or pass symbolicBatch: false',
    }),
  )
})

test('random numbers cannot be exported', async () => {
  await expect(exportOnnx({ inputs: input, forward: ({ x }) => ({ y: ops.dropout(x, 0.5) }) })).rejects.toThrow(
    'export: the function draws random numbers or reads a schedule',
  )
})

test('a model that no ONNX file can hold', () => {
  const weights = { data: { byteLength: 2 ** 30 } }
  expect(() => checkModelSize([weights])).not.toThrow()
  expect(() => checkModelSize([weights, weights])).toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: 'export: the weights have 2147483648 bytes, an ONNX file holds less than 2147483648',
      hint: 'write the weights as safetensors, which have no such limit',
    }),
  )
})

test('an error shows the batch by its name', async () => {
  const inputs = { x: { dtype: 'float32', shape: [1, 6] } } as const
  await expect(exportOnnx({ inputs, forward: ({ x }) => ({ y: ops.reshape(x, [5, -1]) }) })).rejects.toThrow(
    'reshape: [batch, 6] has 6 * batch elements, which cannot fill [5, -1]',
  )
})
