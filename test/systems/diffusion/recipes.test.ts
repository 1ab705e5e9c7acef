import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { arrayDataset, type Dataset } from '../../../src/data/dataset.ts'
import type { PictureFields } from '../../../src/data/layout.ts'
import { readNpz } from '../../../src/io/npz.ts'
import { decodePng } from '../../../src/io/png.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { classifier, denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { samplePictures } from '../../../src/systems/diffusion/sample.ts'
import type { Answer, UseContext } from '../../../src/tasks/define.ts'
import type { Experiment } from '../../../src/tasks/experiment.ts'
import type { OpenedPictures } from '../../../src/tasks/pictures/open.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { configure } from '../../../src/train/settings.ts'
import { Generator } from '../../../src/util/random.ts'

const side = 8

/** Pictures that are bright on the left, or on the right. */
function halves(count: number, seed: number): Dataset<PictureFields> {
  const random = new Generator(seed).uniform(count * side ** 2)
  const pixels = Uint8Array.from(random, (value, i) => {
    const isRight = i % side >= side / 2
    const label = Math.floor(i / side ** 2) % 2
    return (isRight === (label === 1) ? 200 : 20) + 30 * value
  })
  return arrayDataset({
    image: { dtype: 'uint8', shape: [count, 1, side, side], data: pixels },
    label: { dtype: 'int32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 2) },
  })
}

const facts = { labels: ['left', 'right'], image_size: [side, side], in_channels: 1 }
const data = { train: halves(512, 1), test: halves(64, 2), facts } as unknown as OpenedPictures

const tiny = {
  'model.model_channels': 8,
  'model.channel_mult': [1, 2],
  'model.attention_resolutions': [2],
  'model.num_head_channels': 8,
  'model.num_groups': 4,
  'diffusion.diffusion_steps': 60,
  'optimizer.lr': 0.005,
  'optimizer.warmup_steps': 0,
  'train.batch_size': 32,
  'train.epochs': 6,
}

function build(recipe: Recipe, settings: Record<string, unknown> = {}): Experiment<OpenedPictures> {
  const assignments = Object.entries({ ...tiny, ...settings }).map(([path, value]) => ({ path, value }))
  return recipe.build(configure(recipe.config, assignments), facts, { seed: 1 }) as Experiment<OpenedPictures>
}

async function train(experiment: Experiment<OpenedPictures>, epochs: number): Promise<void> {
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < epochs; epoch++) for await (const batch of task.loader) await task.step(batch)
}

const folder = mkdtempSync(join(tmpdir(), 'tenfold-diffusion-'))

const contextWith = (classifiers: Readonly<Record<string, Experiment<OpenedPictures>>>): UseContext =>
  ({
    run: folder,
    out: undefined,
    step: 0,
    seed: 1,
    say: () => undefined,
    openRun: async (path: string) => classifiers[path],
  }) as unknown as UseContext

async function sample(
  experiment: Experiment<OpenedPictures>,
  options: Record<string, unknown>,
  context = contextWith({}),
): Promise<Answer[]> {
  const answers: Answer[] = []
  const parsed = samplePictures.options.parse(options)
  for await (const answer of samplePictures.run(experiment as never, [], parsed, context)) answers.push(answer)
  return answers
}

/** How much brighter the right half of each picture is, of 255. */
function leanings(path: string): number[] {
  const pixels = readNpz(readFileSync(path)).tensors.get('arr_0')
  const values = pixels ? toNumbers(pixels.data) : []
  const count = values.length / side ** 2
  return Array.from({ length: count }, (_, n) =>
    values
      .slice(n * side ** 2, (n + 1) * side ** 2)
      .reduce((sum, value, i) => sum + ((i % side >= side / 2 ? 1 : -1) * value) / (side ** 2 / 2), 0),
  )
}

describe('a denoiser that knows the classes', () => {
  test('learns to draw them, and shows it at evaluations', async () => {
    const experiment = build(denoiser)
    const before = await experiment.evaluate(data)
    expect(before.mse).toBeCloseTo(1, 1)
    await train(experiment, 6)
    const after = await experiment.evaluate(data)
    expect(after.mse).toBeLessThan(0.35)
    expect(await experiment.evaluate(data)).toEqual(after)

    const { samples } = (await experiment.snapshot?.(data)) ?? {}
    expect(samples).toMatchObject({ width: 2 * side + 2, height: 4 * side + 6, channels: 1 })
    expect((await experiment.snapshot?.(data))?.samples).toEqual(samples)

    const npz = join(folder, 'samples.npz')
    const answers = await sample(experiment, { steps: 12, count: 6, batch_size: 4, npz })
    expect(answers.slice(1)).toEqual([{ file: join(folder, 'samples.png') }, { file: npz }])
    const { width, height } = decodePng(readFileSync(join(folder, 'samples.png')), 'samples.png')
    expect([width, height]).toEqual([2 * side + 2, 3 * side + 4])
    for (const [i, leaning] of leanings(npz).entries()) expect(leaning * (i % 2 === 1 ? 1 : -1)).toBeGreaterThan(60)
    await sample(experiment, { steps: 12, count: 2, class: 'left', sampler: 'ancestral', npz })
    expect(Math.max(...leanings(npz))).toBeLessThan(-60)
  })

  test('what cannot be sampled', async () => {
    const experiment = build(denoiser)
    await expect(sample(experiment, { class: 'up' })).rejects.toThrow('sample: there is no class "up"')
    await expect(sample(experiment, { steps: 61 })).rejects.toThrow(
      'sample: steps must be from 2 to 60, as many as were trained, found 61',
    )
    await expect(sample(build(denoiser, { 'model.class_cond': false }), { class: 'left' })).rejects.toThrow(
      'sample: this denoiser knows no classes, so a class needs a classifier that guides',
    )
    await expect(sample(experiment, { guidance: 2 })).rejects.toThrow(
      'sample: guidance needs a classifier, found 2 without one',
    )
    await expect(sample(experiment, { sampler: 'ancestral', eta: 0.5 })).rejects.toThrow(
      'sample: eta is for the sampler ddim, found 0.5 for ancestral',
    )
    const other = build(classifier, { 'diffusion.diffusion_steps': 50 })
    await expect(sample(experiment, { classifier: 'other' }, contextWith({ other }))).rejects.toThrow(
      'sample: denoiser and classifier must have the same diffusion steps, found 60 and 50',
    )
    expect(() => build(denoiser, { 'model.channel_mult': [1, 1, 1, 1, 1] })).toThrow(
      'height and width of the pictures must be multiples of 16 for the 5 levels of model.channel_mult, found 8 x 8',
    )
    expect(() => build(denoiser, { 'diffusion.use_kl': true })).toThrow(
      'train.monitor must be loss with diffusion.use_kl, whose loss has no mse',
    )
  })
})

test('a classifier of noisy pictures guides a denoiser that knows no classes', async () => {
  const [guide, free] = [build(classifier), build(denoiser, { 'model.class_cond': false })]
  await train(guide, 2)
  await train(free, 5)
  const { accuracy = 0, accuracy_q0 = 0, accuracy_q3 = 1 } = await guide.evaluate(data)
  expect(accuracy_q0).toBeGreaterThan(0.95)
  expect(accuracy_q0).toBeGreaterThanOrEqual(accuracy)
  expect(accuracy_q3).toBeLessThan(accuracy_q0)
  const npz = join(folder, 'guided.npz')
  const options = { steps: 12, count: 6, classifier: 'guide', guidance: 4, class: 'right', npz }
  await sample(free, options, contextWith({ guide }))
  expect(leanings(npz).filter((leaning) => leaning > 40).length).toBeGreaterThanOrEqual(5)
})
