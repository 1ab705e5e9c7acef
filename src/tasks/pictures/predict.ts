/** Uses of a trained classifier: predictions for picture files, and the exported model. */
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { decodeImage } from '../../data/index.ts'
import * as ops from '../../ops/index.ts'
import { elementCount, toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { meanOf } from '../../util/vectors.ts'
import { answerEach, defineUse, type Exportable, topChoices } from '../define.ts'
import { type ClassifierModel, normalizePixels } from './classifier.ts'
import type { PictureFacts } from './facts.ts'

/** A classifier and what it knows of its pictures. */
export interface PictureClassifier {
  readonly model: ClassifierModel
  readonly facts: PictureFacts
}

/** A picture as the training had them: where all were light on dark (MNIST), one with a light border, like ink on paper, is taken for its negative. */
export function likeTraining(pixels: Uint8Array, { image_size: [height, width], ground }: PictureFacts): Uint8Array {
  if (ground !== 'dark') return pixels
  const border = [...pixels.subarray(0, width), ...pixels.subarray((height - 1) * width)]
  const mean = meanOf(border)
  return mean > 127 ? pixels.map((value) => 255 - value) : pixels
}

/** The use `predict`: the most probable classes of each picture. */
export const predictPictures = defineUse({
  summary: 'the most probable classes of picture files (PNG, JPEG, WebP)',
  inputs: 'FILE...',
  options: z.strictObject({ top: z.number().int().positive().default(3).describe('classes to name, at most') }),
  run: async function* ({ model, facts }: PictureClassifier, files, { top }) {
    model.eval()
    const { image_size, in_channels, labels } = facts
    const run = compile((image: Tensor) => ops.softmax(model.forward(normalizePixels(image)), -1))
    yield* answerEach(files, async (file) => {
      const picture = await decodeImage(file, { size: image_size, channels: in_channels })
      const pixels = likeTraining(picture.data as Uint8Array, facts)
      const result = await run(constant(pixels, [1, ...picture.shape], 'uint8'))
      const choices = topChoices(toNumbers(result.array.data), (i) => labels[i] ?? String(i), top)
      return [{ input: file, choices }]
    })
    await run.release()
  },
})

/** The classifier for `image` uint8 [batch, channels, height, width] -> `logits` and `probabilities` [batch, classes]. */
export function exportClassifier({ model, facts }: PictureClassifier): Exportable<'image'> {
  const { image_size, in_channels, labels, ground } = facts
  model.eval()
  const shape = [1, in_channels, ...image_size]
  return {
    inputs: { image: { dtype: 'uint8', shape } },
    forward: ({ image }) => {
      const logits = model.forward(normalizePixels(image))
      return { logits, probabilities: ops.softmax(logits, -1) }
    },
    metadata: {
      labels: JSON.stringify(labels),
      preprocessing: JSON.stringify({
        input: 'image',
        layout: 'NCHW',
        dtype: 'uint8',
        range: [0, 255],
        size: image_size,
        channels: in_channels,
        elements: elementCount(shape),
        resize: 'shorter side to the size, bilinear, then centre crop',
        ...(ground && { ground: 'dark: a picture with a light border as its negative, 255 - x' }),
        normalization: 'inside the model: x / 127.5 - 1',
      }),
    },
  }
}
