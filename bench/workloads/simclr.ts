/** SimCLR as in `self-supervised/simclr`: two views of 128 digits, a ResNet of three blocks, a projector, NT-Xent. */
import { ResNet, resnetStems } from '../../src/models/resnet.ts'
import { ntXent, SimCLR } from '../../src/systems/self-supervised/methods/simclr.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [pictures, side, width, temperature] = [128, 28, 16, 0.2]

export const simclr: Workload = {
  name: 'simclr',
  summary: `2 views of ${pictures} x ${side}x${side}, ResNet of ${width} to ${4 * width} channels, NT-Xent, Adam`,
  build: () => {
    const encoder = new ResNet({
      block: 'basic',
      layers: [1, 1, 1],
      width,
      stem: { ...resnetStems.small, stride: 2 },
      inChannels: 1,
      numClasses: 0,
    })
    const model = new SimCLR(encoder, { temperature, hidden_dim: 128, proj_out_dim: 64, num_proj_layers: 2 })
    return trainable({
      model,
      // Both views, one after the other; the labels are not looked at.
      batch: {
        image: randomFloats([2 * pictures, 1, side, side], 1),
        label: randomIndices([2 * pictures], 10, 2),
      },
      forward: ({ image }) => model.embed(image),
      loss: ({ image }) => ntXent(model.embed(image), { temperature }).loss,
      optimizer: { kind: 'adam', options: { lr: 1e-3 } },
    })
  },
}
