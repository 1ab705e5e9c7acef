import * as ops from '../ops/index.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireWithin } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { parameter, xavierUniform, zeros } from './init.ts'
import { Linear } from './linear.ts'
import { Module } from './module.ts'

/** Options of multi-head attention. */
export interface MultiheadAttentionOptions {
  /** Probability with which a weight is dropped in training. Default: 0. */
  readonly dropout?: number
  /** Whether the projections have biases. Default: true. */
  readonly bias?: boolean
  /** Widths of keys and values. Default: embedDim. */
  readonly kdim?: number
  readonly vdim?: number
}

/** Who attends to whom; in bool masks true means ignore, as in PyTorch's layer (and unlike `ops`). */
export interface AttentionMasks {
  /** [L, S], or what broadcasts to [N, heads, L, S]; float32 masks are added to the scores. */
  readonly attnMask?: Tensor
  /** bool [N, S]: keys that are padding. */
  readonly keyPaddingMask?: Tensor
  /** Query i attends to the keys 0 to i only. Default: false. */
  readonly causal?: boolean
}

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
  readonly out_proj: Linear

  constructor(embedDim: number, numHeads: number, options?: MultiheadAttentionOptions) {
    super()
    const {
      dropout = 0,
      bias = true,
      kdim = embedDim,
      vdim = embedDim,
    } = optionsOf('MultiheadAttention', options, UsageError)
    for (const [argument, width] of Object.entries({ embedDim, numHeads, kdim, vdim }))
      requireCount('MultiheadAttention', argument, width, 1, UsageError)
    requireWithin('MultiheadAttention', 'dropout', dropout, [0, 1], UsageError)
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
    this.out_proj = new Linear(embedDim, embedDim, { bias, initBias: zeros })
  }

  /** query [N, L, C], key [N, S, kdim], value [N, S, vdim] -> output [N, L, C], weights [N, heads, L, S]. */
  forward(query: Tensor, key: Tensor, value: Tensor, masks?: AttentionMasks): ops.Attention {
    const given = optionsOf('MultiheadAttention', masks)
    const mask = joinedMask(given)
    const options: ops.AttentionOptions = {
      causal: given.causal ?? false,
      dropout: this.training ? this.dropout : 0,
      ...(mask && { mask }),
    }
    const { in_proj_weight, in_proj_bias, out_proj, numHeads } = this
    if (in_proj_weight) {
      const weights = {
        inProjWeight: in_proj_weight,
        inProjBias: in_proj_bias,
        outProjWeight: out_proj.weight,
        outProjBias: out_proj.bias,
      }
      return ops.multiHeadAttention(query, key, value, weights, { heads: numHeads, ...options })
    }
    const [q, k, v] = this.#projections(query, key, value)
    const attention = ops.attentionWithWeights(q, k, v, options)
    return { output: out_proj.forward(ops.mergeHeads(attention.output)), weights: attention.weights }
  }

  /** Each [N, heads, tokens, C / heads]. */
  #projections(query: Tensor, key: Tensor, value: Tensor): readonly [Tensor, Tensor, Tensor] {
    const [qBias, kBias, vBias] = this.in_proj_bias ? ops.chunk(this.in_proj_bias, 3, 0) : []
    const project = (x: Tensor, weight: Variable | undefined, bias: Tensor | undefined): Tensor =>
      weight ? ops.splitHeads(ops.linear(x, weight, bias), this.numHeads) : x
    return [
      project(query, this.q_proj_weight, qBias),
      project(key, this.k_proj_weight, kBias),
      project(value, this.v_proj_weight, vBias),
    ]
  }
}

/** Both masks as one for `ops` (true = attend, or what is added), which broadcasts to [N, heads, L, S]. */
function joinedMask({ attnMask, keyPaddingMask }: AttentionMasks): Tensor | undefined {
  const padding = keyPaddingMask && ops.reshape(keyPaddingMask, [sizeOf(keyPaddingMask.shape, 0), 1, 1, -1])
  if (!attnMask) return padding && ops.logicalNot(padding)
  if (attnMask.dtype === 'bool') return ops.logicalNot(padding ? ops.logicalOr(attnMask, padding) : attnMask)
  return padding ? ops.where(padding, Number.NEGATIVE_INFINITY, attnMask) : attnMask
}
