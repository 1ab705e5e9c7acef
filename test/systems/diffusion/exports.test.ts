/** A denoiser with its sampler as one model file: noise and classes in, a picture out, as clip-video steers it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportOnnx } from '../../../src/compile/export.ts'
import { openOnnxGenerator } from '../../../src/systems/clip-video/video/onnx-generator.ts'
import { denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { build, facts, folder, side } from './halves.ts'

test('the exported sampler is a generator for the video; its noise is a latent', async () => {
  const exportable = build(denoiser).exports.picture?.()
  if (!exportable) throw new Error('there must be an export "picture"')
  const path = join(folder, 'picture.onnx')
  writeFileSync(path, await exportOnnx({ ...exportable, symbolicBatch: false }))
  const generator = await openOnnxGenerator(path)
  expect([generator.side, generator.rows, generator.noise, generator.classes]).toEqual([
    side,
    1,
    side * side,
    facts.labels.length,
  ])
  const noise = (value: number) => new Float32Array(side * side).fill(value)
  const classes = Float32Array.from(facts.labels, (_, i) => (i === 0 ? 1 : 0))
  const [a, b, c] = [
    await generator.draw(noise(0.2), classes),
    await generator.draw(noise(0.2), classes),
    await generator.draw(noise(-0.2), classes),
  ]
  expect(a).toEqual(b)
  expect(a).not.toEqual(c)
  expect(a.length).toBe(3 * side * side)
  expect(a.every((value) => value >= -1 && value <= 1)).toBe(true)
})
