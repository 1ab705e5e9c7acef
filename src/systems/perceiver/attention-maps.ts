/** The use `attention`: what each cross attention reads of a picture (paper, Figure 3). */
import { basename } from 'node:path'
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { decodeImage } from '../../data/index.ts'
import * as ops from '../../ops/index.ts'
import type { HeatmapGrid, Matrix, Picture, Section } from '../../report/figures.ts'
import { answerEach, defineUse } from '../../tasks/define.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureExperiment } from '../../tasks/pictures/experiment.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import type { PicturePerceiver } from './recipes.ts'

/** Maps of one cross attention: [N, M] of each latent over the inputs, heads averaged. */
interface CrossMaps {
  readonly scores: readonly number[]
  readonly weights: readonly number[]
  readonly latents: number
}

/** Each latent's map less its mean, so that colours say more or less than the latent's average. */
function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

function matrices(maps: readonly number[], latents: number, [height, width]: readonly [number, number]): Matrix[] {
  const size = height * width
  return Array.from({ length: latents }, (_, n) => ({
    values: centred(maps.slice(n * size, (n + 1) * size)),
    width,
    height,
    caption: String(n),
  }))
}

/** One grid a cross attention: a tile a latent. */
export function crossAttentionGrids(
  all: readonly CrossMaps[],
  size: readonly [height: number, width: number],
  options: { readonly latents: number; readonly of: 'scores' | 'weights' },
): HeatmapGrid[] {
  return all.map((maps, t) => ({
    kind: 'heatmaps',
    title: `Cross attention ${t + 1}`,
    caption:
      t === 0
        ? 'A tile is one latent: red where it looks more than it does on average, blue where less.'
        : 'The same latents when they look again, knowing what they have read.',
    matrices: matrices(maps[options.of], Math.min(options.latents, maps.latents), size),
    size: 72,
  }))
}

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
      const cross = attentions.filter(({ kind }) => kind === 'cross')
      const mean = (maps: Tensor): Tensor => ops.mean(maps, 1) // [1, N, M]
      return {
        probabilities: ops.softmax(logits, -1),
        scores: cross.map((maps) => mean(maps.scores)),
        weights: cross.map((maps) => mean(maps.weights)),
      }
    })
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      const pixels = picture.data as Uint8Array
      const { probabilities, scores, weights } = await run(constant(pixels, [1, ...picture.shape], 'uint8'))
      const values = toNumbers(probabilities.array.data)
      const best = values.indexOf(Math.max(...values))
      const maps = scores.map(
        (score, t): CrossMaps => ({
          scores: toNumbers(score.array.data),
          weights: toNumbers((weights[t] as Tensor).array.data),
          latents: sizeOf(score.shape, 1),
        }),
      )
      const grids = crossAttentionGrids(maps, image_size, { latents, of })
      const name = basename(file)
      const section: Section = {
        title: 'What the latents read',
        intro: `Attention of each latent over the pixels, ${of === 'scores' ? 'before' : 'after'} the softmax (paper, Figure 3).`,
        figures: [{ kind: 'pictures', title: name, pictures: [asPicture(pixels, facts)], size: 168 }, ...grids],
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

/** [C, H, W] as [H, W, C]. */
function asPicture(
  pixels: Uint8Array,
  { image_size: [height, width], in_channels }: PictureExperiment<PicturePerceiver>['facts'],
): Picture {
  const size = height * width
  const interleaved = new Uint8Array(pixels.length)
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < in_channels; c++) interleaved[i * in_channels + c] = pixels[c * size + i] ?? 0
  }
  return { pixels: interleaved, width, height, channels: in_channels }
}
