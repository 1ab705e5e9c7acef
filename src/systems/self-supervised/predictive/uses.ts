/** The uses `sample` and `reconstruct`. */

import { basename } from 'node:path'
import { z } from 'zod'
import { decodeImage } from '../../../data/index.ts'
import { requireWritable, writeFileAtomic } from '../../../io/atomic.ts'
import { encodePng } from '../../../io/png.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import { answerEach, defineUse } from '../../../tasks/define.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { counted, suggestion } from '../../../util/words.ts'
import { drawer, reconstructor } from './drawing.ts'
import type { LearnerExperiment } from './experiment.ts'
import type { PictureLearner } from './model.ts'

/** Milliseconds between lines of progress. */
const patience = 5000

function numberOfClass({ knowsClasses }: PictureLearner, labels: readonly string[], wanted: string): number {
  if (!knowsClasses)
    throw new UsageError('sample: this model knows no classes', { hint: 'leave out --class, or train jem' })
  if (!labels.includes(wanted))
    throw new UsageError(`sample: there is no class "${wanted}"`, { hint: suggestion(wanted, labels) })
  return labels.indexOf(wanted)
}

/** The use `sample`: pictures from chance. */
export const sampleLearner = defineUse({
  summary: 'pictures from noise, as a grid in one PNG file',
  inputs: '',
  options: z.strictObject({
    count: whole.default(64).describe('pictures to draw'),
    columns: count.default(0).describe('columns of the grid; 0: nearly square'),
    class: z
      .string()
      .default('')
      .describe('of a classifier (jem): the class to draw, by its label; empty: whatever comes'),
    rounds: whole.default(20).describe('of an energy: how often its Langevin steps are repeated'),
    grid: pathSetting('PNG file for the pictures side by side; empty: --out, or samples.png in the run'),
  }),
  run: async function* (
    { model, facts, threads }: LearnerExperiment,
    _inputs,
    { count: pictures, columns, class: wanted, rounds, grid },
    { place, seed, say, signal },
  ) {
    const draw = drawer(model, threadOptions({ threads }))
    if (!draw) throw new UsageError('sample: this model draws nothing from noise')
    const classNumber = wanted === '' ? undefined : numberOfClass(model, facts.labels, wanted)
    // What cannot be written is told before the work.
    const file = grid === '' ? await place('samples.png') : grid
    await requireWritable(file)
    let told = performance.now()
    const onRound = (done: number, all: number): void => {
      if (performance.now() - told < patience) return
      told = performance.now()
      say(`round ${done} of ${all}`)
    }
    const drawn = await draw({
      count: pictures,
      rounds,
      seed,
      ...(classNumber !== undefined && { classNumber }),
      onRound,
      signal,
    })
    const sheet = pictureSheet(picturesOf(drawn), columns > 0 ? columns : undefined)
    await writeFileAtomic(file, encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels))
    yield { values: { pictures }, line: counted(pictures, 'picture') }
    yield { file }
  },
})

/** The use `reconstruct`: what the model makes of a part of each picture. */
export const reconstructPictures = defineUse({
  summary: 'what is left of a picture, and what the model makes of it, on one HTML page',
  inputs: 'FILE...',
  options: z.strictObject({
    draws: whole.default(4).describe('different parts that are hidden, beside each other'),
  }),
  run: async function* ({ model, facts, threads }: LearnerExperiment, files, { draws }, { seed, step, writePage }) {
    const reconstruct = reconstructor(model, threadOptions({ threads }))
    if (!reconstruct) throw new UsageError('reconstruct: this model hides and completes nothing')
    const { image_size, in_channels } = facts
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      const pixels = picture.data as Uint8Array
      const many: NDArray = {
        dtype: 'uint8',
        shape: [draws, ...picture.shape],
        data: Uint8Array.from({ length: draws * pixels.length }, (_, i) => pixels[i % pixels.length] ?? 0),
      }
      const { seen, drawn } = await reconstruct(many, seed)
      const name = basename(file)
      const page = await writePage(`reconstruct-${name}.html`, {
        title: `reconstruct: ${name}`,
        summary: [{ label: 'trained steps', value: step.toLocaleString('en') }],
        sections: [
          {
            title: 'What is left, and what the model makes of it',
            figures: [
              { kind: 'pictures', title: name, pictures: picturesOf(many).slice(0, 1) },
              { kind: 'pictures', title: 'Seen', pictures: picturesOf(seen) },
              { kind: 'pictures', title: 'Made of it', pictures: picturesOf(drawn) },
            ],
          },
        ],
      })
      return [{ input: file, file: page }]
    })
  },
})
