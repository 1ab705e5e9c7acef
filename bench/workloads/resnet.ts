/** ResNet-18 for small pictures: a 3x3 stem, four stages of two basic blocks (He et al. 2016). */
import { ResNet, resnetStems, resnetVariants } from '../../src/models/resnet.ts'
import * as ops from '../../src/ops/index.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [batch, side, classes] = [8, 64, 100]

export const resnet: Workload = {
  name: 'resnet18-64',
  summary: `${batch} x ${side}x${side}, 11.2 M parameters, SGD with momentum`,
  build: () => {
    const model = new ResNet({ ...resnetVariants.resnet18, stem: resnetStems.small, numClasses: classes })
    return trainable({
      model,
      batch: { image: randomFloats([batch, 3, side, side], 1), label: randomIndices([batch], classes, 2) },
      forward: ({ image }) => model.forward(image),
      loss: ({ image, label }) => ops.crossEntropy(model.forward(image), label),
      optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0.9 } },
    })
  },
}
