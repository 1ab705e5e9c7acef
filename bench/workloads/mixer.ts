/** MLP-Mixer: the model of the main job, and one as wide as Mixer-S for pictures of 64 x 64. */
import * as ops from '../../src/ops/index.ts'
import type { MixerConfig } from '../../src/systems/mixer/config.ts'
import { Mixer } from '../../src/systems/mixer/model.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

function mixerWorkload(name: string, batch: number, config: MixerConfig, clipNorm?: number): Workload {
  const [height, width] = config.image_size
  return {
    name,
    summary: `${batch} x ${height}x${width}, width ${config.hidden_dim}, ${config.num_blocks} blocks, AdamW`,
    build: () => {
      const model = new Mixer(config)
      return trainable({
        model,
        batch: {
          image: randomFloats([batch, config.in_channels, height, width], 1),
          label: randomIndices([batch], config.num_classes, 2),
        },
        forward: ({ image }) => model.forward(image),
        loss: ({ image, label }) => ops.crossEntropy(model.forward(image), label, { labelSmoothing: 0.05 }),
        optimizer: { kind: 'adamw', options: { lr: 1e-3, weightDecay: 0.05 }, ...(clipNorm && { clipNorm }) },
      })
    },
  }
}

export const mixerMnist = mixerWorkload(
  'mixer-mnist',
  128,
  {
    patch_size: [7, 7],
    image_size: [28, 28],
    in_channels: 1,
    num_classes: 10,
    num_blocks: 4,
    hidden_dim: 96,
    tokens_mlp_dim: 48,
    channels_mlp_dim: 192,
    stoch_depth: 0,
    gelu: 'tanh',
  },
  1,
)

export const mixerSmall = mixerWorkload('mixer-s-64', 8, {
  patch_size: [8, 8],
  image_size: [64, 64],
  in_channels: 3,
  num_classes: 100,
  num_blocks: 8,
  hidden_dim: 512,
  tokens_mlp_dim: 256,
  channels_mlp_dim: 2048,
  stoch_depth: 0,
  gelu: 'tanh',
})
