/** Drawings by their principal components as a generator: a class alone is its drawing, classes mix, gradients flow. */
import { expect, test } from 'vitest'
import { eigenGenerator } from '../../../../src/systems/clip-video/video/eigen-generator.ts'
import { lineOptimiser } from '../../../../src/systems/clip-video/video/line.ts'
import { meanColour } from './mean-colour.ts'

const [size, area] = [8, 64]
const shades = [
  [250, 20, 20],
  [20, 250, 20],
  [20, 20, 250],
  [250, 250, 20],
]
const pixels = Uint8Array.from(
  { length: 4 * 3 * area },
  (_, i) => shades[Math.floor(i / (3 * area))]?.[Math.floor(i / area) % 3] ?? 0,
)
const generator = eigenGenerator(pixels, ['red', 'green', 'blue', 'yellow'], { components: 9, size })
const classes = (...values: number[]) => Float32Array.from(values)
const still = new Float32Array(3)

test('a class alone is its drawing; two halves are the mean; there are fewer components than drawings', async () => {
  expect([generator.side, generator.noise, generator.classes, generator.rows]).toEqual([size, 3, 4, 1])
  const colourOf = async (...values: number[]) => {
    const picture = await generator.draw(still, classes(...values))
    return [0, 1, 2].map((c) => Math.round(((picture[c * area] ?? 0) + 1) * 127.5))
  }
  expect(await colourOf(0, 0, 1, 0)).toEqual([20, 20, 250])
  expect(await colourOf(0.5, 0.5, 0, 0)).toEqual([135, 135, 20])
})

test('a line begins with the class that fits, and ends nearer to the words', async () => {
  const options = {
    steps: 4,
    cutouts: 2,
    lr: 0.05,
    latentLoss: true,
    classLoss: true,
    threads: 1,
    begin: 'class' as const,
  }
  const optimiser = lineOptimiser(generator, meanColour, options)
  const { first, before, after } = await optimiser.optimise(Float64Array.of(-0.5, -0.5, 0.7), 1n)
  expect(first.classes.indexOf(Math.max(...first.classes))).toBe(2)
  expect(after).toBeGreaterThan(before - 0.01)
  await optimiser.release()
})
