/** The use `attention`: what each cross attention reads of a picture (paper, Figure 3). */
import { basename } from 'node:path'
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { decodeImage } from '../../data/index.ts'
import * as ops from '../../ops/index.ts'
import type { Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { answerEach, defineUse } from '../../tasks/define.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureExperiment } from '../../tasks/pictures/experiment.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { crossAttentionGrids, crossMapsOf } from './explain.ts'
import type { PicturePerceiver } from './recipes.ts'

/** The use `attention`. */
export const attentionOverPictures = defineUse({
  summary: 'what each cross attention reads of a picture, as maps on one HTML page',
  inputs: 'FILE...',
  options: z.strictObject({
    latents: z.number().int().positive().default(32).describe('latents to draw, at most'),
    of: z
      .enum(['scores', 'weights'])
      .default('scores')
      .describe('before the softmax, as in the paper, or after it, where maps are sparse'),
  }),
  run: async function* (
    { model, facts }: PictureExperiment<PicturePerceiver>,
    files,
    { latents, of },
    { step, writePage },
  ) {
    model.eval()
    const { image_size, in_channels, labels } = facts
    const run = compile((image: Tensor) => {
      const { attentions, logits } = model.outputs(normalizePixels(image))
      return { probabilities: ops.softmax(logits, -1), maps: crossMapsOf(attentions, of) }
    })
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      const pixels = picture.data as Uint8Array
      const { probabilities, maps } = await run(constant(pixels, [1, ...picture.shape], 'uint8'))
      const values = toNumbers(probabilities.array.data)
      const best = values.indexOf(Math.max(...values))
      const grids = crossAttentionGrids(
        maps.map(({ array }) => array),
        image_size,
        latents,
      )
      const name = basename(file)
      const section: Section = {
        title: 'What the latents read',
        intro: `Attention of each latent over the pixels, ${of === 'scores' ? 'before' : 'after'} the softmax (paper, Figure 3).`,
        figures: [
          {
            kind: 'pictures',
            title: name,
            pictures: picturesOf({ dtype: 'uint8', shape: [1, ...picture.shape], data: pixels }),
            size: 168,
          },
          ...grids,
        ],
      }
      const summary = [
        {
          label: 'predicted',
          value: labels[best] ?? String(best),
          note: `${((values[best] ?? 0) * 100).toFixed(1)} %`,
        },
        { label: 'trained steps', value: step.toLocaleString('en') },
      ]
      const page = { title: `attention: ${name}`, summary, sections: [section] }
      return [{ input: file, file: await writePage(`attention-${name}.html`, page) }]
    })
    await run.release()
  },
})
