/** What the page of the music video computes, without a browser: its world of drawings, the film, and the networks. */
import { expect, test } from 'vitest'
import { clipVideoProgram } from '../../src/pages/clip-video/program.ts'
import { partsOf } from '../../src/pages/clip-video/seer.ts'
import { sizes } from '../../src/pages/clip-video/settings.ts'
import { linesOf, loopOf } from '../../src/pages/clip-video/storyboard.ts'
import {
  captionOf,
  classNames,
  classOf,
  contextLength,
  differentScenes,
  draw,
  encode,
  isHeldOut,
  textOf,
  trainingScenes,
  vocabulary,
  wordsOf,
} from '../../src/pages/clip-video/world.ts'
import { Generator } from '../../src/util/random.ts'

const { side } = sizes

test('what is said of a drawing has known words only, and its end has the largest id', () => {
  const random = new Generator(1)
  for (const scene of differentScenes(100, false, random)) {
    const text = textOf(scene, random)
    expect(wordsOf(text).unknown).toEqual([])
    const ids = encode(text)
    expect(ids).toHaveLength(contextLength)
    expect(Math.max(...ids)).toBe(vocabulary.length - 1)
    expect(ids).not.toContain(-1)
  }
  expect(captionOf({ shape: 'cross', count: 2, colour: 'red', ground: 'black' })).toBe('two red crosses on black')
  expect(captionOf({ shape: 'heart', count: 1, colour: 'blue', ground: 'white' })).toBe('a blue heart')
  expect(classNames[classOf({ shape: 'cross', count: 2, colour: 'red', ground: 'black' })]).toBe('two crosses')
})

test('words that CLIP has never read are named', () => {
  expect(wordsOf('A red Zebra, on a red moon')).toEqual({
    known: ['a', 'red', 'on', 'a', 'red'],
    unknown: ['zebra', 'moon'],
  })
})

test('some combinations are never trained on', () => {
  const random = new Generator(2)
  const trained = trainingScenes(64, random)
  expect(trained.some(isHeldOut)).toBe(false)
  expect(new Set(trained.map(captionOf)).size).toBe(64)
  expect(differentScenes(20, true, random).every(isHeldOut)).toBe(true)
})

test('drawings have the two colours, and two shapes where they should; parts of them are white beside', () => {
  const random = new Generator(3)
  const scene = { shape: 'circle', count: 1, colour: 'red', ground: 'blue' } as const
  const pixels = draw(scene, random)
  const at = (x: number, y: number) => [0, 1, 2].map((c) => pixels[c * side * side + y * side + x] ?? 0)
  const [middle, corner] = [at(side / 2, side / 2), at(0, 0)]
  expect([0, 1, 2].map((i) => Math.sign(middle[i] ?? 0))).toEqual([1, -1, -1])
  expect(Math.sign(corner[2] ?? 0)).toBe(1)
  const two = draw({ ...scene, count: 2 }, random)
  const redAt = (x: number) => two[(side / 2) * side + x] ?? 0
  expect([redAt(side / 4) > 0, redAt(side / 2) > 0, redAt((3 * side) / 4) > 0]).toEqual([true, false, true])
  const parts = partsOf(new Array<Float32Array>(8).fill(pixels), random).data as Float32Array
  expect(parts.includes(1)).toBe(true)
})

test('the film goes from each line to the next, and back to the first', () => {
  const { segments, places } = loopOf(3)
  expect(segments.map(({ key }) => key)).toEqual([0, 1, 2])
  expect(segments[0]?.weights.at(0)).toBeCloseTo(0, 3)
  expect(segments[0]?.weights.at(-1)).toBeCloseTo(1, 3)
  expect(places).toHaveLength(180)
  expect(places.at(-1)).toEqual({ segment: 2, picture: 24 })
  expect(linesOf(' a red circle \n\n two rings')).toEqual(['a red circle', 'two rings'])
})

test('the networks learn, a line is steered, and there is a way between two lines', async () => {
  const { step, requests, release } = await clipVideoProgram({ seed: 1 }, { progress: () => {} })
  const first = await step()
  expect(first?.loss).toBeGreaterThan(3)
  const { count, texts, cosines } = await requests.match()
  expect([count, texts.length, cosines.length]).toEqual([64, 8, 64])
  const begun = await requests.begin({ line: 'a red circle', seed: 1, size: 'large' })
  expect(begun.curve).toEqual([])
  const steered = await requests.steer(3)
  expect(steered?.curve).toHaveLength(3)
  expect(steered?.scene.latents).not.toEqual(begun.scene.latents)
  if (!steered) return
  const way = await requests.way({ from: begun.scene, to: steered.scene, weights: [0, 1] })
  expect(way.map(({ pixels }) => pixels)).toEqual([begun.picture.pixels, steered.picture.pixels])
  await release()
})
