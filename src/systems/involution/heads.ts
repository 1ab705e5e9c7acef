/** Heads of detectors with involutions in place of 3x3 convolutions: RPNHead_involution and FCNMaskHead_involution, mmdet's names. */
import { ConvModule } from '../../nn/conv-module.ts'
import {
  Conv2d,
  ConvTranspose2d,
  Involution,
  init,
  type Layer,
  Module,
  ReLU,
  Sequential,
  Upsample,
} from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'

/** What stands where a usual head has 3x3 convolutions. */
export type HeadOperator = 'involution' | 'convolution'

export interface RPNHeadConfig {
  readonly in_channels: number
  /** An involution cannot change the number of channels: equal to in_channels. */
  readonly feat_channels: number
  /** Boxes proposed at each position: scales times ratios. */
  readonly num_anchors: number
  /** Default: involution. */
  readonly operator?: HeadOperator
}

const small: init.Initializer = (shape) => init.normal(shape, { std: 0.01 })

/** Scores and box deltas of the anchors at each position. */
export class RPNHead extends Module {
  readonly rpn_conv: Layer
  readonly rpn_cls: Conv2d
  readonly rpn_reg: Conv2d

  constructor({ in_channels, feat_channels, num_anchors, operator = 'involution' }: RPNHeadConfig) {
    super()
    if (operator === 'involution' && feat_channels !== in_channels)
      throw new UsageError(
        `RPNHead: with an involution feat_channels must be in_channels = ${in_channels}, found ${feat_channels}`,
      )
    const own = { initWeight: small, initBias: init.zeros }
    this.rpn_conv =
      operator === 'involution'
        ? new Involution(in_channels, 7, 1)
        : new Conv2d(in_channels, feat_channels, 3, { padding: 1, ...own })
    this.rpn_cls = new Conv2d(feat_channels, num_anchors, 1, own)
    this.rpn_reg = new Conv2d(feat_channels, 4 * num_anchors, 1, own)
  }

  /** A level of the pyramid [N, C, h, w] -> scores [N, A, h, w], deltas [N, 4 A, h, w]. */
  forward(x: Tensor): { readonly scores: Tensor; readonly deltas: Tensor } {
    const y = ops.relu(this.rpn_conv.forward(x))
    return { scores: this.rpn_cls.forward(y), deltas: this.rpn_reg.forward(y) }
  }
}

/** How the mask head enlarges its map. */
export interface MaskUpsampleConfig {
  readonly type: 'deconv' | 'nearest' | 'bilinear' | null
  readonly scale_factor?: number
}

export interface MaskHeadConfig {
  readonly in_channels: number
  readonly conv_out_channels: number
  readonly num_classes: number
  /** Default: 4. */
  readonly num_convs?: number
  /** Whether there is one mask for all classes. Default: false. */
  readonly class_agnostic?: boolean
  /** Default: deconv, twice as large. */
  readonly upsample_cfg?: MaskUpsampleConfig
  /** Default: involution. */
  readonly operator?: HeadOperator
}

const kaiming: init.Initializer = (shape) => init.kaimingNormal(shape, { mode: 'fanOut', nonlinearity: 'relu' })

function enlarging({ type, scale_factor = 2 }: MaskUpsampleConfig, from: number, to: number): Layer | undefined {
  if (type === null) return undefined
  return type === 'deconv'
    ? new ConvTranspose2d(from, to, scale_factor, { stride: scale_factor, initWeight: kaiming, initBias: init.zeros })
    : new Upsample(scale_factor, { mode: type })
}

/** Masks of the classes in each region. */
export class MaskHead extends Module {
  readonly convs: readonly Layer[]
  readonly upsample: Layer | undefined
  readonly conv_logits: Conv2d
  readonly #isDeconv: boolean

  constructor(config: MaskHeadConfig) {
    super()
    const { in_channels, conv_out_channels: out, num_classes, operator = 'involution' } = config
    const { num_convs = 4, class_agnostic = false, upsample_cfg = { type: 'deconv' } } = config
    if (operator === 'involution' && num_convs > 0 && out !== in_channels)
      throw new UsageError(
        `MaskHead: with involutions conv_out_channels must be in_channels = ${in_channels}, found ${out}`,
      )
    this.convs = Array.from({ length: num_convs }, (_, i) =>
      operator === 'involution'
        ? new Sequential(new Involution(out, 7, 1), new ReLU())
        : new ConvModule(i === 0 ? in_channels : out, out, 3, { padding: 1, relu: true }),
    )
    const width = num_convs > 0 ? out : in_channels
    this.#isDeconv = upsample_cfg.type === 'deconv'
    this.upsample = enlarging(upsample_cfg, width, out)
    this.conv_logits = new Conv2d(this.#isDeconv ? out : width, class_agnostic ? 1 : num_classes, 1, {
      initWeight: kaiming,
      initBias: init.zeros,
    })
  }

  /** Maps of regions [R, C, h, w] -> logits of masks [R, classes, scale h, scale w]. */
  forward(x: Tensor): Tensor {
    const y = this.convs.reduce((map, conv) => conv.forward(map), x)
    const enlarged = this.upsample?.forward(y) ?? y
    return this.conv_logits.forward(this.#isDeconv ? ops.relu(enlarged) : enlarged)
  }
}
