/**
 * The blocks of the U-Net and of the classifier (Dhariwal and Nichol 2021, section 3; parameters as in OpenAI's `unet.py`).
 *
 * Shapes: B batch, C channels, S the spatial axes (H x W, or L, or frames x H x W), E width of the embedding of time and class.
 */
import { Conv1d, Conv2d, Conv3d, Dropout, GroupNorm, init, Linear, Module } from '../../nn/index.ts'
import { parameter } from '../../nn/init.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import type { Dimensions } from './config.ts'

/** A block of a network. Most have no use for the embedding of time and class. */
export type Block = Module & { forward(x: Tensor, emb: Tensor): Tensor }

/** Over 1, 2 or 3 axes. */
type Convolution = Conv1d | Conv2d | Conv3d

/** What all blocks of a network share. */
export interface BlockStyle {
  readonly dims: Dimensions
  readonly num_groups: number
  readonly embedding_width: number
  readonly dropout: number
  readonly conv_resample: boolean
  readonly use_scale_shift_norm: boolean
  readonly use_new_attention_order: boolean
}

/** A convolution over the axes of a signal; `zero`: it begins as the constant 0, so that its block begins as the identity. */
export function convolution(
  dims: Dimensions,
  [from, to]: readonly [from: number, to: number],
  kernel: number,
  { stride = 1, zero = false }: { readonly stride?: number | readonly number[]; readonly zero?: boolean } = {},
): Convolution {
  const options = {
    stride,
    padding: (kernel - 1) / 2,
    ...(zero && { initWeight: init.zeros, initBias: init.zeros }),
  }
  if (dims === 1) return new Conv1d(from, to, kernel, options)
  return dims === 2 ? new Conv2d(from, to, kernel, options) : new Conv3d(from, to, kernel, options)
}

/** By what the resolution of each axis changes: 2; of films the number of frames stays. */
const steps: Readonly<Record<Dimensions, readonly number[]>> = { 1: [2], 2: [2, 2], 3: [1, 2, 2] }

/** Each place twice along every axis (of a film, of its frames): [B, C, S] -> [B, C, 2 S]. */
function doubled(x: Tensor, dims: Dimensions): Tensor {
  return ops.interpolate(
    x,
    x.shape.slice(2).map((size, axis) => sizeOf(steps[dims], axis) * size),
  )
}

/** The mean of every two places along every axis (of a film, of its frames): [B, C, S] -> [B, C, S / 2]. */
function halved(x: Tensor, dims: Dimensions): Tensor {
  const shrinks = x.shape.slice(2).every((size, axis) => size >= sizeOf(steps[dims], axis))
  if (!shrinks)
    throw new ShapeError(`diffusion: there must be at least 2 places on every axis to halve, found ${x.shape.slice(2)}`)
  if (dims === 1) return ops.avgPool1d(x, 2)
  return dims === 2 ? ops.avgPool2d(x, 2) : ops.avgPool3d(x, steps[3])
}

/** Half the resolution: a convolution of stride 2, or the mean of 2 x 2 places. */
export class Downsample extends Module {
  readonly op: Convolution | undefined
  readonly #dims: Dimensions

  constructor(channels: number, { dims, conv_resample }: BlockStyle) {
    super()
    this.#dims = dims
    this.op = conv_resample ? convolution(dims, [channels, channels], 3, { stride: steps[dims] }) : undefined
  }

  forward(x: Tensor): Tensor {
    return this.op ? this.op.forward(x) : halved(x, this.#dims) // [B, C, S / 2]
  }
}

/** Twice the resolution: each place repeated, then a convolution if there is one. */
export class Upsample extends Module {
  readonly conv: Convolution | undefined
  readonly #dims: Dimensions

  constructor(channels: number, { dims, conv_resample }: BlockStyle) {
    super()
    this.#dims = dims
    this.conv = conv_resample ? convolution(dims, [channels, channels], 3) : undefined
  }

  forward(x: Tensor): Tensor {
    const larger = doubled(x, this.#dims) // [B, C, 2 S]
    return this.conv ? this.conv.forward(larger) : larger
  }
}

/** A residual block that the time steers; with `resample` it changes the resolution on the way (BigGAN's). */
export class ResBlock extends Module {
  readonly in_layers: { readonly 0: GroupNorm; readonly 2: Convolution }
  readonly emb_layers: { readonly 1: Linear }
  readonly out_layers: { readonly 0: GroupNorm; readonly 2: Dropout; readonly 3: Convolution }
  readonly skip_connection: Convolution | undefined
  readonly #style: BlockStyle
  readonly #resample: 'down' | 'up' | undefined

  constructor(from: number, to: number, style: BlockStyle, resample?: 'down' | 'up') {
    super()
    const { dims, num_groups, embedding_width, dropout, use_scale_shift_norm } = style
    this.#style = style
    this.#resample = resample
    this.in_layers = { 0: new GroupNorm(num_groups, from), 2: convolution(dims, [from, to], 3) }
    this.emb_layers = { 1: new Linear(embedding_width, use_scale_shift_norm ? 2 * to : to) }
    this.out_layers = {
      0: new GroupNorm(num_groups, to),
      2: new Dropout(dropout),
      3: convolution(dims, [to, to], 3, { zero: true }),
    }
    this.skip_connection = from === to ? undefined : convolution(dims, [from, to], 1)
  }

  /** x [B, from, S], emb [B, E] -> [B, to, S'] */
  forward(x: Tensor, emb: Tensor): Tensor {
    const { 0: norm, 2: conv } = this.in_layers
    const h = conv.forward(this.#resized(ops.silu(norm.forward(x)))) // [B, to, S']
    const skipped = this.#resized(x)
    const residual = this.#steered(h, this.emb_layers[1].forward(ops.silu(emb)))
    return ops.add(this.skip_connection ? this.skip_connection.forward(skipped) : skipped, residual)
  }

  #resized(x: Tensor): Tensor {
    if (this.#resample === 'down') return halved(x, this.#style.dims)
    return this.#resample === 'up' ? doubled(x, this.#style.dims) : x
  }

  /** What the time steers, then the second convolution. */
  #steered(h: Tensor, embedding: Tensor): Tensor {
    const { 0: norm, 2: dropout, 3: conv } = this.out_layers
    return conv.forward(dropout.forward(ops.silu(this.#normed(norm, h, embedding))))
  }

  /** Adaptive group norm: GN(h) (1 + scale) + shift; or GN(h + e). */
  #normed(norm: GroupNorm, h: Tensor, embedding: Tensor): Tensor {
    if (this.#style.use_scale_shift_norm) {
      const [scale, shift] = ops.chunk(embedding, 2, 1) // [B, to]
      return norm.forward(h, { scale, shift })
    }
    const e = ops.reshape(embedding, [...embedding.shape, ...h.shape.slice(2).map(() => 1)]) // [B, to, 1, 1]
    return norm.forward(ops.add(h, e))
  }
}

/** Channels of one head, or how many heads there are. */
export interface Heads {
  readonly num_heads: number
  /** -1: `num_heads` counts. */
  readonly num_head_channels: number
}

/** How many heads so many channels make. */
function headCount(channels: number, { num_heads, num_head_channels }: Heads): number {
  const heads = num_head_channels === -1 ? num_heads : channels / num_head_channels
  if (Number.isInteger(heads) && heads >= 1 && channels % heads === 0) return heads
  throw new UsageError(
    num_head_channels === -1
      ? `diffusion: num_heads must divide the ${channels} channels where there is attention, found ${num_heads}`
      : `diffusion: num_head_channels must divide the ${channels} channels where there is attention, found ${num_head_channels}`,
  )
}

/** Attention of all places to each other: qkv [B, 3 C, T] -> [B, C, T]. */
function attend(qkv: Tensor, heads: number, newOrder: boolean): Tensor {
  const [batch, channels, places] = qkv.sizes(3)
  const width = channels / 3 / heads
  const ordered = newOrder ? [batch, 3, heads, width, places] : [batch, heads, 3, width, places]
  const parts = ops.split(ops.reshape(qkv, ordered), 1, newOrder ? 1 : 2)
  const [q, k, v] = parts.map((part) => ops.reshape(part, [batch, heads, width, places])) as [Tensor, Tensor, Tensor]
  const scale = width ** -0.25 // of both, as in the official code: in half precision their product could overflow
  const scores = ops.matmul(ops.transpose(ops.mul(q, scale)), ops.mul(k, scale)) // [B, heads, T, T]
  const read = ops.matmul(v, ops.transpose(ops.softmax(scores, -1))) // [B, heads, C / heads, T]
  return ops.reshape(read, [batch, channels / 3, places])
}

/** Attention between all places of the feature maps, added to them. */
export class AttentionBlock extends Module {
  readonly norm: GroupNorm
  readonly qkv: Conv1d
  readonly proj_out: Conv1d
  readonly #heads: number
  readonly #newOrder: boolean

  constructor(channels: number, heads: Heads, { num_groups, use_new_attention_order }: BlockStyle) {
    super()
    this.#heads = headCount(channels, heads)
    this.#newOrder = use_new_attention_order
    this.norm = new GroupNorm(num_groups, channels)
    this.qkv = new Conv1d(channels, 3 * channels, 1)
    this.proj_out = new Conv1d(channels, channels, 1, { initWeight: init.zeros, initBias: init.zeros })
  }

  /** [B, C, S] -> [B, C, S] */
  forward(x: Tensor): Tensor {
    const flat = ops.flatten(x, 2) // [B, C, T]
    const read = attend(this.qkv.forward(this.norm.forward(flat)), this.#heads, this.#newOrder) // [B, C, T]
    return ops.reshape(ops.add(flat, this.proj_out.forward(read)), x.shape)
  }
}

/** CLIP's pooling: the mean of all places asks them, as one more token. */
export class AttentionPool2d extends Module {
  readonly positional_embedding: Variable
  readonly qkv_proj: Conv1d
  readonly c_proj: Conv1d
  readonly #heads: number

  /** `side`: height and width of the feature maps. */
  constructor(side: number, channels: number, headChannels: number, outputs: number) {
    super()
    this.#heads = headCount(channels, { num_heads: 1, num_head_channels: headChannels })
    this.positional_embedding = parameter([channels, side ** 2 + 1], (shape) =>
      init.normal(shape, { std: 1 / Math.sqrt(channels) }),
    )
    this.qkv_proj = new Conv1d(channels, 3 * channels, 1)
    this.c_proj = new Conv1d(channels, outputs, 1)
  }

  /** [B, C, H, W] -> [B, outputs] */
  forward(x: Tensor): Tensor {
    const flat = ops.flatten(x, 2) // [B, C, HW]
    const tokens = ops.concat([ops.mean(flat, -1, { keepDims: true }), flat], -1) // [B, C, HW + 1]
    const [places, known] = [sizeOf(tokens.shape, -1), sizeOf(this.positional_embedding.shape, 1)]
    if (places !== known) {
      throw new ShapeError(
        `AttentionPool2d: the feature maps must have ${known - 1} places, as at image_size, found ${places - 1}`,
      )
    }
    const placed = ops.add(tokens, this.positional_embedding)
    const read = this.c_proj.forward(attend(this.qkv_proj.forward(placed), this.#heads, true)) // [B, outputs, HW + 1]
    return ops.select(read, 0, -1)
  }
}
