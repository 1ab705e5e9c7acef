/** Drawings and names: the compact vocabulary, views, ranks, batches without two of the same thing, and a CLIP that learns a few. */
import { describe, expect, test } from 'vitest'
import { arrayDataset } from '../../../src/data/dataset.ts'
import { DataLoader } from '../../../src/data/loader.ts'
import { CompactTokenizer, usedIds } from '../../../src/systems/clip-video/clip/compact-vocabulary.ts'
import { pairExperiment } from '../../../src/systems/clip-video/clip/contrastive.ts'
import { CLIPTokenizer } from '../../../src/systems/clip-video/clip/tokenizer.ts'
import type { OpenedPairs } from '../../../src/systems/clip-video/pairs/open.ts'
import { meanDirection, ranksOf, within } from '../../../src/systems/clip-video/pairs/retrieval.ts'
import { inRounds } from '../../../src/systems/clip-video/pairs/rounds.ts'
import { drawText, textsOf } from '../../../src/systems/clip-video/pairs/texts.ts'
import { writeView } from '../../../src/systems/clip-video/pairs/views.ts'
import { clip as recipe } from '../../../src/systems/clip-video/recipes.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { Generator } from '../../../src/util/random.ts'

const official = new CLIPTokenizer(['f o', 'fo x</w>', 'o w', 'ow l</w>'])

describe('compact vocabulary', () => {
  const ids = usedIds(official, ['fox', 'owl'])
  const tokenizer = new CompactTokenizer(official, ids, 5)

  test('official ids in their order, padding first and the end last', () => {
    expect(ids).toEqual([0, 513, 515, 516, 517])
    expect(tokenizer.read('fox owl').ids).toEqual([3, 1, 2, 4, 0])
  })

  test('what was never read is left out and named; nothing known is an error', () => {
    expect(tokenizer.read('fox x')).toEqual({ ids: [3, 1, 4, 0, 0], unknown: ['x'], tokens: 1, read: 1 })
    expect(() => tokenizer.read('zebra')).toThrow('this CLIP has never read any word of "zebra"')
    expect(tokenizer.read('fox fox x fox owl')).toMatchObject({ tokens: 4, read: 3 })
    expect(toNumbers(tokenizer.tokenize(['fox fox fox fox fox']).data)).toEqual([3, 1, 1, 1, 4])
  })
})

test('every text of a thing is made of tokens of the vocabulary', () => {
  const thing = {
    hexcode: '1F98A',
    name: 'fox',
    tags: ['animal', 'red'],
    group: 'animals-nature',
    subgroup: 'animal-mammal',
  }
  const ids = new Set(usedIds(official, textsOf([thing])))
  const random = new Generator(1)
  for (let i = 0; i < 40; i++) expect(official.encode(drawText(thing, random)).filter((id) => !ids.has(id))).toEqual([])
})

describe('views', () => {
  const side = 8
  const of = (value: number): Uint8Array => new Uint8Array(3 * side * side).fill(value)
  const plain = { shift: 0, scale: 0, flip: false, colour: 0, ground: 0, cutouts: 0 }

  test('without any change a drawing on white is as it is', () => {
    const drawing = Uint8Array.from({ length: 3 * side * side }, (_, i) => i % 251)
    const out = of(0)
    writeView([drawing, drawing], side, out, new Generator(0), plain)
    expect(out).toEqual(drawing)
  })

  test('a transparent drawing takes the colour of its ground; a part has white around', () => {
    const out = of(0)
    writeView([of(255), of(0)], side, out, new Generator(3), { ...plain, ground: 1 })
    for (const c of [0, 1, 2]) expect(new Set(out.subarray(c * 64, (c + 1) * 64)).size).toBe(1)
    expect(new Set(out).size).toBeGreaterThan(1)
    let whites = 0
    for (let seed = 0; seed < 20; seed++) {
      writeView([of(9), of(9)], side, out, new Generator(seed), { ...plain, cutouts: 1 })
      whites += out.filter((value) => value === 255).length
      expect(out.every((value) => value >= 9) && out.includes(9)).toBe(true)
    }
    expect(whites).toBeGreaterThan(0)
  })
})

test('ranks: names that fit equally well count before the right one', () => {
  const names = [Float64Array.of(1, 0), Float64Array.of(0, 1), Float64Array.of(0, 1)]
  const ranks = ranksOf([Float64Array.of(1, 0), Float64Array.of(0.6, 0.8)], names, [0, 1])
  expect(ranks).toEqual([0, 1])
  expect(within(ranks, 1)).toBe(0.5)
  expect(Array.from(meanDirection([Float64Array.of(1, 0), Float64Array.of(0, 1)]), (v) => v.toFixed(2))).toEqual([
    '0.71',
    '0.71',
  ])
})

test('rounds: several passes are one epoch, and continue where they were', async () => {
  const data = arrayDataset({ label: { dtype: 'int32', shape: [5], data: Int32Array.of(0, 1, 2, 3, 4) } })
  const make = () => inRounds(new DataLoader(data, { batchSize: 2, shuffle: true, seed: 1, dropLast: true }), 3)
  const all: string[] = []
  const whole = make()
  for (let epoch = 0; epoch < 2; epoch++) for await (const { label } of whole) all.push(String(label.data))
  expect([whole.stepsPerEpoch, all.length, whole.state().epoch]).toEqual([6, 12, 2])
  const [first, second] = [make(), make()]
  let seen = 0
  for await (const _ of first) if (++seen === 4) break
  second.restore(first.state())
  const rest: string[] = []
  for await (const { label } of second) rest.push(String(label.data))
  expect(rest).toEqual(all.slice(4, 6))
})

test('a mini CLIP learns which of four colours a picture has', async () => {
  const [side, length] = [8, 5]
  const count = 4
  const image = Uint8Array.from({ length: count * 3 * side * side }, (_, i) => {
    const [n, c] = [Math.floor(i / (3 * side * side)), Math.floor(i / (side * side)) % 3]
    return n === c ? 230 : 20
  })
  const tokens = Int32Array.from(
    { length: count * length },
    (_, i) => [1, 3 + Math.floor(i / length), 7, 0, 0][i % length] ?? 0,
  )
  const data = arrayDataset({
    image: { dtype: 'uint8', shape: [count, 3, side, side], data: image },
    tokens: { dtype: 'int32', shape: [count, length], data: tokens },
    label: { dtype: 'int32', shape: [count], data: Int32Array.of(0, 1, 2, 3) },
  })
  const sets = {
    'model.tower': 'vit',
    'model.embed_dim': 8,
    'model.vision_width': 64,
    'model.vision_layers': 1,
    'model.vision_patch_size': 4,
    'model.transformer_width': 64,
    'model.transformer_layers': 1,
    'model.context_length': length,
    'optimizer.lr': 0.001,
    'optimizer.weight_decay': 0.2,
    'optimizer.warmup_steps': 0,
    'train.batch_size': count,
    'train.passes': 30,
  }
  const config = configFrom(
    recipe.config,
    Object.entries(sets).map(([path, value]) => ({ path, value })),
  )
  const facts = { names: ['a', 'b', 'c', 'd'], tokens: [0, 1, 2, 3, 4, 5, 6, 7], size: side }
  const experiment = pairExperiment(config as never, facts, { seed: 0, threads: 1 })
  const { task } = experiment.prepare({ train: data, test: data } as unknown as OpenedPairs)
  let accuracy = 0
  for await (const batch of task.loader) accuracy = (await (await task.step(batch)).accuracy?.item()) ?? 0
  expect(accuracy).toBe(1)
  const seen = await experiment.seePictures({ dtype: 'uint8', shape: [count, 3, side, side], data: image })
  expect(seen.map((row) => Number(Math.hypot(...row).toFixed(5)))).toEqual([1, 1, 1, 1])
})
