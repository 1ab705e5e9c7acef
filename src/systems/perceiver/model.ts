/**
 * Perceiver: General Perception with Iterative Attention (Jaegle et al., 2021, arXiv 2103.03206).
 *
 * Shapes: B batch, M inputs of C channels (data and position features), N latents of D channels, K classes.
 */
import { checkpoint } from '../../autodiff/checkpoint.ts'
import { init, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'
import { type AttentionMaps, type LayerOutput, PerceiverLayer } from './attention.ts'
import type { PerceiverConfig } from './config.ts'

/** The scores and weights of one attention, and which kind of attention it was. */
export interface NamedMaps extends AttentionMaps {
  readonly kind: 'cross' | 'self'
}

/** A step of the model: which layer is applied, and whether it reads the inputs or refines the latents. */
export interface ScheduledLayer {
  readonly kind: 'cross' | 'self'
  readonly layer: PerceiverLayer
}

/** What the model computed on the way. */
export interface PerceiverOutputs {
  /** After the last layer, [B, N, D]. */
  readonly latents: Tensor
  /** In the order of their calls. */
  readonly attentions: readonly NamedMaps[]
  /** [B, K] */
  readonly logits: Tensor
}

/**
 * A latent array [count, channels]: learned vectors, the same for every example until they have read it. They begin as truncated
 * normals of deviation `scale`.
 */
export function latentArray(count: number, channels: number, scale = 0.02): Variable {
  return parameter([count, channels], (shape) => init.truncNormal(shape, { std: scale }))
}

/** The latent array [N, D] once for each example: [B, N, D]. */
export function repeated(latents: Variable, batch: number): Tensor {
  const [count, channels] = latents.shape
  return ops.broadcastTo(latents.value, [batch, count ?? 0, channels ?? 0])
}

/** The paper's network: latents read the inputs by cross attention and are refined by transformers, several times in turn. */
export class Perceiver extends Module {
  readonly config: PerceiverConfig
  readonly latents: Variable
  /** One for each cross attention. With shared weights at most two: the first one, and the one for all later readings. */
  readonly cross_attentions: readonly PerceiverLayer[]
  /** The latent transformers, each a list of layers. With shared weights there is only one. */
  readonly blocks: readonly (readonly PerceiverLayer[])[]
  readonly logits: Linear

  constructor(config: PerceiverConfig) {
    super()
    checkArrangement(config)
    const { input_channels, num_latent_channels: width, num_cross_attends, num_blocks, share_weights } = config
    this.config = config
    this.latents = latentArray(config.num_latents, width, config.latent_init_scale)
    const crossCount = share_weights ? Math.min(2, num_cross_attends) : num_cross_attends
    this.cross_attentions = Array.from({ length: crossCount }, () => {
      const qkChannels = Math.min(input_channels, width) // as wide as the narrower side
      return new PerceiverLayer({
        width,
        contextWidth: input_channels,
        heads: config.num_cross_attend_heads,
        qkChannels,
      })
    })
    this.blocks = Array.from({ length: share_weights ? Math.min(1, num_blocks) : num_blocks }, () =>
      Array.from(
        { length: config.num_self_attends_per_block },
        () => new PerceiverLayer({ width, heads: config.num_self_attend_heads }),
      ),
    )
    this.logits = new Linear(width, config.num_classes)
  }

  /** inputs [B, M, C]; mask bool [B, M] (true: may be read; default: all) -> logits [B, K]. */
  forward(inputs: Tensor, mask?: Tensor): Tensor {
    return this.outputs(inputs, mask).logits
  }

  /** The representation before the head: the mean of the latents, [B, D]. */
  features(inputs: Tensor, mask?: Tensor): Tensor {
    return ops.mean(this.outputs(inputs, mask).latents, 1)
  }

  outputs(inputs: Tensor, mask?: Tensor): PerceiverOutputs {
    let x = repeated(this.latents, sizeOf(inputs.shape, 0)) // [B, N, D]
    const attentions: NamedMaps[] = []
    for (const { kind, layer } of this.schedule()) {
      const { output, ...maps } =
        kind === 'cross' ? layer.forward(x, inputs, mask, this.config.recompute) : this.#refined(layer, x)
      attentions.push({ kind, ...maps })
      x = output
    }
    return { latents: x, attentions, logits: this.logits.forward(ops.mean(x, 1)) }
  }

  /** Applies a layer of a latent transformer. With `recompute`, its intermediate values are not kept but computed again in the backward pass. */
  #refined(layer: PerceiverLayer, x: Tensor): LayerOutput {
    if (!this.config.recompute) return layer.forward(x)
    const [output, scores, weights] = checkpoint((latents: Tensor) => {
      const result = layer.forward(latents)
      return [result.output, result.scores, result.weights] as const
    }, x)
    return { output, scores, weights }
  }

  /** The layers in the order in which they are applied; a shared layer is listed each time. */
  schedule(): ScheduledLayer[] {
    const { arrangement, num_cross_attends, num_blocks } = this.config
    // Where weights are shared there are fewer layers than steps: the last one is applied again.
    const cross = (t: number): ScheduledLayer => {
      const layer = this.cross_attentions[Math.min(t, this.cross_attentions.length - 1)] as PerceiverLayer
      return { kind: 'cross', layer }
    }
    const block = (t: number): ScheduledLayer[] => {
      const layers = this.blocks[Math.min(t, this.blocks.length - 1)] ?? []
      return layers.map((layer) => ({ kind: 'self', layer }))
    }
    const crosses = Array.from({ length: num_cross_attends }, (_, t) => cross(t))
    const blocks = Array.from({ length: num_blocks }, (_, t) => block(t))
    if (arrangement === 'at_start') return [...crosses, ...blocks.flat()]
    const each = num_blocks / num_cross_attends // blocks after each cross attention
    return crosses.flatMap((layer, t) => [layer, ...blocks.slice(t * each, (t + 1) * each).flat()])
  }
}

function checkArrangement({ arrangement, num_cross_attends, num_blocks }: PerceiverConfig): void {
  if (num_cross_attends < 1)
    throw new UsageError(`Perceiver: num_cross_attends must be at least 1, found ${num_cross_attends}`)
  if (arrangement === 'interleaved' && num_blocks % num_cross_attends !== 0) {
    throw new UsageError(
      `Perceiver: interleaved, as many blocks must follow each cross attention, found ${num_blocks} for ${num_cross_attends}`,
      { hint: "arrangement 'at_start' allows any number of blocks" },
    )
  }
}
