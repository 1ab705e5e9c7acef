/** The use `attention`: what each cross attention reads of an input (paper, Figure 3). */
import { basename } from 'node:path'
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { decodeImage } from '../../data/index.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { answerEach, defineUse, type Use } from '../../tasks/define.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureExperiment } from '../../tasks/pictures/experiment.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { mapValues } from '../../util/records.ts'
import { crossAttentionGrids, crossMapsOf } from './explain.ts'
import type { PerceiverOutputs } from './model.ts'
import type { PicturePerceiver } from './recipes.ts'

/** A trained Perceiver with the names of its classes. */
interface ReadingExperiment {
  readonly model: Module
  readonly facts: { readonly labels: readonly string[] }
}

/** How the inputs of a recipe are read and drawn. */
export interface AttentionPlan<E extends ReadingExperiment, Name extends string> {
  readonly summary: string
  /** What a latent reads: `the pixels`. */
  readonly over: string
  /** The arrays of a file's example, a batch of one each. */
  readonly read: (file: string, facts: E['facts']) => Promise<Readonly<Record<Name, NDArray>>>
  readonly outputs: (model: E['model'], inputs: Readonly<Record<Name, Tensor>>) => PerceiverOutputs
  /** Figures of the example and of the maps of each cross attention, [1, N, M] each, of at most so many latents. */
  readonly draw: (
    example: Readonly<Record<Name, NDArray>>,
    maps: readonly NDArray[],
    experiment: E,
    latents: number,
    title: string,
  ) => readonly Figure[] | Promise<readonly Figure[]>
}

/** A use that draws what the latents read of files. */
export function attentionOver<E extends ReadingExperiment, Name extends string>({
  summary,
  over,
  read,
  outputs,
  draw,
}: AttentionPlan<E, Name>): Use<E> {
  return defineUse({
    summary,
    inputs: 'FILE...',
    options: z.strictObject({
      latents: z.number().int().positive().default(32).describe('latents to draw, at most'),
      of: z
        .enum(['scores', 'weights'])
        .default('scores')
        .describe('before the softmax, as in the paper, or after it, where maps are sparse'),
    }),
    run: async function* (experiment: E, files, { latents, of }, { step, writePage }) {
      const { model, facts } = experiment
      model.eval()
      const run = compile((inputs: Readonly<Record<string, Tensor>>) => {
        const { attentions, logits } = outputs(model, inputs as Readonly<Record<Name, Tensor>>) // as `read` gives them
        return { probabilities: ops.softmax(logits, -1), maps: crossMapsOf(attentions, of) }
      })
      yield* answerEach(files, async (file) => {
        const example = await read(file, facts)
        const tensors = mapValues<string, NDArray, Tensor>(example, ({ data, shape, dtype }) =>
          constant(data, shape, dtype),
        )
        const { probabilities, maps } = await run(tensors)
        const values = toNumbers(probabilities.array.data)
        const best = values.indexOf(Math.max(...values))
        const name = basename(file)
        const arrays = maps.map(({ array }) => array)
        const section: Section = {
          title: 'What the latents read',
          intro: `Attention of each latent over ${over}, ${of === 'scores' ? 'before' : 'after'} the softmax (paper, Figure 3).`,
          figures: await draw(example, arrays, experiment, latents, name),
        }
        const found = [
          {
            label: 'predicted',
            value: facts.labels[best] ?? String(best),
            note: `${((values[best] ?? 0) * 100).toFixed(1)} %`,
          },
          { label: 'trained steps', value: step.toLocaleString('en') },
        ]
        const page = { title: `attention: ${name}`, summary: found, sections: [section] }
        return [{ input: file, file: await writePage(`attention-${name}.html`, page) }]
      })
      await run.release()
    },
  })
}

/** The use `attention` of pictures. */
export const attentionOverPictures = attentionOver<PictureExperiment<PicturePerceiver>, 'image'>({
  summary: 'what each cross attention reads of a picture, as maps on one HTML page',
  over: 'the pixels',
  read: async (file, { image_size, in_channels }) => {
    const picture = await decodeImage(file, { size: image_size, channels: in_channels })
    return { image: { ...picture, shape: [1, ...picture.shape] } }
  },
  outputs: (model, { image }) => model.outputs(normalizePixels(image)),
  draw: ({ image }, maps, { facts }, latents, title) => [
    { kind: 'pictures', title, pictures: picturesOf(image), size: 168 },
    ...crossAttentionGrids(maps, facts.image_size, latents),
  ],
})
