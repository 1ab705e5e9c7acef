/** What is shown and written of a mini BigGAN: sheets of its pictures by class, and a model file. */
import type { Picture } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import type { Exportable } from '../../../tasks/define.ts'
import type { BigGANExperiment } from './adversarial.ts'
import type { ClassFacts } from './classes.ts'
import type { BigGAN } from './generator.ts'

/** Columns of a sheet, at most. */
const shownClasses = 24

/** Numbers of the classes that a sheet shows: all, or some from the first to the last. */
export function classesToShow(count: number, limit = shownClasses): number[] {
  if (count <= limit) return [...Array(count).keys()]
  return Array.from({ length: limit }, (_, i) => Math.floor(((i + 0.5) * count) / limit))
}

/** A sheet with a column for each class that is shown. */
export async function samplesByClass(
  sample: BigGANExperiment['sample'],
  { labels }: ClassFacts,
  rows: number,
  truncation = 1,
): Promise<Picture> {
  const shown = classesToShow(labels.length)
  const numbers = Array.from({ length: rows }, () => shown).flat()
  return pictureSheet(picturesOf(await sample(numbers, truncation, 0)), shown.length)
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
