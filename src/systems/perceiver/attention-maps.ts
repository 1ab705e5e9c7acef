/** The use `attention`: what each cross attention reads of a file (paper, Figure 3). */
import { basename } from 'node:path'
import { z } from 'zod'
import { decodeImage } from '../../data/index.ts'
import type { Module } from '../../nn/index.ts'
import { answerEach, defineUse, type Use } from '../../tasks/define.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { count } from '../../train/settings.ts'
import { percent } from '../../util/words.ts'
import { exampleReader, type Reader, type ReaderFacts, type ReadingPlan, readingSections } from './attention-reader.ts'
import { pictureReading } from './explain.ts'
import type { PicturePerceiver } from './recipes.ts'

/** How the files of a recipe are read, and drawn. */
export interface AttentionPlan<Model extends Module, Facts extends ReaderFacts, Name extends string>
  extends ReadingPlan<Model, Facts, Name> {
  readonly summary: string
  /** The arrays of a file's example, a batch of one each. `example`: which one, counted from 0. */
  readonly read: (file: string, facts: Facts, example: number) => Promise<Readonly<Record<Name, NDArray>>>
  /** Whether a file has several examples. Default: false. */
  readonly hasSeveral?: boolean
}

const options = z.strictObject({
  latents: z.number().int().positive().default(32).describe('latents to draw, at most'),
  of: z
    .enum(['scores', 'weights'])
    .default('scores')
    .describe('before the softmax, as in the paper, or after it, where maps are sparse'),
})

type AttentionOptions = z.infer<typeof options> & { example?: number }

const optionsOfSeveral = options.extend({
  example: count.default(0).describe('which example of a file, counted from 0'),
})

/** A use that draws what the latents read of files. */
export function attentionOver<Model extends Module, Facts extends ReaderFacts, Name extends string>(
  plan: AttentionPlan<Model, Facts, Name>,
): Use<Reader<Model, Facts>> {
  const schema: z.ZodType<AttentionOptions> = plan.hasSeveral ? optionsOfSeveral : options
  return defineUse({
    summary: plan.summary,
    inputs: 'FILE...',
    options: schema,
    run: async function* (reader: Reader<Model, Facts>, files, { latents, of, example = 0 }, { step, writePage }) {
      const { facts } = reader
      const { read, release } = exampleReader(plan, reader)
      yield* answerEach(files, async (file) => {
        const arrays = await plan.read(file, facts, example)
        const reading = await read(arrays)
        const { probabilities } = reading
        const best = probabilities.indexOf(Math.max(...probabilities))
        const name = plan.hasSeveral ? `${basename(file)}[${example}]` : basename(file)
        const summary = [
          {
            label: 'predicted',
            value: facts.labels[best] ?? String(best),
            note: percent(probabilities[best] ?? 0),
          },
          { label: 'trained steps', value: step.toLocaleString('en') },
        ]
        const sections = await readingSections(plan, reader, arrays, reading, { latents, of, title: name })
        const page = plan.hasSeveral ? `attention-${basename(file)}-${example}.html` : `attention-${name}.html`
        return [{ input: file, file: await writePage(page, { title: `attention: ${name}`, summary, sections }) }]
      })
      await release()
    },
  })
}

/** The use `attention` of pictures that are read in some way. */
export function attentionOfPictures<Model extends Module>(
  reading: ReadingPlan<Model, Pick<PictureFacts, 'labels'>, 'image'>,
): Use<Reader<Model, PictureFacts>> {
  return attentionOver<Model, PictureFacts, 'image'>({
    ...reading,
    summary: 'what each cross attention reads of a picture, as maps on one HTML page',
    read: async (file, { image_size, in_channels }) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      return { image: { ...picture, shape: [1, ...picture.shape] } }
    },
  })
}

/** The use `attention` of pictures, pixel by pixel. */
export const attentionOverPictures = attentionOfPictures<PicturePerceiver>(pictureReading)
