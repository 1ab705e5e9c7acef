/**
 * What turns pictures, videos, sound and labels into rows for a Perceiver: DeepMind's preprocessors (Apache-2.0, Perceiver IO, arXiv
 * 2107.14795, appendix), with the names of transformers' port.
 *
 * Shapes: B batch, T frames, H x W pictures, M rows of C channels.
 */
import { Conv2d, init, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'
import { ConvDownsample, type ConvPadding, convolutionCount, shrunk } from './convolution.ts'
import { PositionEncoder, type PositionOptions } from './positions.ts'

/** Something that makes rows: [B, ...] -> [B, M, outputChannels]. */
export type Preprocessor = Module & {
  readonly outputChannels: number
  readonly rows: number
  forward(input: Tensor): Tensor
}

export interface ImagePreprocessorConfig extends PositionOptions {
  readonly kind: 'image'
  /** `pixels`: each pixel is a row; `patches`: each block of pixels; `conv1x1` and `conv`: each pixel of a convolution's output. */
  readonly prep_type: 'pixels' | 'patches' | 'conv1x1' | 'conv'
  /** [H, W], or [T, H, W] of a video. */
  readonly size: readonly number[]
  readonly in_channels: number
  /** Of height and width; with `conv` a power of 4. Default: 1. */
  readonly spatial_downsample?: number
  /** Of the frames; with a convolution 1. Default: 1. */
  readonly temporal_downsample?: number
  /** Channels after a convolution, or after the linear layer behind the patches. Default: 64. */
  readonly num_channels?: number
  readonly conv_after_patching?: boolean
  readonly conv2d_use_batchnorm?: boolean
  /** Whose convolutions `conv` has: with `symmetric` it is always one. Default: same. */
  readonly conv_padding?: ConvPadding
}

export interface AudioPreprocessorConfig extends PositionOptions {
  readonly kind: 'audio'
  /** Samples of a recording, all channels together. */
  readonly samples: number
  /** Samples of a row. */
  readonly samples_per_patch: number
}

export interface OneHotPreprocessorConfig {
  readonly kind: 'one-hot'
  readonly classes: number
}

export type PreprocessorConfig = ImagePreprocessorConfig | AudioPreprocessorConfig | OneHotPreprocessorConfig

/**
 * Blocks of frames and pixels as channels, in the order (frame, row, column, channel): [B, T, C, H, W] -> [B, T / dt, H / ds, W / ds,
 * dt ds ds C].
 */
function spaceToDepth(video: Tensor, dt: number, ds: number): Tensor {
  const [b, t, c, h, w] = video.sizes(5)
  if (t % dt !== 0 || h % ds !== 0 || w % ds !== 0) {
    throw new UsageError(
      `Perceiver: frames and pixels must be multiples of the patch, found ${t} frames of ${h}x${w} pixels and patches of ${dt}x${ds}x${ds}`,
    )
  }
  const cut = ops.reshape(video, [b, t / dt, dt, c, h / ds, ds, w / ds, ds])
  return ops.reshape(ops.permute(cut, [0, 1, 4, 6, 2, 5, 7, 3]), [b, t / dt, h / ds, w / ds, dt * ds * ds * c])
}

/** Pictures [B, C, H, W] or videos [B, T, C, H, W] as rows. */
export class ImagePreprocessor extends PositionEncoder {
  readonly rows: number
  readonly convnet_1x1: Conv2d | undefined
  readonly convnet: ConvDownsample | undefined
  readonly conv_after_patches: Linear | undefined
  readonly #config: ImagePreprocessorConfig

  constructor(config: ImagePreprocessorConfig) {
    const { sizes, channels, patchChannels, convolutions } = preparedSizes(config)
    super(config, sizes, channels)
    const { prep_type, in_channels, spatial_downsample: ds = 1, num_channels = 64 } = config
    const { conv2d_use_batchnorm = true, conv_padding = 'same' } = config
    this.#config = config
    this.rows = elementCount(sizes)
    this.convnet_1x1 = prep_type === 'conv1x1' ? new Conv2d(in_channels, num_channels, 1, { stride: ds }) : undefined
    this.convnet =
      convolutions > 0
        ? new ConvDownsample(in_channels, num_channels, convolutions, conv2d_use_batchnorm, conv_padding)
        : undefined
    this.conv_after_patches =
      prep_type === 'patches' && config.conv_after_patching ? new Linear(patchChannels, num_channels) : undefined
  }

  override forward(input: Tensor): Tensor {
    const prepared = this.#prepared(input.rank === 4 ? ops.unsqueeze(input, 1) : input) // [B, T, H, W, C]
    return super.forward(ops.flatten(prepared, 1, 3))
  }

  /** [B, T, C, H, W] -> [B, T', H', W', C'] */
  #prepared(video: Tensor): Tensor {
    const { prep_type, spatial_downsample: ds = 1, temporal_downsample: dt = 1 } = this.#config
    if (prep_type === 'patches') {
      const blocks = spaceToDepth(video, dt, ds)
      return this.conv_after_patches?.forward(blocks) ?? blocks
    }
    const convolution = this.convnet_1x1 ?? this.convnet
    if (!convolution) return ops.permute(everyNth(video, dt, ds), [0, 1, 3, 4, 2])
    const [b, t, ...picture] = video.sizes(5)
    const maps = convolution.forward(ops.reshape(video, [b * t, ...picture])) // [B T, C', H', W']
    return ops.permute(ops.reshape(maps, [b, t, ...maps.shape.slice(1)]), [0, 1, 3, 4, 2])
  }
}

/** Every dt-th frame, every ds-th row and column. */
function everyNth(video: Tensor, dt: number, ds: number): Tensor {
  const steps = [
    [1, dt],
    [3, ds],
    [4, ds],
  ] as const
  return steps.reduce((x, [axis, step]) => {
    const size = sizeOf(x.shape, axis)
    if (step === 1) return x
    return ops.indexSelect(x, ops.arange(0, size, { step }), axis)
  }, video)
}

/** The grid of the rows (one frame has no axis of time), the channels of a row and of a patch, and how many convolutions make them. */
function preparedSizes(config: ImagePreprocessorConfig): {
  readonly sizes: readonly number[]
  readonly channels: number
  readonly patchChannels: number
  readonly convolutions: number
} {
  const { prep_type, size, in_channels, num_channels = 64, conv_padding = 'same' } = config
  const { spatial_downsample: ds = 1, temporal_downsample: dt = 1 } = config
  if (prep_type.startsWith('conv') && dt !== 1) {
    throw new UsageError(`Perceiver: with prep_type '${prep_type}' temporal_downsample must be 1, found ${dt}`)
  }
  const convolutions = prep_type === 'conv' ? convolutionCount(ds, conv_padding) : 0
  const [h = 0, w = 0] = size.slice(-2)
  const frames = size.length === 3 ? [size[0] ?? 1] : []
  const down = (pixels: number): number => {
    if (prep_type === 'conv') return shrunk(pixels, convolutions, conv_padding)
    return prep_type === 'patches' ? pixels / ds : Math.ceil(pixels / ds)
  }
  const time = frames.map((t) => (prep_type === 'patches' ? t / dt : Math.ceil(t / dt)))
  const isOneFrame = prep_type === 'patches' && time[0] === 1
  const patchChannels = in_channels * ds * ds * (frames.length > 0 ? dt : 1)
  const isMapped =
    convolutions > 0 || prep_type === 'conv1x1' || (prep_type === 'patches' && config.conv_after_patching)
  const channels = isMapped ? num_channels : prep_type === 'patches' ? patchChannels : in_channels
  return { sizes: [...(isOneFrame ? [] : time), down(h), down(w)], channels, patchChannels, convolutions }
}

/** Sound [B, samples] or [B, samples, channels] as pieces of samples_per_patch numbers. */
export class AudioPreprocessor extends PositionEncoder {
  readonly rows: number
  /** Samples of a row. */
  readonly samplesPerPatch: number

  constructor(config: AudioPreprocessorConfig) {
    const { samples, samples_per_patch } = config
    if (samples % samples_per_patch !== 0) {
      throw new UsageError(
        `Perceiver: the samples must be a multiple of samples_per_patch, found ${samples} and ${samples_per_patch}`,
      )
    }
    super(config, [samples / samples_per_patch], samples_per_patch)
    this.rows = samples / samples_per_patch
    this.samplesPerPatch = samples_per_patch
  }

  override forward(input: Tensor): Tensor {
    return super.forward(ops.reshape(input, [sizeOf(input.shape, 0), this.rows, this.samplesPerPatch]))
  }
}

/** A class, one-hot [B, K], as a single row without a position. */
class OneHotPreprocessor extends Module {
  readonly rows = 1
  readonly outputChannels: number

  constructor({ classes }: OneHotPreprocessorConfig) {
    super()
    this.outputChannels = classes
  }

  forward(input: Tensor): Tensor {
    return ops.unsqueeze(input, 1)
  }
}

/** The preprocessor that a configuration names. */
export function preprocessorOf(config: PreprocessorConfig): Preprocessor {
  if (config.kind === 'image') return new ImagePreprocessor(config)
  return config.kind === 'audio' ? new AudioPreprocessor(config) : new OneHotPreprocessor(config)
}

export interface MultimodalConfig {
  readonly modalities: Readonly<Record<string, PreprocessorConfig>>
  /** Probability with which a row is replaced by its modality's mask token, in evaluation too. Default: no modality has such a token. */
  readonly mask_probs?: Readonly<Record<string, number>>
  /** Learned channels that the widest modality gets at least. Default: 2. */
  readonly min_padding_size?: number
}

/**
 * Several modalities in one array (paper, section 4.2): a learned vector behind every row makes all as wide, and says which modality
 * it is. Rows stand in the alphabetical order of the modalities' names.
 */
export class MultimodalPreprocessor extends Module {
  readonly modalities: Readonly<Record<string, Preprocessor>>
  readonly padding: Readonly<Record<string, Variable>>
  readonly mask: Readonly<Record<string, Variable>>
  readonly outputChannels: number
  /** What each modality is, in the order of the configuration. */
  readonly kinds: readonly (readonly [modality: string, kind: PreprocessorConfig['kind']])[]
  readonly #probabilities: Readonly<Record<string, number>>

  constructor(config: MultimodalConfig) {
    super()
    const { min_padding_size = 2, mask_probs = {} } = config
    const names = Object.keys(config.modalities).toSorted()
    const small = (shape: readonly number[]): Float32Array => init.truncNormal(shape, { std: 0.02 })
    this.#probabilities = mask_probs
    this.kinds = Object.entries(config.modalities).map(([name, { kind }]) => [name, kind])
    this.modalities = Object.fromEntries(
      names.map((name) => [name, preprocessorOf(config.modalities[name] as PreprocessorConfig)]),
    )
    this.outputChannels =
      Math.max(...Object.values(this.modalities).map(({ outputChannels }) => outputChannels)) + min_padding_size
    this.padding = Object.fromEntries(
      Object.entries(this.modalities).map(([name, { outputChannels }]) => [
        name,
        parameter([1, this.outputChannels - outputChannels], small),
      ]),
    )
    this.mask = Object.fromEntries(
      names
        .filter((name) => mask_probs[name] !== undefined)
        .map((name) => [name, parameter([1, this.outputChannels], small)]),
    )
  }

  /** Inputs by modality; masks by modality, [B, rows] each, 1: replaced (default: drawn) -> [B, all rows, outputChannels]. */
  forward(inputs: Readonly<Record<string, Tensor>>, masks: Readonly<Record<string, Tensor>> = {}): Tensor {
    const parts = Object.entries(this.modalities).map(([name, preprocessor]) => {
      const input = inputs[name]
      if (!input) throw new UsageError(`Perceiver: there is no input for the modality "${name}"`)
      const rows = this.#padded(name, preprocessor.forward(input))
      return this.#masked(name, rows, masks[name])
    })
    return ops.concat(parts, 1)
  }

  #padded(name: string, rows: Tensor): Tensor {
    const [batch, count] = rows.sizes(3)
    const padding = (this.padding[name] as Variable).value
    return ops.concat([rows, ops.broadcastTo(padding, [batch, count, sizeOf(padding.shape, 1)])], -1)
  }

  #masked(name: string, rows: Tensor, given: Tensor | undefined): Tensor {
    const token = this.mask[name]
    if (!token) return rows
    const [batch, count] = rows.sizes(3)
    const mask = given ?? ops.randomBernoulli([batch, count], this.#probabilities[name] ?? 0)
    return ops.where(ops.unsqueeze(ops.notEqual(mask, 0), -1), token.value, rows)
  }
}
