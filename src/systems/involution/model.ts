/** RedNet (section 3.4 of the paper): a ResNet in which involutions replace the 3x3 convolutions of the blocks and one of the stem. */
import type { ResNet } from '../../models/resnet.ts'
import type { ConvModule } from '../../nn/conv-module.ts'
import {
  BatchNorm2d,
  freeze,
  Identity,
  Involution,
  init,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { batchNorm, convModule, resLayer } from './bottleneck.ts'
import { depths, type KernelConfig, type NormConfig, type RedNetConfig, stageBlocks } from './config.ts'

/** 3x3 convolution, involution, 3x3 convolution: images [N, in, H, W] -> [N, channels, H / stride, W / stride]. */
export function redNetStem(
  inChannels: number,
  channels: number,
  { kernel_size = 3, group_channels = 16, reduction_ratio = 4 }: KernelConfig,
  config: NormConfig = {},
  stride = 2,
): Sequential {
  if (channels % 2 !== 0) throw new UsageError(`RedNet: stem_channels must be even, found ${channels}`)
  const conv = (from: number, to: number, stride: number): ConvModule =>
    convModule(from, to, 3, { stride, padding: 1, norm_cfg: config, relu: true })
  const half = channels / 2
  return new Sequential(
    conv(inChannels, half, stride),
    new Involution(half, kernel_size, 1, {
      groupChannels: Math.min(group_channels, half),
      reductionRatio: reduction_ratio,
    }),
    // `norm_cfg` does not apply here, as in the official code.
    batchNorm(half),
    new ReLU(),
    conv(half, channels, 1),
  )
}

/** The pool between the stem and the stages. */
export function stemPool(): MaxPool2d {
  return new MaxPool2d(3, { stride: 2, padding: 1 })
}

function checkConfig(config: RedNetConfig): Required<Pick<RedNetConfig, 'num_stages' | 'strides' | 'out_indices'>> {
  const { depth, layers, frozen_stages = -1 } = config
  const { num_stages = layers?.length ?? 4 } = config
  const usual = [1, 2, 2, 2].slice(0, layers?.length)
  const { strides = usual, out_indices = [usual.length - 1] } = config
  if (!depths.includes(depth)) throw new UsageError(`RedNet: depth must be one of ${depths.join(', ')}, found ${depth}`)
  if (!Number.isInteger(num_stages) || num_stages < 1 || num_stages > 4)
    throw new UsageError(`RedNet: num_stages must be 1 to 4, found ${num_stages}`)
  if (layers && !(layers.length === num_stages && layers.every((blocks) => Number.isInteger(blocks) && blocks > 0)))
    throw new UsageError(
      `RedNet: layers must be a number of blocks for each of ${num_stages} stages, found [${layers.join(', ')}]`,
    )
  if (strides.length !== num_stages)
    throw new UsageError(`RedNet: strides must be one for each of ${num_stages} stages, found ${strides.length}`)
  const isStage = (i: number): boolean => Number.isInteger(i) && i >= 0 && i < num_stages
  if (out_indices.length === 0 || !out_indices.every(isStage))
    throw new UsageError(`RedNet: out_indices must be stages 0 to ${num_stages - 1}, found [${out_indices.join(', ')}]`)
  if (!Number.isInteger(frozen_stages) || frozen_stages < -1 || frozen_stages > num_stages)
    throw new UsageError(`RedNet: frozen_stages must be -1 to ${num_stages}, found ${frozen_stages}`)
  return { num_stages, strides, out_indices }
}

/** The stem, and stages named layer1, layer2, ... In the published networks the last stage has 1/32 of the height and width. */
export class RedNet extends Module {
  readonly config: RedNetConfig
  readonly stem: Sequential
  readonly maxpool: Layer
  readonly [stage: `layer${number}`]: Sequential
  /** Channels of the last stage. */
  readonly numFeatures: number
  /** Channels of each stage. */
  readonly channels: readonly number[]
  readonly #outIndices: readonly number[]

  constructor(config: RedNetConfig) {
    super()
    const { num_stages, strides, out_indices } = checkConfig(config)
    const { in_channels = 3, stem_channels = 64, base_channels = 64, expansion = 4, norm_cfg } = config
    this.config = config
    const kernel_size = config.stem_involution_kernel_size ?? 3
    const isSmall = config.stem === 'small'
    const kernels = { ...config.involution, kernel_size }
    this.stem = redNetStem(in_channels, stem_channels, kernels, norm_cfg, isSmall ? 1 : 2)
    this.maxpool = isSmall ? new Identity() : stemPool()
    this.channels = Array.from({ length: num_stages }, (_, i) => base_channels * expansion * 2 ** i)
    const stages = this.channels.map((to, i) => {
      const from = this.channels[i - 1] ?? stem_channels
      const blocks = (config.layers ?? stageBlocks[config.depth])[i] ?? 0
      return [`layer${i + 1}`, resLayer(blocks, from, to, expansion, strides[i] ?? 1, config)] as const
    })
    Object.assign(this, Object.fromEntries(stages))
    this.numFeatures = this.channels.at(-1) ?? stem_channels
    this.#outIndices = out_indices
    this.#freeze(config)
  }

  /** Freezes what is not trained: the first `frozen_stages` with their norms, and with `norm_eval` the statistics of all norms. */
  #freeze({ frozen_stages = -1, norm_eval = false }: RedNetConfig): void {
    const stages = this.channels.map((_, i) => this[`layer${i + 1}`])
    for (const part of [this.stem, ...stages].slice(0, frozen_stages + 1)) {
      if (!part) continue
      freeze(part)
      part.holdEval()
    }
    if (norm_eval) for (const module of this.modules()) if (module instanceof BatchNorm2d) module.holdEval()
  }

  /** images [N, in, H, W] -> the maps of the stages `out_indices` [N, C, h, w]. */
  forward(images: Tensor): readonly Tensor[] {
    return this.maps(images).filter((_, i) => this.#outIndices.includes(i))
  }

  /** The output of each stage. */
  maps(images: Tensor): readonly Tensor[] {
    return this.stages(this.pooled(images))
  }

  /** The output of each stage, computed from that of the stem's pool. */
  stages(pooled: Tensor): readonly Tensor[] {
    let x = pooled
    return this.channels.map((_, i) => {
      x = this[`layer${i + 1}`]?.forward(x) ?? x
      return x
    })
  }

  /** The input of the first stage, [N, stem, H / 4, W / 4]. */
  pooled(images: Tensor): Tensor {
    return this.maxpool.forward(this.stem.forward(images))
  }
}

/** The mean over height and width: [N, C, h, w] -> [N, C]. */
export class GlobalAveragePooling extends Module {
  forward(x: Tensor): Tensor {
    return ops.mean(x, [2, 3])
  }
}

/** A linear classifier under mmcls's name: `fc`. */
class LinearClsHead extends Module {
  readonly fc: Linear

  constructor(inChannels: number, numClasses: number) {
    super()
    this.fc = new Linear(inChannels, numClasses, {
      initWeight: (shape) => init.normal(shape, { std: 0.01 }),
      initBias: init.zeros,
    })
  }

  forward(x: Tensor): Tensor {
    return this.fc.forward(x)
  }
}

/** A backbone, the mean over its last map, a linear classifier (mmcls's ImageClassifier). The backbone may also be a ResNet without a head. */
export class ImageClassifier extends Module {
  readonly backbone: RedNet | ResNet
  readonly neck: GlobalAveragePooling
  readonly head: LinearClsHead

  constructor(backbone: RedNet | ResNet, numClasses = 1000) {
    super()
    this.backbone = backbone
    this.neck = new GlobalAveragePooling()
    this.head = new LinearClsHead(backbone.numFeatures, numClasses)
  }

  /** images [N, in, H, W] -> logits [N, K]. */
  forward(images: Tensor): Tensor {
    return this.head.forward(this.features(images))
  }

  /** The representation before the head: [N, C]. */
  features(images: Tensor): Tensor {
    return this.neck.forward(this.backbone.maps(images).at(-1) ?? images)
  }
}

/** The share of the uniform distribution in mmcls's smoothed target for the value e: e / (1 + e). */
export function smoothingShare(labelSmoothVal: number): number {
  return labelSmoothVal / (1 + labelSmoothVal)
}

/**
 * mmcls's LabelSmoothLoss: cross-entropy with the target (onehot + e / K) / (1 + e). That is the usual mix of one-hot target and uniform
 * distribution, but with a share of e / (1 + e): for e = 0.1 it is 1 / 11, not 1 / 10. logits [N, K], labels [N] -> the mean, a scalar.
 */
export function labelSmoothLoss(logits: Tensor, labels: Tensor, labelSmoothVal = 0.1): Tensor {
  return ops.crossEntropy(logits, labels, { labelSmoothing: smoothingShare(labelSmoothVal) })
}
