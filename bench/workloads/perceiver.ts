/** A Perceiver on pixels: 2 pictures of 64 x 64, each pixel one of 4,096 inputs of 69 channels, read four times with shared weights. */
import * as ops from '../../src/ops/index.ts'
import { PerceiverClassifier } from '../../src/systems/perceiver/classifier.ts'
import { ImagePreprocessor } from '../../src/systems/perceiver/preprocess.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [batch, side, bands, latents, width, classes] = [2, 64, 16, 128, 256, 100]

export const perceiver: Workload = {
  name: 'perceiver',
  summary: `${batch} x ${side}x${side}, ${latents} latents of ${width}, 4 cross and 12 self attentions, Adam`,
  build: () => {
    const pixels = new ImagePreprocessor({
      kind: 'image',
      prep_type: 'pixels',
      size: [side, side],
      in_channels: 3,
      position: { type: 'fourier', num_bands: bands },
    })
    const model = new PerceiverClassifier(pixels, (input_channels) => ({
      input_channels,
      num_latents: latents,
      num_latent_channels: width,
      num_cross_attends: 4,
      num_blocks: 4,
      num_self_attends_per_block: 3,
      num_cross_attend_heads: 1,
      num_self_attend_heads: 8,
      share_weights: true,
      arrangement: 'interleaved',
      num_classes: classes,
    }))
    return trainable({
      model,
      batch: {
        image: randomFloats([batch, 3, side, side], 1),
        label: randomIndices([batch], classes, 2),
      },
      forward: ({ image }) => model.forward(image),
      loss: ({ image, label }) => ops.crossEntropy(model.forward(image), label),
      optimizer: { kind: 'adam', options: { lr: 1e-3 } },
    })
  },
}
