import { Tensor as OrtTensor } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { exportOnnx } from '../../../src/compile/export.ts'
import { Involution } from '../../../src/nn/index.ts'
import { newSession } from '../../../src/runtime/binding.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

test('an exported layer takes any batch size and agrees with the compiled one', async () => {
  const layer = new Involution(16, 5, 2, { groupChannels: 8 })
  layer.eval()
  const bytes = await exportOnnx({
    inputs: { x: { dtype: 'float32', shape: [1, 16, 6, 8] } },
    forward: ({ x }) => ({ y: layer.forward(x) }),
  })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  const run = compile((x: Tensor) => layer.forward(x))
  for (const n of [1, 3]) {
    const data = Float32Array.from({ length: n * 16 * 48 }, (_, i) => Math.sin(i))
    const { y } = session.run({ x: new OrtTensor('float32', data, [n, 16, 6, 8]) }, { y: null }, {})
    const expected = await run({ dtype: 'float32', shape: [n, 16, 6, 8], data })
    expect(y?.dims).toEqual([n, 16, 3, 4])
    for (const [i, value] of Array.from(y?.data as Float32Array).entries())
      expect(value).toBeCloseTo(Number(expected.array.data[i]), 5)
  }
  await run.release()
})
