import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportOnnx } from '../../../../src/compile/export.ts'
import * as ops from '../../../../src/ops/index.ts'
import { onnxFeatureSettings, onnxFeatures } from '../../../../src/systems/diffusion/jobs/onnx-features.ts'
import { toNumbers } from '../../../../src/tensor/dtype.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-features-'))
const file = join(folder, 'network.onnx')

test('features of a network in an ONNX file: sizes, colours and range as it takes them', async () => {
  const bytes = await exportOnnx({
    inputs: { x: { dtype: 'float32', shape: [1, 4, 4, 3] } },
    forward: ({ x }) => ({
      pool: ops.mean(x, [1, 2]),
      places: ops.slice(x, [0, 2], 1),
      logits: ops.mul(ops.mean(x, [1, 2]), 0),
    }),
    metadata: {},
  })
  writeFileSync(file, bytes)
  const settings = {
    file,
    spatial: 'places',
    logits: 'logits',
    size: 4,
    channels: 3,
    layout: 'NHWC',
    low: 0,
    high: 255,
  }
  const features = await onnxFeatures(onnxFeatureSettings.parse({ ...settings, batch_size: 2 }))
  const data = Uint8Array.from({ length: 12 }, (_, i) => 10 * Math.floor(i / 4))
  const found = await features({ dtype: 'uint8', shape: [3, 1, 2, 2], data })
  expect(found.pool.shape).toEqual([3, 3])
  expect(toNumbers(found.pool.data)).toEqual([0, 0, 0, 10, 10, 10, 20, 20, 20])
  expect(found.spatial?.shape).toEqual([3, 24])
  for (const p of toNumbers(found.probabilities?.data ?? new Float32Array(1))) expect(p).toBeCloseTo(1 / 3, 6)
  const whole = await onnxFeatures(onnxFeatureSettings.parse({ file }))
  await expect(whole({ dtype: 'uint8', shape: [3, 1, 2, 2], data })).rejects.toThrow(
    'network.onnx: the network does not take these pictures',
  )
  await expect(onnxFeatures(onnxFeatureSettings.parse({ file, pool: 'pol' }))).rejects.toThrow(
    'network.onnx: the network has no output "pol"',
  )
})

test('what is no such file', async () => {
  const broken = join(folder, 'broken.onnx')
  writeFileSync(broken, 'no model')
  await expect(onnxFeatures(onnxFeatureSettings.parse({ file: broken }))).rejects.toThrow(
    'broken.onnx: must be an ONNX model that ONNX Runtime can load',
  )
  await expect(onnxFeatures(onnxFeatureSettings.parse({ file: join(folder, 'none.onnx') }))).rejects.toThrow(
    'none.onnx: no such file, or it cannot be read',
  )
})
