import { describe, expect, test } from 'vitest'
import { readPytorch } from '../../../src/io/pytorch.ts'
import { skipInit } from '../../../src/nn/init.ts'
import type { Module } from '../../../src/nn/module.ts'
import * as ops from '../../../src/ops/index.ts'
import { Discriminator } from '../../../src/systems/clip-video/biggan/discriminator.ts'
import { BigGAN } from '../../../src/systems/clip-video/biggan/generator.ts'
import { bigganFromState, releasedConfig } from '../../../src/systems/clip-video/biggan/official.ts'
import { oneHotRows, truncatedNoise } from '../../../src/systems/clip-video/biggan/sampling.ts'
import { isWithin, statisticsPlace } from '../../../src/systems/clip-video/biggan/statistics.ts'
import { TrainableGenerator } from '../../../src/systems/clip-video/biggan/trainable-generator.ts'
import { ModifiedResNet } from '../../../src/systems/clip-video/clip/modified-resnet.ts'
import {
  type BigGANConfig,
  bigganVariants,
  type CLIPConfig,
  clipVariants,
} from '../../../src/systems/clip-video/config.ts'
import { CLIP, contrastiveLoss } from '../../../src/systems/clip-video/model.ts'
import { clipConfigOf, clipFromState } from '../../../src/systems/clip-video/official.ts'
import { elementCount, type NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { tensor } from '../../../src/tensor/tensor.ts'
import { MersenneTwister } from '../../../src/util/mersenne-twister.ts'
import { pytorchCheckpoint } from '../../support/pytorch.ts'
import { valuesOf } from '../../support/values.ts'

const countOf = (model: Module): number => model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)

describe('published sizes of CLIP', () => {
  test.each([
    ['RN50', 102_007_137, 489],
    ['RN101', 119_688_033, 795],
    ['RN50x4', 178_300_601, 669],
    ['RN50x16', 290_979_217, 921],
    ['RN50x64', 623_258_305, 1353],
    ['ViT-B/32', 151_277_313, 302],
    ['ViT-B/16', 149_620_737, 302],
    ['ViT-L/14', 427_616_513, 446],
    ['ViT-L/14@336px', 427_944_193, 446],
  ] as const)('%s', (name, parameters, tensors) => {
    const model = skipInit(() => new CLIP(clipVariants[name]))
    expect([countOf(model), model.variables().size]).toEqual([parameters, tensors])
    const shapes = new Map([...model.variables()].map(([key, { array }]) => [key, array]))
    expect(clipConfigOf(shapes)).toEqual(clipVariants[name])
  })
})

describe('released sizes of BigGAN-deep', () => {
  test.each([
    ['biggan-deep-128', 50_388_609, 506],
    ['biggan-deep-256', 55_880_833, 602],
    ['biggan-deep-512', 56_163_905, 698],
  ] as const)('%s', (name, parameters, tensors) => {
    const model = skipInit(() => new BigGAN(bigganVariants[name]))
    const variables = model.variables()
    expect([countOf(model), variables.size]).toEqual([parameters, tensors])
    expect(releasedConfig(new Map([...variables].map(([key, { array }]) => [key, array])))).toBe(bigganVariants[name])
  })
})

const small: CLIPConfig = {
  embed_dim: 6,
  image_resolution: 8,
  vision_layers: 1,
  vision_width: 64,
  vision_patch_size: 4,
  context_length: 5,
  vocab_size: 11,
  transformer_width: 64,
  transformer_heads: 1,
  transformer_layers: 1,
}

describe('CLIP', () => {
  test('what follows the end token has no influence, and what comes before it has', async () => {
    manualSeed(1)
    const model = new CLIP(small).eval()
    const encode = (text: number[][]) => valuesOf(() => model.encodeText(tensor(text, 'int64')))
    const [plain, padded, other] = [
      await encode([[9, 3, 10, 0, 0]]),
      await encode([[9, 3, 10, 4, 7]]),
      await encode([[9, 4, 10, 0, 0]]),
    ]
    expect(padded).toEqual(plain)
    expect(other).not.toEqual(plain)
  })

  test('equal logits cost log(batch) in both directions', async () => {
    const logits_per_image = ops.zeros([4, 4])
    const [loss] = await valuesOf(() => contrastiveLoss({ logits_per_image, logits_per_text: logits_per_image }))
    expect(loss).toBeCloseTo(Math.log(4), 6)
  })

  test('a checkpoint with its three scalars loads by the shapes of its tensors alone', async () => {
    manualSeed(2)
    const model = new CLIP(small).eval()
    const scalar = (value: number): NDArray => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) })
    const state = new Map([...model.stateDict(), ['input_resolution', scalar(8)], ['vocab_size', scalar(11)]])
    const { tensors } = readPytorch(pytorchCheckpoint(state))
    const loaded = clipFromState(new Map([...tensors].map(([key, array]) => [key.replace('state_dict.', ''), array])))
    expect(loaded.config).toEqual(small)
    expect(loaded.stateDict()).toEqual(model.stateDict())
  })

  test('what does not fit is one clear line', () => {
    expect(() => clipFromState(new Map())).toThrow('CLIP checkpoint: there is no tensor "ln_final.weight"')
    expect(() => new CLIP({ ...small, vision_patch_size: null })).toThrow(
      'CLIP: a ViT (one number of vision_layers) needs a vision_patch_size',
    )
    expect(() => new CLIP({ ...small, vision_width: 32 })).toThrow(
      'CLIP: vision_width of a ViT must be at least 64, found 32',
    )
    expect(() => new CLIP(small).eval().encodeText(tensor([[1, 2, 10]], 'int64'))).toThrow(
      'CLIP: texts must have 5 tokens, found int64[1, 3]',
    )
    expect(() => new CLIP(small).encodeImage(ops.zeros([1, 3, 8, 9]))).toThrow(
      'VisionTransformer: pictures must be [N, 3, 8, 8], found float32[1, 3, 8, 9]',
    )
    const tower = { output_dim: 4, heads: 2, input_resolution: 32, width: 2 }
    expect(() => new ModifiedResNet({ ...tower, layers: [1, 1, 1] })).toThrow(
      'ModifiedResNet: layers must be four counts of at least 1, found 1, 1, 1',
    )
    expect(() => new ModifiedResNet({ ...tower, layers: [1, 1, 1, 1], input_resolution: 31 })).toThrow(
      'ModifiedResNet: pictures must have at least 32 pixels a side, found 31',
    )
  })
})

const tiny: BigGANConfig = {
  output_dim: 8,
  z_dim: 4,
  class_embed_dim: 4,
  channel_width: 3,
  num_classes: 3,
  layers: [
    [true, 16, 8],
    [false, 8, 4],
    [false, 4, 2],
    [false, 2, 1],
  ],
  attention_layer_position: 1,
  eps: 1e-4,
  n_stats: 6,
}

describe('BigGAN', () => {
  test('equal latents for all layers are one latent, and the row of the attention has no effect', async () => {
    manualSeed(3)
    const model = new BigGAN({ ...tiny, channel_width: 4 }).eval()
    const row = [0.3, -1.2, 0.4, 2]
    const one = await valuesOf(() => model.forward(tensor([row]), tensor([[0, 1, 0]]), 0.6))
    const rows = Array.from({ length: 6 }, () => row)
    const classes = Array.from({ length: 6 }, () => [0, 1, 0])
    const layered = (noises: number[][]) => valuesOf(() => model.layered(tensor(noises), tensor(classes), 0.6))
    const same = await layered(rows)
    expect(Math.max(...same.map((value, i) => Math.abs(value - (one[i] ?? 0))))).toBeLessThan(1e-5)
    // Row 2 is that of layer 1, the attention.
    expect(await layered(rows.map((old, i) => (i === 2 ? [9, 9, 9, 9] : old)))).toEqual(same)
    expect(await layered(rows.map((old, i) => (i === 3 ? [9, 9, 9, 9] : old)))).not.toEqual(same)
  })

  test('rows of the statistics, with the roundings of the official code', () => {
    expect(statisticsPlace(1, 51)).toEqual({ index: 50, coefficient: 0 })
    expect(statisticsPlace(0.5, 6)).toEqual({ index: 2, coefficient: 0.5 })
    expect(statisticsPlace(0.58, 51)).toMatchObject({ index: 28 })
    expect(isWithin(statisticsPlace(1, 50), 50)).toBe(false)
    expect(() => statisticsPlace(0, 51)).toThrow('BigGAN: truncation must be above 0 and at most 1, found 0')
    expect(() => new BigGAN({ ...tiny, n_stats: 50 }).eval().forward(ops.zeros([1, 4]), ops.zeros([1, 3]), 1)).toThrow(
      'BigGAN: truncation 1 leads behind the 50 rows of the statistics (rounding of the official code)',
    )
  })

  test('truncated noise is within twice the truncation, and its median 0', () => {
    expect([...truncatedNoise([0.5, 0, 1], 0.5)].map((value) => Math.round(1e5 * value) / 1e5)).toEqual([0, -1, 1])
    // numpy.random.RandomState(0).random_sample(3)
    expect([...new MersenneTwister(0).uniform(3)]).toEqual([0.5488135039273248, 0.7151893663724195, 0.6027633760716439])
    expect(() => oneHotRows([1, 2], 3)).toThrow(
      'BigGAN: there must be one class, or one for each of the 3 pictures, found 2',
    )
    expect(() => oneHotRows(1000, 1)).toThrow('BigGAN: classes must be whole numbers from 0 to 999, found 1000')
  })

  test('checkpoints and configurations that do not fit are one clear line', () => {
    expect(() => bigganFromState(new Map())).toThrow('BigGAN checkpoint: no released model has 0 layers')
    expect(() => new BigGAN({ ...tiny, channel_width: 2 })).toThrow('BigGAN: channel_width must be at least 3, found 2')
    expect(() => new BigGAN({ ...tiny, layers: [[true, 8, 4]] })).toThrow(
      'BigGAN: layer 0 must begin with the 16 channels before it, found 8',
    )
    expect(() => new BigGAN({ ...tiny, layers: [[true, 16, 4]] })).toThrow(
      'BigGAN: layer 0 must keep or halve its 16 channels, found 4',
    )
    expect(() => new BigGAN({ ...tiny, layers: [[true, 16, 8]] })).toThrow(
      'BigGAN: the last layer must end with 1 times the channel_width',
    )
    const model = new BigGAN(tiny).eval()
    expect(() => model.layered(ops.zeros([4, 4]), ops.zeros([4, 3]), 1)).toThrow(
      'BigGAN: 6 latents are needed, one for each layer, found 4',
    )
  })

  test('the networks that are trained, other resolutions', async () => {
    manualSeed(4)
    const config = {
      G_ch: 1,
      G_depth: 2,
      dim_z: 3,
      bottom_width: 4,
      resolution: 64,
      G_attn: '0',
      n_classes: 2,
      num_G_SVs: 2,
      num_G_SV_itrs: 2,
      shared_dim: 0,
      BN_eps: 1e-5,
      SN_eps: 1e-6,
      G_param: 'SN',
      norm_style: 'nonorm',
      mybn: false,
    } as const
    const generator = new TrainableGenerator(config).eval()
    expect(generator.forward(ops.zeros([2, 3]), tensor([0, 1], 'int64')).shape).toEqual([2, 3, 64, 64])
    const discriminator = new Discriminator({
      D_ch: 4,
      D_depth: 1,
      resolution: 64,
      D_attn: '16',
      n_classes: 2,
      num_D_SVs: 1,
      num_D_SV_itrs: 1,
      SN_eps: 1e-6,
      output_dim: 1,
    }).eval()
    expect(discriminator.forward(ops.zeros([2, 3, 64, 64]), tensor([0, 1], 'int64')).shape).toEqual([2, 1])
    expect(discriminator.blocks[1]).toHaveLength(2)
    expect([...generator.stateDict().keys()].filter((name) => name.startsWith('blocks.0.0.bn1.stored'))).toEqual([])
    expect(() => new TrainableGenerator({ ...config, G_depth: 1 })).toThrow(
      'BigGAN: G_depth must be at least 2, for the last block of each resolution changes the channels, found 1',
    )
  })
})
