/** The use `sample`: pictures from a trained BigGAN. */
import { z } from 'zod'
import { requireWritable, writeFileAtomic } from '../../../io/atomic.ts'
import { encodePng } from '../../../io/png.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import { defineUse } from '../../../tasks/define.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/words.ts'
import type { BigGANExperiment } from './adversarial.ts'
import { classesToShow } from './samples.ts'

const options = z.strictObject({
  class: z
    .string()
    .default('')
    .describe('the class to draw, by its label; empty: all of them, or 24 from the first to the last, a column each'),
  truncation: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe('largest noise, with the statistics that belong to it: small is typical, 1 is varied'),
  count: whole.default(96).describe('pictures to draw'),
})

/** Draws pictures by class, side by side in a PNG file. */
export const sampleClasses = defineUse<BigGANExperiment, z.infer<typeof options>>({
  summary: 'pictures of a class, or of all classes, as a PNG',
  inputs: '',
  options,
  run: async function* ({ sample, facts: { labels } }, _inputs, { class: wanted, truncation, count }, { place, seed }) {
    const found = labels.indexOf(wanted)
    if (wanted !== '' && found < 0)
      throw new UsageError(`sample: there is no class "${wanted}"`, { hint: suggestion(wanted, labels) })
    // What cannot be written is told before the work.
    const file = await place('samples.png')
    await requireWritable(file)
    const shown = classesToShow(labels.length)
    const numbers = Array.from({ length: count }, (_, i) => (wanted === '' ? (shown[i % shown.length] ?? 0) : found))
    const pictures = picturesOf(await sample(numbers, truncation, seed))
    const sheet = pictureSheet(pictures, wanted === '' ? Math.min(count, shown.length) : undefined)
    await writeFileAtomic(file, encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels))
    yield { file }
  },
})
