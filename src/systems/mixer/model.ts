/**
 * MLP-Mixer: An all-MLP Architecture for Vision (Tolstikhin et al., 2021, arXiv 2105.01601).
 *
 * Shapes: N batch, H x W picture, h x w grid of patches, S = h w tokens, C width of a token, K classes.
 */
import { inRowBlocks } from '../../autodiff/row-blocks.ts'
import { PatchEmbed } from '../../models/patches.ts'
import { type ActivationName, activate } from '../../nn/activation-names.ts'
import { init, LayerNorm, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { elementCount } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { type MixerConfig, tokenCount } from './config.ts'

/** Which branches of which examples are dropped: 1 = dropped. [blocks, 2 (tokens, channels), N]. */
export type DropMask = Tensor

// The official models' epsilon; PyTorch's default of 1e-5 gives visibly other numbers.
const norm = ({ hidden_dim, port }: MixerConfig): LayerNorm =>
  new LayerNorm(hidden_dim, { eps: port?.norm_eps ?? 1e-6 })
const activationOf = ({ gelu, port }: MixerConfig): ActivationName =>
  port?.act_layer ?? (gelu === 'tanh' ? 'gelu_tanh' : 'gelu')

/** Two linear layers with a GELU between (in timm any activation), over the tokens (axis -2) or the channels (axis -1) of [N, S, C]. */
class MlpBlock extends Module {
  readonly fc1: Linear
  readonly fc2: Linear
  readonly #activation: ActivationName
  readonly #axis: number

  constructor(axis: -2 | -1, width: number, hidden: number, activation: ActivationName) {
    super()
    const options = { axis, initWeight: init.lecunNormal, initBias: init.zeros }
    this.fc1 = new Linear(width, hidden, options)
    this.fc2 = new Linear(hidden, width, options)
    this.#activation = activation
    this.#axis = axis
  }

  forward(x: Tensor): Tensor {
    const rest = x.shape.slice(this.#axis) // [S, C] or [C]: what is mixed together
    const options = { axes: x.rank - rest.length, widest: elementCount([this.fc1.outFeatures, ...rest.slice(1)]) }
    return inRowBlocks(x, options, (rows) => this.fc2.forward(activate(this.#activation, this.fc1.forward(rows))))
  }
}

/** Mixes tokens, then channels. Each MLP follows a LayerNorm and is added to its input (paper, equation 1). */
class MixerBlock extends Module {
  readonly norm1: LayerNorm
  readonly mlp_tokens: MlpBlock
  readonly norm2: LayerNorm
  readonly mlp_channels: MlpBlock

  constructor(config: MixerConfig) {
    super()
    const { hidden_dim, tokens_mlp_dim, channels_mlp_dim } = config
    this.norm1 = norm(config)
    this.mlp_tokens = new MlpBlock(-2, tokenCount(config), tokens_mlp_dim, activationOf(config))
    this.norm2 = norm(config)
    this.mlp_channels = new MlpBlock(-1, hidden_dim, channels_mlp_dim, activationOf(config))
  }

  /** x [N, S, C] -> [N, S, C]. keep: factors on the two branches, [N, 1, 1] each. Default: nothing is dropped. */
  forward(x: Tensor, keep?: readonly [Tensor, Tensor]): Tensor {
    const mixed = this.mlp_tokens.forward(this.norm1.forward(x)) // [N, S, C]
    const y = ops.add(x, keep ? ops.mul(mixed, keep[0]) : mixed)
    const channels = this.mlp_channels.forward(this.norm2.forward(y)) // [N, S, C]
    return ops.add(y, keep ? ops.mul(channels, keep[1]) : channels)
  }
}

/** The patches as tokens, followed by a norm where timm's stem has one. */
class Stem extends PatchEmbed {
  readonly norm: LayerNorm | undefined

  constructor(config: MixerConfig) {
    super(config.in_channels, config.hidden_dim, config.patch_size, { initBias: init.zeros })
    this.norm = config.port?.stem_norm ? norm(config) : undefined
  }
}

/** What the model computed on the way, under big_vision's names. */
export interface MixerOutputs {
  /** [N, C, h, w] */
  readonly stem: Tensor
  /** After each block, [N, S, C] each. */
  readonly blocks: readonly Tensor[]
  /** After the last LayerNorm, [N, S, C]. */
  readonly preHeadLayerNorm: Tensor
  /** The representation, [N, C]; [N, S, C] without pooling. */
  readonly preLogits: Tensor
  /** [N, K]; without a head the representation. */
  readonly logits: Tensor
}

/** The whole network, with timm's names of modules and parameters. */
export class Mixer extends Module {
  readonly config: MixerConfig
  readonly stem: Stem
  readonly blocks: readonly MixerBlock[]
  readonly norm: LayerNorm
  readonly head: Linear | undefined

  constructor(config: MixerConfig) {
    super()
    checkSizes(config)
    this.config = config
    this.stem = new Stem(config)
    this.blocks = Array.from({ length: config.num_blocks }, () => new MixerBlock(config))
    this.norm = norm(config)
    // The head begins at zero: every class is equally likely before the first step.
    this.head =
      config.num_classes > 0
        ? new Linear(config.hidden_dim, config.num_classes, { initWeight: init.zeros, initBias: init.zeros })
        : undefined
  }

  /** images [N, in, H, W], values in [-1, 1] -> logits [N, K]. */
  forward(images: Tensor, dropped?: DropMask): Tensor {
    return this.outputs(images, dropped).logits
  }

  /** The representation before the head: [N, C]. */
  features(images: Tensor): Tensor {
    return this.outputs(images).preLogits
  }

  outputs(images: Tensor, dropped?: DropMask): MixerOutputs {
    const stem = this.stem.grid(images) // [N, C, h, w]
    const tokens = ops.transpose(ops.flatten(stem, 2)) // [N, S, C]
    let x = this.stem.norm?.forward(tokens) ?? tokens
    const keep = this.#keepFactors(sizeOf(x.shape, 0), dropped)
    const blocks = this.blocks.map((block, i) => {
      x = block.forward(x, keep?.[i])
      return x
    })
    const preHeadLayerNorm = this.norm.forward(x)
    const isPooled = (this.config.port?.global_pool ?? 'avg') === 'avg'
    const preLogits = isPooled ? ops.mean(preHeadLayerNorm, 1) : preHeadLayerNorm // [N, C] or [N, S, C]
    return { stem, blocks, preHeadLayerNorm, preLogits, logits: this.head ? this.head.forward(preLogits) : preLogits }
  }

  /**
   * Stochastic depth as in big_vision: block i drops each branch of each example with probability
   * i / (blocks - 1) * stoch_depth. What is kept is not rescaled, neither in training nor in evaluation.
   */
  #keepFactors(n: number, dropped: DropMask | undefined): (readonly [Tensor, Tensor])[] | undefined {
    const { stoch_depth, num_blocks } = this.config
    if (!this.training || (stoch_depth === 0 && !dropped)) return undefined
    return this.blocks.map((_, i) => {
      const branch = (j: number): Tensor => {
        const probability = (i / Math.max(num_blocks - 1, 1)) * stoch_depth
        const drop = dropped
          ? ops.reshape(ops.slice(ops.slice(dropped, [i, i + 1], 0), [j, j + 1], 1), [n])
          : ops.cast(ops.randomBernoulli([n], probability), 'float32')
        return ops.reshape(ops.sub(1, drop), [n, 1, 1])
      }
      return [branch(0), branch(1)] as const
    })
  }
}

/** Unlike `patchGrid` it names the settings, and what they could be. */
function checkSizes({ image_size: [height, width], patch_size: [ph, pw] }: MixerConfig): void {
  if (height % ph !== 0 || width % pw !== 0) {
    throw new UsageError(`Mixer: pictures of ${height}x${width} pixels cannot be cut into patches of ${ph}x${pw}`, {
      hint: `image_size must be a multiple of patch_size; ${Math.round(height / ph) * ph || ph}x${Math.round(width / pw) * pw || pw} would be`,
    })
  }
}
