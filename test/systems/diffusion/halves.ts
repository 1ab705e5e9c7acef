/** Tiny denoisers of pictures that are bright on the left or on the right, and what they draw. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arrayDataset, type Dataset } from '../../../src/data/dataset.ts'
import type { PictureFields } from '../../../src/data/layout.ts'
import { readNpz } from '../../../src/io/npz.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { samplePictures } from '../../../src/systems/diffusion/sample/sample.ts'
import type { Answer, UseContext } from '../../../src/tasks/define.ts'
import type { Experiment } from '../../../src/tasks/experiment.ts'
import type { OpenedPictures } from '../../../src/tasks/pictures/open.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { Generator } from '../../../src/util/random.ts'

export const side = 8

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

export const facts = { labels: ['left', 'right'], image_size: [side, side], in_channels: 1 }
export const data = { train: halves(512, 1), test: halves(64, 2), facts } as unknown as OpenedPictures

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

export function build(
  recipe: Recipe,
  settings: Record<string, unknown> = {},
  sizes: unknown = facts,
): Experiment<OpenedPictures> {
  const assignments = Object.entries({ ...tiny, ...settings }).map(([path, value]) => ({ path, value }))
  return recipe.build(configFrom(recipe.config, assignments), sizes, { seed: 1 }) as Experiment<OpenedPictures>
}

export async function train(experiment: Experiment<OpenedPictures>, epochs: number): Promise<void> {
  const { task } = experiment.prepare(data)
  for (let epoch = 0; epoch < epochs; epoch++) for await (const batch of task.loader) await task.step(batch)
}

export const folder = mkdtempSync(join(tmpdir(), 'tenfold-diffusion-'))

export const contextWith = (classifiers: Readonly<Record<string, Experiment<OpenedPictures>>>): UseContext =>
  ({
    run: folder,
    out: undefined,
    step: 0,
    seed: 1,
    say: () => undefined,
    place: async (name: string) => join(folder, name),
    openRun: async (path: string) => classifiers[path] as never,
  }) as unknown as UseContext

export async function sample(
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
export function leanings(path: string): number[] {
  const pixels = readNpz(readFileSync(path)).tensors.get('arr_0')
  const values = pixels ? toNumbers(pixels.data) : []
  const count = values.length / side ** 2
  return Array.from({ length: count }, (_, n) =>
    values
      .slice(n * side ** 2, (n + 1) * side ** 2)
      .reduce((sum, value, i) => sum + ((i % side >= side / 2 ? 1 : -1) * value) / (side ** 2 / 2), 0),
  )
}
