/** Feature pyramid (Lin et al. 2017, arXiv 1612.03144) with involutions at its outputs, under mmdet's names: FPN_involution. */
import type { ConvModule } from '../../nn/conv-module.ts'
import { Involution, init, type Layer, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { convModule } from './bottleneck.ts'
import type { NormConfig } from './config.ts'

/** Where a coarser map is added to a finer one. */
export interface UpsampleConfig {
  readonly mode: 'nearest' | 'bilinear' | 'bicubic'
  /** Default: to the size of the finer map, whatever it is. */
  readonly scale_factor?: number
  readonly align_corners?: boolean
}

/** What the first level beyond the backbone's is made of. */
export type ExtraSource = 'on_input' | 'on_lateral' | 'on_output'

export interface FPNConfig {
  /** Channels of the backbone's maps, finest first. */
  readonly in_channels: readonly number[]
  readonly out_channels: number
  /** Maps that the neck gives. */
  readonly num_outs: number
  /** What is at each output: the paper's involution, or mmdet's usual 3x3 convolution. Default: involution. */
  readonly operator?: 'involution' | 'convolution'
  /** The first map of the backbone that is used. Default: 0. */
  readonly start_level?: number
  /** The one after the last that is used; -1: all. Default: -1. */
  readonly end_level?: number
  /** Whether levels beyond the backbone's are convolutions, and of what; true: as `extra_convs_on_inputs` says. Default: false, pooling. */
  readonly add_extra_convs?: boolean | ExtraSource
  /** Default: true, as in the official code for detection; that for segmentation has false. */
  readonly extra_convs_on_inputs?: boolean
  /** Default: false. */
  readonly relu_before_extra_convs?: boolean
  /** Default: false. */
  readonly no_norm_on_lateral?: boolean
  /** Of convolutions, not of involutions. Default: none. */
  readonly norm_cfg?: NormConfig
  /** Whether a ReLU ends convolutions. Default: false. */
  readonly relu?: boolean
  readonly upsample_cfg?: UpsampleConfig
}

interface Levels {
  readonly start: number
  readonly end: number
  /** Levels beyond those of the backbone. */
  readonly extra: number
}

function levelsOf({ in_channels, num_outs, start_level: start = 0, end_level = -1 }: FPNConfig): Levels {
  const count = in_channels.length
  const end = end_level === -1 ? count : end_level
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start >= end || end > count)
    throw new UsageError(`FPN: levels must be from 0 to ${count}, found start_level ${start}, end_level ${end_level}`)
  const extra = num_outs - (end - start)
  if (end_level !== -1 && extra !== 0)
    throw new UsageError(`FPN: with end_level, num_outs must be the ${end - start} levels between, found ${num_outs}`, {
      hint: 'levels beyond the backbone come after its last map only: end_level -1',
    })
  if (extra < 0) throw new UsageError(`FPN: num_outs must be at least ${end - start}, found ${num_outs}`)
  return { start, end, extra }
}

function extraSource({ add_extra_convs: extra = false, extra_convs_on_inputs = true }: FPNConfig): ExtraSource | false {
  if (extra === true) return extra_convs_on_inputs ? 'on_input' : 'on_output'
  return extra
}

const initWeight: init.Initializer = (shape) => init.xavierUniform(shape)

/** 1x1 laterals, sums from the coarsest level down, an involution for each level. */
export class FPN extends Module {
  readonly config: FPNConfig
  readonly lateral_convs: readonly ConvModule[]
  readonly fpn_convs: readonly Layer[]
  readonly #levels: Levels
  readonly #source: ExtraSource | false

  constructor(config: FPNConfig) {
    super()
    const { in_channels, out_channels: out, operator = 'involution', norm_cfg, no_norm_on_lateral, relu } = config
    this.config = config
    this.#levels = levelsOf(config)
    this.#source = extraSource(config)
    const { start, end, extra } = this.#levels
    const shared = { initWeight, relu: relu ?? false }
    const normed = { ...shared, norm_cfg }
    const used = in_channels.slice(start, end)
    this.lateral_convs = used.map((from) => convModule(from, out, 1, no_norm_on_lateral ? shared : normed))
    const outputs = used.map(() =>
      operator === 'involution'
        ? new Involution(out, 7, 1, { initWeight })
        : convModule(out, out, 3, { ...normed, padding: 1 }),
    )
    const extras = Array.from({ length: this.#source ? extra : 0 }, (_, i) => {
      const from = i === 0 && this.#source === 'on_input' ? (in_channels[end - 1] ?? out) : out
      return convModule(from, out, 3, { ...normed, stride: 2, padding: 1 })
    })
    this.fpn_convs = [...outputs, ...extras]
  }

  /** Maps of the backbone [N, in, h, w], finest first -> `num_outs` maps [N, out, h, w]. */
  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const { in_channels } = this.config
    if (inputs.length !== in_channels.length)
      throw new ShapeError(`FPN: there must be ${in_channels.length} maps, found ${inputs.length}`)
    const { start, end } = this.#levels
    const laterals = this.lateral_convs.map((conv, i) => conv.forward(inputs[i + start] as Tensor))
    for (let i = laterals.length - 1; i > 0; i--) {
      const finer = laterals[i - 1] as Tensor
      laterals[i - 1] = ops.add(finer, this.#enlarged(laterals[i] as Tensor, finer))
    }
    const outs = laterals.map((map, i) => this.fpn_convs[i]?.forward(map) ?? map)
    const sources = { on_input: inputs[end - 1], on_lateral: laterals.at(-1), on_output: outs.at(-1) }
    return [...outs, ...this.#extraLevels(this.#source ? sources[this.#source] : outs.at(-1), outs.length)]
  }

  /** A coarser map at the size of the finer one. */
  #enlarged(coarse: Tensor, finer: Tensor): Tensor {
    const { mode, scale_factor, align_corners: alignCorners } = this.config.upsample_cfg ?? { mode: 'nearest' }
    const corners = alignCorners === undefined ? {} : { alignCorners }
    return scale_factor === undefined
      ? ops.interpolate(coarse, finer.shape.slice(2), { mode, ...corners })
      : ops.interpolate(coarse, undefined, { mode, scaleFactor: scale_factor, ...corners })
  }

  /** The levels beyond the backbone's, each made of the one before. */
  #extraLevels(source: Tensor | undefined, first: number): Tensor[] {
    const { relu_before_extra_convs: relu = false } = this.config
    const levels: Tensor[] = []
    for (let i = 0, x = source; x && i < this.#levels.extra; i++) {
      const conv = this.fpn_convs[first + i]
      if (conv) x = conv.forward(relu && i > 0 ? ops.relu(x) : x)
      else x = ops.maxPool2d(x, 1, { stride: 2 })
      levels.push(x)
    }
    return levels
  }
}
