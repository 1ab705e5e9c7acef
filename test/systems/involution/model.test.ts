import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { ResNet, resnetVariants } from '../../../src/models/resnet.ts'
import type { Module } from '../../../src/nn/index.ts'
import { skipInit } from '../../../src/nn/init.ts'
import * as ops from '../../../src/ops/index.ts'
import { resLayer } from '../../../src/systems/involution/bottleneck.ts'
import { depths, variants } from '../../../src/systems/involution/config.ts'
import { countsOf } from '../../../src/systems/involution/count.ts'
import { FPN } from '../../../src/systems/involution/fpn.ts'
import { MaskHead, RPNHead } from '../../../src/systems/involution/heads.ts'
import { ImageClassifier, labelSmoothLoss, RedNet } from '../../../src/systems/involution/model.ts'
import { elementCount, type NDArray } from '../../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'

const parametersOf = (model: Module): number =>
  [...model.variables().values()].reduce((sum, { trainable, size }) => sum + (trainable ? size : 0), 0)

// The fact sheet's table. Multiply-adds of all sizes are in the case counters_224.
const published = {
  26: [9233886, 9233166, 13696552],
  38: [12387706, 12386986, 19626792],
  50: [15541526, 15540806, 25557032],
  101: [25653670, 25652950, 44549160],
  152: [33985302, 33984582, 60192808],
} as const

test("the norm behind the stem's involution is not one of `norm_cfg`, as in the official code", () => {
  const model = new RedNet({ depth: 26, stem_channels: 32, base_channels: 16, norm_cfg: { requires_grad: false } })
  const isFrozen = (name: string) => model.variables().get(name)?.frozen
  expect([isFrozen('stem.0.bn.weight'), isFrozen('stem.2.weight'), isFrozen('stem.4.bn.weight')]).toEqual([
    true,
    false,
    true,
  ])
})

describe('published sizes', () => {
  test.each(depths)('RedNet-%s with both stems, and ResNet with the same blocks', (depth) => {
    const redNet = (name: string): number =>
      parametersOf(skipInit(() => new ImageClassifier(new RedNet(variants[name] ?? { depth }))))
    const resNet = (): ImageClassifier =>
      new ImageClassifier(new ResNet({ ...resnetVariants[`resnet${depth}`], numClasses: 0 }))
    expect([redNet(`rednet${depth}-det`), redNet(`rednet${depth}`), parametersOf(skipInit(resNet))]).toEqual(
      published[depth],
    )
  })

  test.each([
    [3, 16, 4, 14746166, '2.526'],
    [5, 16, 4, 15064310, '2.601'],
    [9, 16, 4, 16177814, '2.863'],
    [7, 1, 4, 30169496, '5.303'],
    [7, 4, 4, 18467120, '3.231'],
    [7, 64, 4, 14810348, '2.586'],
    [7, 16, 1, 19381718, '3.383'],
  ])(
    'RedNet-50 with kernels of %s, groups of %s channels, reduction %s',
    (kernel_size, group_channels, reduction_ratio, params, flops) => {
      const involution = { kernel_size, group_channels, reduction_ratio }
      const build = (): ImageClassifier =>
        new ImageClassifier(new RedNet({ depth: 50, stem_involution_kernel_size: 7, involution }))
      const counts = countsOf(skipInit(build), [1, 3, 224, 224])
      expect(counts.params).toBe(params)
      expect((counts.mmcls_flops / 1e9).toFixed(3)).toBe(flops)
    },
  )

  // With frozen stem and first stage, as published: the whole detectors less the parts here are their common box head.
  test('parts of the detectors', () => {
    const neck = (operator: 'involution' | 'convolution'): number =>
      parametersOf(new FPN({ in_channels: [256, 512, 1024, 2048], out_channels: 256, num_outs: 5, operator }))
    const rpn = (operator: 'involution' | 'convolution'): number =>
      parametersOf(new RPNHead({ in_channels: 256, feat_channels: 256, num_anchors: 3, operator }))
    const mask = (operator: 'involution' | 'convolution'): number =>
      parametersOf(new MaskHead({ in_channels: 256, conv_out_channels: 256, num_classes: 80, operator }))
    const found = skipInit(() => ({
      backbone: parametersOf(new RedNet(variants['rednet50-det'] ?? { depth: 50 })),
      necks: [neck('convolution'), neck('involution')],
      rpns: [rpn('convolution'), rpn('involution')],
      masks: [mask('convolution'), mask('involution')],
    }))
    expect(found).toEqual({
      backbone: 13492526,
      necks: [3344384, 1253952],
      rpns: [593935, 71327],
      masks: [34241744 - 31598464, 29538272 - 28985424],
    })
  })
})

/** Numbers that are not negative, as ReLU gives them. */
function waves(shape: readonly number[]): NDArray {
  const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.abs(Math.sin(i)))
  return { dtype: 'float32', shape, data }
}

const tiny = { depth: 26, stem_channels: 32, base_channels: 16 } as const

test('frozen stages and norm_eval: no gradient, no new statistics', async () => {
  const images = waves([2, 3, 64, 64])
  const changed = async (frozen_stages: number, norm_eval: boolean): Promise<string[]> => {
    const model = new ImageClassifier(new RedNet({ ...tiny, frozen_stages, norm_eval }), 3).train()
    const before = model.stateDict()
    const run = compile((x: Tensor) => model.forward(x))
    await run(images)
    await run.release()
    const differs = ([name, array]: [string, NDArray]): boolean =>
      array.data.some((value, i) => value !== before.get(name)?.data[i])
    const parts = [...model.stateDict()].filter(differs).map(([name]) => name.split('.')[1] ?? '')
    return [...new Set(parts)]
  }
  expect(await changed(-1, false)).toEqual(['stem', 'layer1', 'layer2', 'layer3', 'layer4'])
  expect(await changed(1, false)).toEqual(['layer2', 'layer3', 'layer4'])
  expect(await changed(0, true)).toEqual([])
  const frozen = new RedNet({ ...tiny, frozen_stages: 1 })
  expect([...frozen.namedParameters().keys()].filter((name) => /^(stem|layer1)\./.test(name))).toEqual([])
})

test('a block begins as the identity, whatever its involution gives', async () => {
  const layer = resLayer(1, 64, 64, 4, 1).eval()
  const x = waves([1, 64, 4, 4])
  const run = compile((given: Tensor) => layer.forward(given))
  expect((await run(x)).array.data).toEqual(x.data)
  await run.release()
})

test('label smoothing is renormalised: (onehot + e / K) / (1 + e)', async () => {
  const run = compile((logits: Tensor, labels: Tensor) => labelSmoothLoss(logits, labels, 0.1))
  const loss = await run(tensor([[2, 0, 0, 0]]), tensor([0], 'int64'))
  const normaliser = Math.log(Math.exp(2) + 3)
  const target = (1 + 0.1 / 4) / 1.1
  expect(loss.item()).toBeCloseTo(normaliser - 2 * target, 5)
  await run.release()
})

describe('configurations that cannot be', () => {
  test.each([
    [{ num_stages: 5 }, 'RedNet: num_stages must be 1 to 4, found 5'],
    [{ num_stages: 2 }, 'RedNet: strides must be one for each of 2 stages, found 4'],
    [{ out_indices: [4] }, 'RedNet: out_indices must be stages 0 to 3, found [4]'],
    [{ frozen_stages: 5 }, 'RedNet: frozen_stages must be -1 to 4, found 5'],
    [{ base_channels: 8 }, 'Involution: channels must be a multiple of groupChannels = 16, found 8'],
    [{ stem_channels: 33 }, 'RedNet: stem_channels must be even, found 33'],
  ])('%o', (config, message) => {
    expect(() => new RedNet({ ...tiny, ...config })).toThrow(message)
  })

  test('necks and heads', () => {
    const fpn = { in_channels: [16, 32], out_channels: 16, num_outs: 2 }
    expect(() => new FPN({ ...fpn, num_outs: 1 })).toThrow('FPN: num_outs must be at least 2, found 1')
    expect(() => new FPN({ ...fpn, end_level: 1 })).toThrow(
      'FPN: with end_level, num_outs must be the 1 levels between, found 2',
    )
    expect(() => new FPN({ ...fpn, start_level: 2 })).toThrow(
      'FPN: levels must be from 0 to 2, found start_level 2, end_level -1',
    )
    expect(() => new FPN(fpn).forward([ops.zeros([1, 16, 4, 4])])).toThrow('FPN: there must be 2 maps, found 1')
    expect(() => new RPNHead({ in_channels: 16, feat_channels: 32, num_anchors: 3 })).toThrow(
      'RPNHead: with an involution feat_channels must be in_channels = 16, found 32',
    )
    expect(() => new MaskHead({ in_channels: 16, conv_out_channels: 32, num_classes: 2 })).toThrow(
      'MaskHead: with involutions conv_out_channels must be in_channels = 16, found 32',
    )
  })
})
