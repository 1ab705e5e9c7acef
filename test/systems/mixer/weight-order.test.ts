import { expect, test } from 'vitest'
import { variantConfig } from '../../../src/systems/mixer/config.ts'
import { learnedWeights } from '../../../src/systems/mixer/explain.ts'
import { Mixer } from '../../../src/systems/mixer/model.ts'
import { byFrequency, meanFrequency, withInverses } from '../../../src/systems/mixer/weight-order.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'

const grid = { height: 4, width: 6 }

/** A wave of the cosine transform: its mean frequency is its own. */
function wave(u: number, v: number, size = 1): number[] {
  return Array.from({ length: 24 }, (_, i) => {
    const [y, x] = [Math.floor(i / 6), i % 6]
    return size * Math.cos((Math.PI * (y + 0.5) * u) / 4) * Math.cos((Math.PI * (x + 0.5) * v) / 6)
  })
}

const sum = (...tiles: number[][]): number[] =>
  (tiles[0] ?? []).map((_, i) => tiles.reduce((s, tile) => s + (tile[i] ?? 0), 0))

test('the mean frequency of a wave is its own, of a mixture the mean by energy', () => {
  expect(meanFrequency(wave(0, 0), grid)).toBeCloseTo(0)
  expect(meanFrequency(wave(2, 0), grid)).toBeCloseTo(0.5)
  expect(meanFrequency(wave(3, 4), grid)).toBeCloseTo(Math.hypot(3 / 4, 4 / 6))
  // Energies 4 : 1.
  expect(meanFrequency(sum(wave(2, 0, 2), wave(0, 3)), grid)).toBeCloseTo(0.5)
  expect(meanFrequency(sum(wave(1, 0, 2), wave(0, 3)), grid)).toBeCloseTo((4 * 0.25 + 0.5) / 5)
  expect(meanFrequency(new Array(24).fill(0), grid)).toBe(0)
})

test('channels count together', () => {
  expect(meanFrequency([...wave(1, 0, 2), ...wave(2, 0)], grid)).toBeCloseTo((4 * 0.25 + 0.5) / 5)
})

test('low frequencies first, each followed by its closest inverse', () => {
  const [slow, fast, middle] = [wave(0, 1), wave(3, 5), wave(2, 0)]
  const opposite = sum(wave(0, 1, -2), wave(1, 2, 0.1))
  const almost = sum(wave(2, 0, -1), wave(1, 1, 0.9))
  const ordered = withInverses(byFrequency([fast, almost, slow, opposite, middle], grid))
  expect(ordered).toEqual([slow, opposite, almost, middle, fast])
})

test('nothing is lost or doubled', () => {
  const tiles = Array.from({ length: 7 }, (_, i) => wave(i % 4, i % 6, i % 2 ? 1 : -1))
  expect(new Set(withInverses(tiles))).toEqual(new Set(tiles))
  expect(withInverses([])).toEqual([])
})

test('the section has the patches in colour and every block, all units or as many as asked', () => {
  manualSeed(0)
  const model = new Mixer({
    ...variantConfig('S/16'),
    image_size: [32, 48],
    num_blocks: 2,
    hidden_dim: 10,
    tokens_mlp_dim: 5,
    channels_mlp_dim: 4,
  })
  const { figures } = learnedWeights(model)
  expect(figures.map(({ title }) => title)).toEqual([
    'Patch projection',
    'Token mixing, block 0',
    'Token mixing, block 1',
  ])
  const [patches, block] = figures
  if (patches?.kind !== 'heatmaps' || block?.kind !== 'heatmaps') throw new Error('heatmaps expected')
  expect(patches.matrices).toHaveLength(10)
  expect(patches.matrices[0]).toMatchObject({ channels: 3, width: 16, height: 16 })
  expect(block.matrices).toHaveLength(5)
  expect(block.matrices[0]).toMatchObject({ width: 3, height: 2 })
  expect(learnedWeights(model, 4).figures.map((f) => f.kind === 'heatmaps' && f.matrices.length)).toEqual([4, 4, 4])
})
