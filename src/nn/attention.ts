import * as ops from '../ops/index.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireFlag, requireWithin } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { parameter, xavierNormal, xavierUniform, zeros } from './init.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** Options of multi-head attention. */
export interface MultiheadAttentionOptions {
  /** Probability with which a weight is dropped in training. Default: 0. */
  readonly dropout?: number
  /** Whether the projections have biases. Default: true. */
  readonly bias?: boolean
  /** Width of keys. Default: embedDim. */
  readonly kdim?: number
  /** Width of values. Default: embedDim. */
  readonly vdim?: number
  /** Whether every query also attends to one more, learned key and value: bias_k and bias_v [1, 1, C]. Default: false. */
  readonly addBiasKv?: boolean
  /** Whether every query also attends to one more key and value of zeros. Default: false. */
  readonly addZeroAttn?: boolean
}

/** Which queries attend to which keys. In bool masks true means ignore, as in PyTorch's layer and unlike in `ops`. */
export interface AttentionMasks {
  /** [L, S], PyTorch's [N heads, L, S], or any shape that broadcasts to [N, heads, L, S]. Float32 masks are added to the scores. */
  readonly attnMask?: Tensor
  /** [N, S]: bool, true for keys that are padding; or float32, which is added to their scores. */
  readonly keyPaddingMask?: Tensor
  /** Query i attends to the keys 0 to i only. Default: false. */
  readonly causal?: boolean
}

const optionNames = {
  dropout: true,
  bias: true,
  kdim: true,
  vdim: true,
  addBiasKv: true,
  addZeroAttn: true,
} as const

/**
 * Multi-head attention (Vaswani et al. 2017) with PyTorch's parameters: in_proj_weight [3 C, C] and in_proj_bias [3 C] hold
 * the projections to queries, keys and values (with other widths of keys or values: q_proj_weight [C, C],
 * k_proj_weight [C, kdim], v_proj_weight [C, vdim]), out_proj is linear. The batch is the first axis.
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number
  readonly numHeads: number
  readonly dropout: number
  readonly in_proj_weight: Variable | undefined
  readonly q_proj_weight: Variable | undefined
  readonly k_proj_weight: Variable | undefined
  readonly v_proj_weight: Variable | undefined
  readonly in_proj_bias: Variable | undefined
  readonly bias_k: Variable | undefined
  readonly bias_v: Variable | undefined
  readonly out_proj: Linear
  readonly #addZeroAttn: boolean

  constructor(embedDim: number, numHeads: number, options?: MultiheadAttentionOptions) {
    super()
    const {
      dropout = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
      addBiasKv = false,
      addZeroAttn = false,
    } = optionsOf('MultiheadAttention', options, optionNames, UsageError)
    for (const [argument, width] of Object.entries({ embedDim, numHeads, kdim, vdim }))
      requireCount('MultiheadAttention', argument, width, 1, UsageError)
    requireWithin('MultiheadAttention', 'dropout', dropout, [0, 1], UsageError)
    for (const [argument, flag] of Object.entries({ bias, addBiasKv, addZeroAttn }))
      requireFlag('MultiheadAttention', argument, flag, UsageError)
    if (embedDim % numHeads !== 0) {
      throw new UsageError(
        `MultiheadAttention: embedDim must be a multiple of numHeads, found ${embedDim} and ${numHeads}`,
      )
    }
    this.embedDim = embedDim
    this.numHeads = numHeads
    this.dropout = dropout
    const joint = kdim === embedDim && vdim === embedDim
    const separate = (width: number): Variable | undefined =>
      joint ? undefined : parameter([embedDim, width], xavierUniform)
    this.in_proj_weight = joint ? parameter([3 * embedDim, embedDim], xavierUniform) : undefined
    this.q_proj_weight = separate(embedDim)
    this.k_proj_weight = separate(kdim)
    this.v_proj_weight = separate(vdim)
    this.in_proj_bias = bias ? parameter([3 * embedDim], zeros) : undefined
    const more = (): Variable | undefined => (addBiasKv ? parameter([1, 1, embedDim], xavierNormal) : undefined)
    this.bias_k = more()
    this.bias_v = more()
    this.#addZeroAttn = addZeroAttn
    this.out_proj = new Linear(embedDim, embedDim, { bias, initBias: zeros })
  }

  /**
   * query [N, L, C], key [N, S, kdim], value [N, S, vdim] -> output [N, L, C], weights [N, heads, L, S]; without a batch all lack N.
   * In the weights S includes the keys that addBiasKv and addZeroAttn add.
   */
  forward(query: Tensor, key: Tensor, value: Tensor, masks?: AttentionMasks): ops.Attention {
    const given = optionsOf('MultiheadAttention', masks, { attnMask: true, keyPaddingMask: true, causal: true })
    const mask = joinedMask(given, query.rank === 2, this.numHeads)
    const weights = {
      inProjWeight: this.in_proj_weight,
      qProjWeight: this.q_proj_weight,
      kProjWeight: this.k_proj_weight,
      vProjWeight: this.v_proj_weight,
      inProjBias: this.in_proj_bias,
      biasK: this.bias_k,
      biasV: this.bias_v,
      outProjWeight: this.out_proj.weight,
      outProjBias: this.out_proj.bias,
    }
    return ops.multiHeadAttention(query, key, value, weights, {
      heads: this.numHeads,
      addZeroAttn: this.#addZeroAttn,
      causal: given.causal ?? false,
      dropout: this.training ? this.dropout : 0,
      ...(mask && { mask }),
    })
  }
}

/**
 * Both masks joined into one as `ops` takes it: bool (true: attend), or float32 to be added. It broadcasts to [N, heads, L, S],
 * without a batch to [heads, L, S].
 */
function joinedMask(
  { attnMask, keyPaddingMask }: AttentionMasks,
  unbatched: boolean,
  heads: number,
): Tensor | undefined {
  const leading = unbatched ? [1, 1] : [keyPaddingMask ? sizeOf(keyPaddingMask.shape, 0) : 0, 1, 1]
  const padding = keyPaddingMask && ops.reshape(keyPaddingMask, [...leading, sizeOf(keyPaddingMask.shape, -1)])
  const mask = attnMask && !unbatched ? perHead(attnMask, heads) : attnMask
  const parts = [mask, padding].filter((part) => part !== undefined)
  const [first, second] = parts
  if (!first || !second) return first?.dtype === 'bool' ? ops.logicalNot(first) : first
  if (first.dtype === 'bool' && second.dtype === 'bool') return ops.logicalNot(ops.logicalOr(first, second))
  const added = (part: Tensor): Tensor => (part.dtype === 'bool' ? ops.where(part, Number.NEGATIVE_INFINITY, 0) : part)
  return ops.add(added(first), added(second))
}

/** [N heads, L, S] -> [N, heads, L, S]; other masks as they are. */
function perHead(mask: Tensor, heads: number): Tensor {
  const rows = mask.rank === 3 ? sizeOf(mask.shape, 0) : 0
  if (rows <= heads || rows % heads !== 0) return mask
  return ops.reshape(mask, [rows / heads, heads, ...mask.shape.slice(1)])
}
