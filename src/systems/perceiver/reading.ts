/**
 * Cross attention without keys and values: the same function, computed from the inputs themselves.
 *
 * Keys and values are linear in the normed inputs, K = (g x + b) Wk + c. So Q K = (Q Wk g) x and a number that is the same for all inputs,
 * which the softmax does not see; and P V = ((P x) g + b) Wv + c, because a query's weights P sum to 1. What is left of the inputs is x,
 * normalised but not yet scaled: all cross attentions read this one array, whether or not they share weights. Keys, values and
 * their gradients, each as large as the inputs, are never made.
 *
 * Shapes: B batch, N queries, M inputs of C channels.
 */
import type { LayerNorm, Linear } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'

/** Sizes of a cross attention. */
export interface ReadingSizes {
  readonly heads: number
  /** N */
  readonly queries: number
  /** C */
  readonly channels: number
  /** Of a query and of a value, all heads together. */
  readonly qkChannels: number
  readonly vChannels: number
}

/** Whether that takes fewer multiply-adds, in a function that is compiled for running. */
export function readsDirectly({ heads, queries, channels, qkChannels, vChannels }: ReadingSizes): boolean {
  if (!currentTrace()?.tuned) return false // exported graphs and summaries stay as the model is written
  const kept = qkChannels + vChannels // channels of a key and a value
  return 2 * heads * queries * channels < (channels + queries) * kept
}

/** The parameters between the inputs and what the queries get. */
export interface InputMaps {
  readonly norm: LayerNorm
  readonly key: Linear
  readonly value: Linear
}

/** Rows of the inputs' space, scaled as the norm does. */
function scaled(rows: Tensor, { weight }: LayerNorm): Tensor {
  return weight ? ops.mul(rows, weight) : rows
}

/** Queries brought into the inputs' space: [B, heads, N, qk / heads] -> [B, heads, N, C]. */
export function askInputs(q: Tensor, { norm, key }: InputMaps): Tensor {
  const [, heads] = q.sizes(4)
  return scaled(ops.matmul(q, headsOf(key.weight, heads)), norm)
}

/** What they read of the inputs [B, M, C]: means of its rows [B, heads, N, C], and the weights [B, heads, N, M]. */
export function readInputs(
  asked: Tensor,
  inputs: Tensor,
  { norm, added, scale }: { readonly norm: LayerNorm; readonly added: Tensor | undefined; readonly scale: number },
): ops.Attention {
  const x = ops.unsqueeze(ops.layerNorm(inputs, [sizeOf(inputs.shape, -1)], { eps: norm.eps }), 1) // [B, 1, M, C]
  return ops.attentionWithWeights(asked, x, x, { scale, ...(added && { mask: added }) })
}

/** Means of rows as means of values: [B, heads, N, C] -> [B, heads, N, v / heads]. */
export function tellValues(found: Tensor, { norm, value }: InputMaps): Tensor {
  const [, heads] = found.sizes(4)
  const rows = norm.bias ? ops.add(scaled(found, norm), norm.bias) : scaled(found, norm) // [B, heads, N, C]
  const values = ops.matmul(rows, ops.transpose(headsOf(value.weight, heads))) // [B, heads, N, v / heads]
  const biases = value.bias && ops.reshape(value.bias, [heads, 1, -1])
  return biases ? ops.add(values, biases) : values
}

/** Rows of a linear layer's weight [out, in] by heads: [heads, out / heads, in]. */
function headsOf(weight: Linear['weight'], heads: number): Tensor {
  return ops.reshape(weight, [heads, -1, sizeOf(weight.shape, 1)])
}
