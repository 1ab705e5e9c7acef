/** The mini BigGAN: a few steps of both networks, statistics for each truncation, the same pictures for a seed. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { arrayDataset } from '../../../src/data/dataset.ts'
import { adversarialExperiment } from '../../../src/systems/clip-video/biggan/adversarial.ts'
import type { ClassFacts, OpenedClasses } from '../../../src/systems/clip-video/biggan/classes.ts'
import { judgedViews } from '../../../src/systems/clip-video/biggan/views.ts'
import { biggan as recipe } from '../../../src/systems/clip-video/recipes.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { configFrom } from '../../../src/train/settings.ts'

const [side, count] = [32, 8]
const data = arrayDataset({
  image: {
    dtype: 'uint8',
    shape: [count, 3, side, side],
    data: Uint8Array.from({ length: count * 3 * side * side }, (_, i) =>
      Math.floor(i / (3 * side * side)) % 2 === 0 ? 240 : 10,
    ),
  },
  label: { dtype: 'int32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 2) },
  style: { dtype: 'int32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => (i >> 1) % 2) },
})
const facts: ClassFacts = {
  labels: ['light', 'dark'],
  size: side,
  styles: ['openmoji', 'twemoji'],
  kinds: ['heart'],
  by: 'thing',
}
const opened = { train: data, test: data } as unknown as OpenedClasses

test('steps change both networks; an evaluation fills the statistics of every truncation', async () => {
  const sets = {
    'model.z_dim': 4,
    'model.channel_width': 3,
    'model.D_ch': 4,
    'model.n_stats': 3,
    'optimizer.redraw': 0,
    'optimizer.adversarial': 1,
    'optimizer.standing_batches': 1,
    'train.batch_size': 4,
    'train.passes': 1,
  }
  const config = configFrom(
    recipe.config,
    Object.entries(sets).map(([path, value]) => ({ path, value })),
  )
  const experiment = adversarialExperiment(config as never, facts, { seed: 0, threads: 1 })
  const { task } = experiment.prepare(opened)
  const names = ['trained.embeddings.weight', 'discriminator.linear.weight', 'model.embeddings.weight']
  const values = () => names.map((name) => String(task.variables.get(name)?.data))
  const before = values()
  for await (const batch of task.loader) {
    const { loss, d_loss } = await task.step(batch)
    expect(Number.isFinite(await loss.item()) && Number.isFinite(await d_loss?.item())).toBe(true)
  }
  for (const [i, value] of values().entries()) expect(value).not.toBe(before[i])
  const table = experiment.weights.get('generator.bn.running_vars')
  expect(toNumbers(table?.data ?? new Float32Array()).every((value) => value === 1)).toBe(true)
  const metrics = await task.evaluate()
  expect(metrics.spread).toBeGreaterThan(0)
  const [low, , high] = [0, 1, 2].map((row) => Array.from(table?.data.subarray(3 * row, 3 * row + 3) ?? [], Number))
  // More noise, more variance.
  expect(Math.max(...(high ?? []))).toBeGreaterThan(Math.max(...(low ?? [])))
  const [a, b] = [await experiment.sample([0, 1], 0.5, 3), await experiment.sample([0, 1], 0.5, 3)]
  expect(a.data).toEqual(b.data)
  expect(a.shape).toEqual([2, 3, side, side])
})

test('pictures are judged moved, mirrored and lighter or darker, with white from beyond the edge', async () => {
  manualSeed(1)
  const run = compile((x: Tensor) => judgedViews(x, { brightness: 0 }))
  const white = await run({ dtype: 'float32', shape: [2, 3, 8, 8], data: new Float32Array(384).fill(1) })
  expect(new Set(toNumbers(white.array.data))).toEqual(new Set([1]))
  const moved = await (
    await run({ dtype: 'float32', shape: [2, 3, 8, 8], data: new Float32Array(384).fill(-1) })
  ).numbers()
  expect(new Set(moved)).toEqual(new Set([-1, 1]))
})
