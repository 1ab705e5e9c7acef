/** Generators in BigGAN's place: the interface with and without gradients, an exported one among them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { exportOnnx } from '../../../../src/compile/export.ts'
import * as ops from '../../../../src/ops/index.ts'
import { lineOptimiser } from '../../../../src/systems/clip-video/video/line.ts'
import type { VideoGenerator } from '../../../../src/systems/clip-video/video/models.ts'
import { openOnnxGenerator } from '../../../../src/systems/clip-video/video/onnx-generator.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'
import { meanColour } from './mean-colour.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))

const side = 8
/** Three latents are the colours of the whole picture. */
const colours = (latents: Tensor): Tensor =>
  ops.broadcastTo(ops.reshape(ops.tanh(ops.slice(latents, [0, 3], 1)), [1, 3, 1, 1]), [1, 3, side, side])

const red = Float64Array.of(0.98, -0.14, -0.14)
const options = { steps: 12, cutouts: 4, lr: 0.2, latentLoss: false, classLoss: false, threads: 1 }

async function opened(): Promise<VideoGenerator> {
  const bytes = await exportOnnx({
    inputs: { latents: { dtype: 'float32', shape: [1, 4] } },
    forward: ({ latents }) => ({ picture: colours(latents) }),
    symbolicBatch: false,
  })
  const path = join(folder, 'colours.onnx')
  writeFileSync(path, bytes)
  return openOnnxGenerator(path)
}

test('with gradients and without, latents are found that show the colour', async () => {
  const byTrying = await opened()
  expect([byTrying.side, byTrying.rows, byTrying.noise, byTrying.classes]).toEqual([side, 1, 4, 0])
  const byGradient: VideoGenerator = { ...byTrying, classes: 1, generate: (latents) => colours(latents) }
  for (const generator of [byGradient, byTrying]) {
    const optimiser = lineOptimiser(generator, meanColour, options)
    const { before, after, curve, seen } = await optimiser.optimise(red, 1n)
    expect(after).toBeGreaterThan(before)
    expect([curve.length, seen.length]).toEqual([12, 256])
    const line = await optimiser.begin(red, 1n)
    const steps: number[] = []
    for (let i = 0; i < options.steps; i++) steps.push(await line.step())
    expect(steps).toEqual(curve)
    await optimiser.release()
  }
})

test('a model of another form is refused in one line', async () => {
  const path = join(folder, 'bad.onnx')
  writeFileSync(path, Uint8Array.of(1, 2, 3))
  await expect(openOnnxGenerator(path)).rejects.toThrow('is not a valid ONNX model')
})
