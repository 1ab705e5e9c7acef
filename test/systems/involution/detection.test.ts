import { describe, expect, test } from 'vitest'
import { skipInit } from '../../../src/nn/init.ts'
import * as ops from '../../../src/ops/index.ts'
import { FPN, type FPNConfig } from '../../../src/systems/involution/fpn.ts'
import { MaskHead, type MaskUpsampleConfig, RPNHead } from '../../../src/systems/involution/heads.ts'

const maps = [8, 4, 2].map((side, i) => ops.zeros([1, 16 * 2 ** i, side, side + 1]))
const base: FPNConfig = { in_channels: [16, 32, 64], out_channels: 32, num_outs: 5 }

function build(config: Partial<FPNConfig>): FPN {
  return skipInit(() => new FPN({ ...base, ...config }))
}

/** The weights of the first level beyond the backbone's, by its name. */
function extraInputs(config: Partial<FPNConfig>): number | undefined {
  return build(config).variables().get('fpn_convs.3.conv.weight')?.shape[1]
}

describe('levels of the pyramid', () => {
  test.each<[string, Partial<FPNConfig>, number[]]>([
    ['pooled', {}, [8, 4, 2, 1, 1]],
    ['convolutions', { add_extra_convs: 'on_output', relu_before_extra_convs: true }, [8, 4, 2, 1, 1]],
    ['from the second map on', { start_level: 1, num_outs: 2 }, [4, 2]],
    ['to the second map', { end_level: 2, num_outs: 2 }, [8, 4]],
    ['usual convolutions', { operator: 'convolution', num_outs: 3 }, [8, 4, 2]],
    ['norms, ReLU', { norm_cfg: {}, relu: true, no_norm_on_lateral: true, add_extra_convs: true }, [8, 4, 2, 1, 1]],
    ['linear', { upsample_cfg: { mode: 'bilinear', align_corners: false }, num_outs: 3 }, [8, 4, 2]],
  ])('%s', (_, config, heights) => {
    const found = build(config)
      .eval()
      .forward(maps)
      .map(({ shape }) => shape)
    expect(found.map(([, channels]) => channels)).toEqual(heights.map(() => 32))
    expect(found.map(([, , height]) => height)).toEqual(heights)
  })

  test('a factor in place of the finer size: maps must fit', () => {
    const upsample_cfg = { mode: 'nearest', scale_factor: 2 } as const
    const even = [8, 4, 2].map((side, i) => ops.zeros([1, 16 * 2 ** i, side, side]))
    expect(build({ upsample_cfg }).eval().forward(even)[0]?.shape).toEqual([1, 32, 8, 8])
    expect(() => build({ upsample_cfg }).eval().forward(maps)).toThrow('add:')
  })

  test('the first level beyond the last is made of the input, the lateral or the output', () => {
    expect(extraInputs({ add_extra_convs: 'on_input' })).toBe(64)
    expect(extraInputs({ add_extra_convs: true })).toBe(64)
    expect(extraInputs({ add_extra_convs: true, extra_convs_on_inputs: false })).toBe(32)
    expect(extraInputs({ add_extra_convs: 'on_lateral' })).toBe(32)
    expect(extraInputs({})).toBeUndefined()
  })
})

test('norms that are not trained: norm_cfg.requires_grad', () => {
  const names = (requires_grad: boolean): string[] => [
    ...build({ operator: 'convolution', num_outs: 3, norm_cfg: { requires_grad } }).namedParameters().keys(),
  ]
  expect(names(true).filter((name) => name.includes('.bn.')).length).toBe(12)
  expect(names(false).filter((name) => name.includes('.bn.'))).toEqual([])
})

describe('heads', () => {
  test.each<[MaskUpsampleConfig, boolean, number[]]>([
    [{ type: 'deconv', scale_factor: 2 }, false, [3, 5, 14, 14]],
    [{ type: 'nearest', scale_factor: 3 }, false, [3, 5, 21, 21]],
    [{ type: 'bilinear', scale_factor: 2 }, true, [3, 1, 14, 14]],
    [{ type: null }, true, [3, 1, 7, 7]],
  ])('masks with %o, one for all classes: %s', (upsample_cfg, class_agnostic, shape) => {
    const head = skipInit(
      () => new MaskHead({ in_channels: 16, conv_out_channels: 16, num_classes: 5, class_agnostic, upsample_cfg }),
    )
    expect(head.eval().forward(ops.zeros([3, 16, 7, 7])).shape).toEqual(shape)
  })

  test('proposals', () => {
    const head = skipInit(() => new RPNHead({ in_channels: 16, feat_channels: 16, num_anchors: 3 })).eval()
    const { scores, deltas } = head.forward(ops.zeros([2, 16, 6, 5]))
    expect([scores.shape, deltas.shape]).toEqual([
      [2, 3, 6, 5],
      [2, 12, 6, 5],
    ])
  })
})
