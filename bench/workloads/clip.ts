/** CLIP's training step: 64 pictures of 64 x 64 and 64 texts of 32 tokens, each to be found among the others. */
import { CLIP, contrastiveLoss } from '../../src/systems/clip-video/model.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [batch, side, tokens, vocabulary, width] = [64, 64, 32, 1000, 256]

export const clip: Workload = {
  name: 'clip',
  summary: `${batch} x ${side}x${side} in patches of 8, ${batch} x ${tokens} tokens, width ${width}, 4 layers each, AdamW`,
  build: () => {
    const model = new CLIP({
      embed_dim: 128,
      image_resolution: side,
      vision_layers: 4,
      vision_width: width,
      vision_patch_size: 8,
      context_length: tokens,
      vocab_size: vocabulary,
      transformer_width: width,
      transformer_heads: 4,
      transformer_layers: 4,
    })
    return trainable({
      model,
      batch: {
        image: randomFloats([batch, 3, side, side], 1),
        tokens: randomIndices([batch, tokens], vocabulary, 2),
      },
      forward: ({ image }) => model.encodeImage(image),
      loss: ({ image, tokens: ids }) => contrastiveLoss(model.forward(image, ids)),
      optimizer: { kind: 'adamw', options: { lr: 1e-3, weightDecay: 0.2 } },
    })
  },
}
