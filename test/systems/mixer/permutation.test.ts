/** Mixer does not know where patches and pixels lie: shuffled pictures with equally shuffled weights are the same problem. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { arrayDataset } from '../../../src/data/index.ts'
import { init } from '../../../src/nn/index.ts'
import * as ops from '../../../src/ops/index.ts'
import { AdamW } from '../../../src/optim/index.ts'
import {
  arrangePixels,
  type PatchOrder,
  patchOrder,
  pixelSources,
} from '../../../src/systems/mixer/jobs/permutation.ts'
import { Mixer } from '../../../src/systems/mixer/model.ts'
import { normalizePixels } from '../../../src/tasks/pictures/classifier.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const [side, patch, seed] = [12, 3, 5]
const config = {
  patch_size: [patch, patch],
  image_size: [side, side],
  in_channels: 1,
  num_classes: 4,
  num_blocks: 2,
  hidden_dim: 8,
  tokens_mlp_dim: 6,
  channels_mlp_dim: 12,
  stoch_depth: 0,
  gelu: 'tanh',
} as const

/** A Mixer whose every weight is random, the head too. */
function randomMixer(): Mixer {
  manualSeed(3)
  const model = new Mixer(config)
  for (const variable of model.parameters()) variable.set(init.normal(variable.shape, { std: 0.3 }))
  return model
}

/** The entries of an axis in another order: result[i] = array[order[i]]. */
function reordered({ dtype, shape, data }: NDArray, axis: number, order: Uint32Array): NDArray {
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1)
  const values = toNumbers(data)
  const moved = values.map((_, i) => {
    const place = Math.floor(i / inner) % order.length
    return values[i + ((order[place] ?? 0) - place) * inner] ?? 0
  })
  return { dtype, shape, data: Float32Array.from(moved) }
}

/** The Mixer that sees in shuffled pictures what `model` sees in the original ones. */
function shuffledMixer(model: Mixer, { patches, pixels }: PatchOrder): Mixer {
  const weights = new Map(
    [...model.stateDict()].map(([name, array]): [string, NDArray] => {
      if (name === 'stem.proj.weight') {
        const [c = 0, inner = 0] = array.shape
        const flat = { ...array, shape: [c, inner, patch * patch] }
        return [name, { ...reordered(flat, 2, pixels), shape: array.shape }]
      }
      if (name.endsWith('mlp_tokens.fc1.weight')) return [name, reordered(array, 1, patches)]
      if (/mlp_tokens\.fc2\.(weight|bias)$/.test(name)) return [name, reordered(array, 0, patches)]
      return [name, array]
    }),
  )
  const shuffled = new Mixer(config)
  shuffled.loadStateDict(weights)
  return shuffled
}

/** 24 pictures of noise, brighter the higher their label. */
function pictures() {
  const random = new Generator(9)
  const label = random.integers(0, 4, 24)
  const noise = random.integers(0, 64, 24 * side ** 2)
  const image = Uint8Array.from(noise, (value, i) => value + 60 * (label[Math.floor(i / side ** 2)] ?? 0))
  return arrayDataset({
    image: { dtype: 'uint8', shape: [24, 1, side, side], data: image },
    label: { dtype: 'int32', shape: [24], data: label },
  })
}

const context = { epoch: 0, seed: 0 }
const all = Array.from({ length: 24 }, (_, i) => i)

/** Logits before training, and the losses of 12 steps. */
async function curve(model: Mixer, data: ReturnType<typeof pictures>) {
  const batch = await data.batch(all, context)
  const logits = compile((image: Tensor) => model.forward(normalizePixels(image)))
  const before = toNumbers((await logits(batch.image)).array.data)
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2 })
  const step = compile((image: Tensor, label: Tensor) => {
    const loss = ops.crossEntropy(model.forward(normalizePixels(image)), label)
    optimizer.minimize(loss, { clipNorm: 1 })
    return loss
  })
  const losses: number[] = []
  for (let i = 0; i < 12; i++) losses.push((await step(batch.image, batch.label)).item())
  return { before, losses }
}

test('shuffled patches and pixels with equally shuffled weights: the same logits and the same training curve', async () => {
  const data = pictures()
  const model = randomMixer()
  const shuffled = shuffledMixer(model, patchOrder(side, patch, seed))
  const original = await curve(model, data)
  const moved = await curve(shuffled, arrangePixels(data, pixelSources('patches', side, patch, seed)))
  expect(original.losses.at(-1)).toBeLessThan((original.losses[0] ?? 0) * 0.9)
  for (const [i, value] of moved.before.entries()) expect(value).toBeCloseTo(original.before[i] ?? 0, 4)
  for (const [i, value] of moved.losses.entries()) expect(value).toBeCloseTo(original.losses[i] ?? 0, 3)
})

test('without moving the weights the logits differ', async () => {
  const data = pictures()
  const original = await curve(randomMixer(), data)
  const moved = await curve(randomMixer(), arrangePixels(data, pixelSources('patches', side, patch, seed)))
  const differences = moved.before.map((value, i) => Math.abs(value - (original.before[i] ?? 0)))
  expect(Math.max(...differences)).toBeGreaterThan(0.01)
})

test.each(['original', 'patches', 'global'] as const)('%s: every pixel comes from one place', (arrangement) => {
  const sources = pixelSources(arrangement, side, patch, seed)
  expect([...sources].sort((a, b) => a - b)).toEqual(Array.from({ length: side ** 2 }, (_, i) => i))
})

test('patches: what is in one patch stays in one patch', () => {
  const sources = pixelSources('patches', side, patch, seed)
  const patchOf = (i: number): number => Math.floor(i / side / patch) * (side / patch) + Math.floor((i % side) / patch)
  const origins = new Map<number, Set<number>>()
  for (const [to, from] of sources.entries()) {
    const set = origins.get(patchOf(to)) ?? new Set()
    origins.set(patchOf(to), set.add(patchOf(from)))
  }
  expect([...origins.values()].map((set) => set.size)).toEqual(Array(16).fill(1))
})
