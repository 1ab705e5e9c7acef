/** The denoiser of diffusion/denoiser: the guided-diffusion U-Net on 28 x 28 pixels, told times and classes. A sampling step is its forward pass. */
import * as ops from '../../src/ops/index.ts'
import { UNetModel } from '../../src/systems/diffusion/model.ts'
import { fromNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats } from './random.ts'

const [batch, side] = [32, 28]

export const denoiser: Workload = {
  name: 'guided-unet-28',
  summary: `${batch} x ${side}x${side}, guided diffusion's U-Net, 16 to 32 channels, Adam`,
  build: () => {
    const model = new UNetModel({
      image_size: side,
      in_channels: 1,
      model_channels: 16,
      out_channels: 1,
      num_res_blocks: 1,
      attention_resolutions: [4],
      channel_mult: [1, 2, 2],
      num_head_channels: 32,
      use_scale_shift_norm: true,
      resblock_updown: true,
      use_new_attention_order: true,
      num_groups: 8,
      num_classes: 10,
    })
    // Fixed in the peer, too: row i has time 31 i and class i modulo 10.
    const rows = Array.from({ length: batch }, (_, i) => i)
    const timesteps = constant(
      Float32Array.from(rows, (i) => 31 * i),
      [batch],
      'float32',
    )
    const labels = constant(
      fromNumbers(
        'int64',
        rows.map((i) => i % 10),
      ),
      [batch],
      'int64',
    )
    const forward = (image: Tensor): Tensor => model.forward(image, timesteps, labels)
    const shape = [batch, 1, side, side]
    return trainable({
      model,
      batch: { image: randomFloats(shape, 1), noise: randomFloats(shape, 2) },
      forward: ({ image }) => forward(image),
      loss: ({ image, noise }) => ops.mseLoss(forward(image), noise),
      optimizer: { kind: 'adam', options: { lr: 1e-3 } },
    })
  },
}
