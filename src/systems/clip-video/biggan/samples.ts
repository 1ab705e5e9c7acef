/** What is drawn, shown and written of a mini BigGAN: its pictures, sheets of them by class, and a model file. */
import { compile } from '../../../compile/compile.ts'
import type { Picture, Section } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import type { Exportable } from '../../../tasks/define.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import type { ClassFacts } from './classes.ts'
import type { BigGAN } from './generator.ts'
import { oneHotRows, truncatedNoise } from './sampling.ts'

/** Pictures [count, 3, size, size], -1 to 1, by class numbers; the same ones for a seed. */
export type ClassSampler = (labels: readonly number[], truncation: number, seed: number) => Promise<NDArray>

const sampledAtOnce = 48

/** Draws with a generator: in batches of one size, the last one filled up with class 0, so that nothing is traced again. */
export function classSampler(model: BigGAN, { labels: names, size }: ClassFacts, threads: ThreadOptions): ClassSampler {
  const { z_dim } = model.config
  const classes = names.length
  const generate = compile((noise: Tensor, oneHot: Tensor, truncation: number) => {
    return model.forward(noise, oneHot, truncation)
  }, threads)
  return async (labels, truncation, seed) => {
    model.eval() // in training each call is a step of the power iteration, and a picture depends on those before it
    const random = new Generator(seed)
    const data = new Float32Array(labels.length * 3 * size * size)
    for (let start = 0; start < labels.length; start += sampledAtOnce) {
      const noise = truncatedNoise(random.uniform(sampledAtOnce * z_dim), truncation)
      const own = Array.from({ length: sampledAtOnce }, (_, i) => labels[start + i] ?? 0)
      const found = await generate(
        constant(noise, [sampledAtOnce, z_dim], 'float32'),
        constant(oneHotRows(own, sampledAtOnce, classes), [sampledAtOnce, classes], 'float32'),
        truncation,
      )
      const count = Math.min(sampledAtOnce, labels.length - start)
      data.set((found.array.data as Float32Array).subarray(0, count * 3 * size * size), start * 3 * size * size)
    }
    return { dtype: 'float32', shape: [labels.length, 3, size, size], data }
  }
}

/** Columns of a sheet, at most. */
const shownClasses = 24

/** Numbers of the classes that a sheet shows: all, or some from the first to the last. */
export function classesToShow(count: number, limit = shownClasses): number[] {
  if (count <= limit) return [...Array(count).keys()]
  return Array.from({ length: limit }, (_, i) => Math.floor(((i + 0.5) * count) / limit))
}

/** A sheet with a column for each class that is shown. */
export async function samplesByClass(
  sample: ClassSampler,
  { labels }: ClassFacts,
  rows: number,
  truncation = 1,
): Promise<Picture> {
  const shown = classesToShow(labels.length)
  const numbers = Array.from({ length: rows }, () => shown).flat()
  return pictureSheet(picturesOf(await sample(numbers, truncation, 0)), shown.length)
}

/** The section of the report: sheets at full noise and at half of it. */
export async function explainSamples(sample: ClassSampler, facts: ClassFacts): Promise<Section> {
  const names = classesToShow(facts.labels.length).map((i) => facts.labels[i])
  return {
    title: 'What it draws',
    intro: 'Each column is a class. Truncation shrinks the noise and takes the statistics that belong to it.',
    figures: await Promise.all(
      [1, 0.5].map(async (truncation) => ({
        kind: 'pictures' as const,
        title: `Truncation ${truncation}: ${names.join(', ')}`,
        pictures: [await samplesByClass(sample, facts, 4, truncation)],
        size: 816,
      })),
    ),
  }
}

/** `noise` [batch, z_dim] and `classes` [batch, num_classes] -> `picture` [batch, 3, size, size], -1 to 1, at truncation 1. */
export function exportGenerator(model: BigGAN, { labels, size }: ClassFacts): Exportable<'noise' | 'classes'> {
  model.eval()
  return {
    inputs: {
      noise: { dtype: 'float32', shape: [1, model.config.z_dim] },
      classes: { dtype: 'float32', shape: [1, labels.length] },
    },
    forward: ({ noise, classes }) => ({ picture: model.forward(noise, classes, 1) }),
    metadata: { labels: JSON.stringify(labels), size: String(size), truncation: '1' },
  }
}
