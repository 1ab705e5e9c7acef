import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { init, summary } from '../../../src/nn/index.ts'
import type { EncoderUNetConfig, UNetConfig } from '../../../src/systems/diffusion/config.ts'
import { EncoderUNetModel } from '../../../src/systems/diffusion/encoder.ts'
import { GaussianDiffusion } from '../../../src/systems/diffusion/gaussian-diffusion.ts'
import { SuperResModel, UNetModel } from '../../../src/systems/diffusion/model.ts'
import {
  classifierConfig,
  classifiers,
  denoisers,
  modelConfig,
  modelDefaults,
  parseFlags,
  superResConfig,
  upsamplers,
} from '../../../src/systems/diffusion/released.ts'
import { timestepEmbedding } from '../../../src/systems/diffusion/timestep-embedding.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const countOf = (model: { parameters(): { shape: readonly number[] }[] }): number =>
  model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)

const config: UNetConfig = {
  image_size: 8,
  in_channels: 1,
  model_channels: 8,
  out_channels: 2,
  num_res_blocks: 1,
  attention_resolutions: [2],
  channel_mult: [1, 2],
  num_groups: 4,
  num_classes: 3,
}

describe('the released models', () => {
  test.each([
    ['64x64_diffusion', 295_904_454],
    ['128x128_diffusion', 421_529_606],
    ['256x256_diffusion', 553_838_086],
    ['256x256_diffusion_uncond', 552_814_086],
    ['512x512_diffusion', 558_997_638],
    ['lsun_bedroom', 552_814_086],
  ] as const)('%s', (name, parameters) => {
    expect(countOf(init.skipInit(() => new UNetModel(modelConfig(denoisers[name]))))).toBe(parameters)
  })

  test.each([
    ['64_256_upsampler', 311_795_910],
    ['128_512_upsampler', 308_835_270],
  ] as const)('%s', (name, parameters) => {
    expect(countOf(init.skipInit(() => new SuperResModel(superResConfig(upsamplers[name]))))).toBe(parameters)
  })

  test.each([
    ['64x64_classifier', 65_438_568],
    ['128x128_classifier', 42_568_040],
    ['256x256_classifier', 54_096_360],
    ['512x512_classifier', 54_448_360],
  ] as const)('%s', (name, parameters) => {
    expect(countOf(init.skipInit(() => new EncoderUNetModel(classifierConfig(classifiers[name]))))).toBe(parameters)
  })

  // Fact sheet, section 10: multiply-adds of one picture, in millions.
  test.each([
    ['14 pixels, 16 channels', { model_channels: 16, num_head_channels: 16 }, [14, [1, 2]], 208_514, 14.9],
    ['14 pixels, 32 channels', { model_channels: 32, num_head_channels: 32 }, [14, [1, 2]], 826_626, 58],
    ['28 pixels, 32 channels', { model_channels: 32, num_head_channels: 32 }, [28, [1, 2, 2]], 1_370_242, 230.1],
  ] as const)('small networks: %s', (_, widths, [side, channel_mult], parameters, millions) => {
    const adm = { use_scale_shift_norm: true, resblock_updown: true, use_new_attention_order: true, num_groups: 8 }
    const { num_classes: _classes, ...plain } = config
    const attention_resolutions = [2 ** (channel_mult.length - 1)]
    const model = new UNetModel({ ...plain, ...adm, ...widths, channel_mult, attention_resolutions, image_size: side })
    const { multiplyAdds } = summary(model, [1, 1, side, side], { dtype: 'int64', shape: [1] })
    expect(countOf(model)).toBe(parameters)
    expect(multiplyAdds / 1e6).toBeCloseTo(millions, 1)
  })

  test('flags of the scripts', () => {
    const flags = parseFlags('--image_size 32 --channel_mult 1,2,2,2 --class_cond yes', modelDefaults)
    expect(modelConfig(flags)).toMatchObject({ channel_mult: [1, 2, 2, 2], num_classes: 1000 })
    expect(parseFlags('--image_size=32 --channel_mult=1,2,2,2 --class_cond yes', modelDefaults)).toEqual(flags)
    expect(parseFlags('--timestep_respacing= --dropout 0', modelDefaults)).toEqual(modelDefaults)
    expect(() => modelConfig({ ...modelDefaults, image_size: 32 })).toThrow(
      'diffusion: the official code has no channel_mult for size 32, only for 64, 128, 256, 512',
    )
    expect(() => parseFlags('--class_cond maybe', modelDefaults)).toThrow(
      'diffusion: --class_cond must be True or False, found "maybe"',
    )
    expect(() => parseFlags('--image_sise 64', modelDefaults)).toThrow('diffusion: unknown flag "--image_sise"')
    expect(() => parseFlags('--image_sise=64', modelDefaults)).toThrow('diffusion: unknown flag "--image_sise"')
    expect(() => parseFlags('--dropout=', modelDefaults)).toThrow('diffusion: --dropout must be a number, found ""')
    expect(() => parseFlags('--image_size', modelDefaults)).toThrow('diffusion: --image_size needs a value')
    expect(() => parseFlags('--dropout x', modelDefaults)).toThrow('diffusion: --dropout must be a number, found "x"')
  })
})

const pictures = constant(new Generator(1).normal(2 * 64), [2, 1, 8, 8], 'float32')
const times = constant(BigInt64Array.of(3n, 40n), [2], 'int64')
const labels = constant(BigInt64Array.of(0n, 2n), [2], 'int64')

test('an embedding of one number has none, as in the official code', () => {
  expect(timestepEmbedding(times, 3).shape).toEqual([2, 3])
  expect(timestepEmbedding(times, 1).shape).toEqual([2, 0])
})

describe('the networks', () => {
  test('an untrained U-Net predicts no noise at all', async () => {
    manualSeed(1)
    const model = new UNetModel(config)
    const run = compile((x: Tensor, t: Tensor, y: Tensor) => model.forward(x, t, y))
    const output = await run(pictures, times, labels)
    expect(output.shape).toEqual([2, 2, 8, 8])
    expect(await output.numbers()).toEqual(new Array(256).fill(0))
    await run.release()
  })

  test.each(['spatial', 'spatial_v2', 'attention', 'adaptive'] as const)('a classifier with pool %s', async (pool) => {
    manualSeed(1)
    const encoder: EncoderUNetConfig = { ...config, out_channels: 5, pool, num_head_channels: 8, num_groups: 4 }
    const model = new EncoderUNetModel(encoder)
    const run = compile((x: Tensor, t: Tensor) => model.forward(x, t))
    const logits = await run(pictures, times)
    expect(logits.shape).toEqual([2, 5])
    expect(
      (await logits.numbers()).every((value) => (pool === 'adaptive' ? value === 0 : Number.isFinite(value))),
    ).toBe(true)
    await run.release()
  })

  test.each([true, false])('signals of one axis, resblock_updown %s', async (resblock_updown) => {
    manualSeed(1)
    const model = new UNetModel({ ...config, dims: 1, resblock_updown, attention_resolutions: [1, 2] })
    const run = compile((x: Tensor, t: Tensor, y: Tensor) => model.forward(x, t, y))
    const output = await run(constant(new Generator(1).normal(24), [2, 1, 12], 'float32'), times, labels)
    expect(output.shape).toEqual([2, 2, 12])
    expect(() => new EncoderUNetModel({ ...config, dims: 1 })).toThrow('EncoderUNetModel: dims must be 2, found 1')
    await run.release()
  })

  test.each([true, false])('films, whose frames keep their number, resblock_updown %s', async (resblock_updown) => {
    manualSeed(1)
    const model = new UNetModel({ ...config, dims: 3, resblock_updown, attention_resolutions: [1, 2] })
    const run = compile((x: Tensor, t: Tensor, y: Tensor) => model.forward(x, t, y))
    const output = await run(constant(new Generator(1).normal(96), [2, 1, 3, 4, 4], 'float32'), times, labels)
    expect(output.shape).toEqual([2, 2, 3, 4, 4])
    expect(model.stateDict().get('input_blocks.0.0.weight')?.shape.slice(2)).toEqual([3, 3, 3])
    await run.release()
  })

  test('state dicts load by the official names', () => {
    const names = [...new UNetModel(config).stateDict().keys()]
    for (const name of [
      'time_embed.0.weight',
      'label_emb.weight',
      'input_blocks.0.0.weight',
      'input_blocks.2.0.op.weight',
      'middle_block.1.qkv.weight',
      'output_blocks.1.2.conv.weight',
      'out.2.bias',
    ])
      expect(names).toContain(name)
    const state = new UNetModel(config).stateDict()
    state.delete('out.2.bias')
    expect(() => new UNetModel(config).loadStateDict(state)).toThrow(/out\.2\.bias/)
  })

  test('what does not fit is one clear line', () => {
    const model = init.skipInit(() => new UNetModel(config))
    const three = constant(new Float32Array(2 * 3 * 64), [2, 3, 8, 8], 'float32')
    const odd = constant(new Float32Array(2 * 49), [2, 1, 7, 7], 'float32')
    expect(() => model.forward(three, times, labels)).toThrow(
      'UNetModel: the pictures must have 1 channels, found float32[2, 3, 8, 8]',
    )
    expect(() => model.forward(odd, times, labels)).toThrow(
      'UNetModel: height and width must be multiples of 2 for 2 levels, found float32[2, 1, 7, 7]',
    )
    expect(() => model.forward(pictures, times)).toThrow('UNetModel: a network with num_classes needs labels')
    const { num_classes: _, ...unlabelled } = config
    const plain = init.skipInit(() => new UNetModel(unlabelled))
    expect(() => plain.forward(pictures, times, labels)).toThrow(
      'UNetModel: labels were given, but the network has no num_classes',
    )
    expect(() => new UNetModel({ ...config, num_heads: 3 })).toThrow(
      'diffusion: num_heads must divide the 16 channels where there is attention, found 3',
    )
    expect(() => new UNetModel({ ...config, num_head_channels: 3 })).toThrow(
      'diffusion: num_head_channels must divide the 16 channels where there is attention, found 3',
    )
    expect(() => new UNetModel({ ...config, channel_mult: [] })).toThrow(
      'diffusion: channel_mult must have a number for each level that makes at least 1 of 8 channels, found []',
    )
    expect(() => new UNetModel({ ...config, num_groups: 32 })).toThrow(
      'GroupNorm: channels must be a multiple of groups, found 8 channels, 32 groups',
    )
    expect(() => new EncoderUNetModel({ ...config, pool: 'attention' })).toThrow(
      'EncoderUNetModel: pool "attention" needs num_head_channels, which is -1',
    )
    const process = new GaussianDiffusion({ noise_schedule: 'cosine', diffusion_steps: 50 })
    expect(() => process.pMeanVariance((x, t) => model.forward(x, t, labels), pictures, times)).toThrow(
      'diffusion: with model_var_type FIXED_LARGE the network must give 1 channels for float32[2, 1, 8, 8], found float32[2, 2, 8, 8]',
    )
  })
})
