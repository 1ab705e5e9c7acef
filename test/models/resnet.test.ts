import { expect, test } from 'vitest'
import '../../src/index.ts'
import { compile } from '../../src/compile/compile.ts'
import { ResNet, resnetStems, resnetVariants } from '../../src/models/resnet.ts'
import { init, Linear, ReLU, Sequential, summary } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Generator } from '../../src/util/random.ts'
import { expectClose } from '../support/reference.ts'
import { expectGradients, expectOutputs, readReference } from './reference.ts'

const options = { layers: [1, 2, 1, 1], numClasses: 5 } as const

test.each(['basic', 'bottleneck'] as const)(
  "%s blocks: torchvision's state dict loads; evaluation, training and gradients are equal",
  async (block) => {
    const reference = readReference(`resnet-${block}`)
    const model = init.skipInit(() => new ResNet({ ...options, block }))
    model.loadStateDict(reference.state)
    const forward = (images: Tensor = ops.zeros([])): Tensor => model.forward(images)
    model.eval()
    await expectOutputs(reference, ['images'], (images) => ({ eval: forward(images) }))
    model.train()
    // Running statistics move with every step: those of one step are compared.
    await expectOutputs(reference, ['images'], (images) => ({ train: forward(images) }))
    for (const name of ['bn1.running_mean', 'bn1.running_var']) {
      expectClose(name, model.variables().get(name)?.array, reference.tensor(name), { atol: 1e-6, rtol: 1e-5 })
    }
    await expectGradients(reference, model, ['images'], forward)
  },
)

/** Parameters as torchvision counts them; multiply-adds of convolutions and the last layer for a picture of 224 x 224. */
test.each([
  ['resnet18', 11_689_512, 1_814_073_344],
  ['resnet34', 21_797_672, 3_663_761_408],
  ['resnet26', 13_696_552, 2_342_256_640],
  ['resnet38', 19_626_792, 3_215_720_448],
  ['resnet50', 25_557_032, 4_089_184_256],
  ['resnet101', 44_549_160, 7_801_405_440],
  ['resnet152', 60_192_808, 11_513_626_624],
] as const)('%s has %i parameters and %i multiply-adds', (name, parameters, multiplyAdds) => {
  const model = init.skipInit(() => new ResNet(resnetVariants[name])).eval()
  expect(summary(model, [1, 3, 224, 224])).toMatchObject({ parameters, multiplyAdds })
})

test('stages and stems', () => {
  const shapes = (stem?: (typeof resnetStems)[keyof typeof resnetStems]) =>
    new ResNet({ block: 'basic', layers: [1, 1], width: 4, ...(stem && { stem }) })
      .eval()
      .maps(ops.zeros([2, 3, 32, 16]))
      .map(({ shape }) => shape)
  expect(shapes()).toEqual([
    [2, 4, 8, 4],
    [2, 8, 4, 2],
  ])
  expect(shapes(resnetStems.small)).toEqual([
    [2, 4, 32, 16],
    [2, 8, 16, 8],
  ])
})

test('stemWidth: the stem has other channels than the blocks', () => {
  const model = new ResNet({ block: 'basic', layers: [1, 1], width: 4, stemWidth: 6, numClasses: 0 }).eval()
  expect(model.conv1.weight.shape).toEqual([6, 3, 7, 7])
  expect(model.maps(ops.zeros([2, 3, 32, 16])).map(({ shape }) => shape)).toEqual([
    [2, 4, 8, 4],
    [2, 8, 4, 2],
  ])
})

test('the head may be absent, or another layer', () => {
  const model = new ResNet({ block: 'bottleneck', layers: [1, 1], width: 4, numClasses: 0 }).eval()
  const images = ops.zeros([2, 3, 32, 32])
  expect(model.numFeatures).toBe(32)
  expect(model.forward(images).shape).toEqual([2, 32])
  model.fc = new Sequential(new Linear(32, 16), new ReLU(), new Linear(16, 8))
  expect(model.forward(images).shape).toEqual([2, 8])
  expect([...model.namedParameters().keys()].filter((name) => name.startsWith('fc'))).toEqual([
    'fc.0.weight',
    'fc.0.bias',
    'fc.2.weight',
    'fc.2.bias',
  ])
})

test.each(['basic', 'bottleneck'] as const)(
  'zeroInitResidual: %s blocks hand their input on at first',
  async (block) => {
    const run = (layers: readonly number[]) => {
      manualSeed(0)
      const model = new ResNet({ block, layers, width: 4, numClasses: 0, zeroInitResidual: true })
      return compile((images: Tensor) => model.features(images))({
        dtype: 'float32',
        shape: [2, 3, 8, 8],
        data: new Generator(1).normal(384),
      })
    }
    const [one, three] = [await run([1]), await run([3])]
    expect(await three.numbers()).toEqual(await one.numbers())
  },
)
