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

/** Whether that takes fewer multiply-adds, in a function that is compiled for running. q [B, heads, N, qk / heads], inputs [B, M, C]. */
export function readsDirectly(q: Tensor, inputs: Tensor, value: Linear): boolean {
  if (!currentTrace()?.tuned) return false // exported graphs and summaries stay as the model is written
  const [, heads, queries, width] = q.sizes(4)
  const channels = sizeOf(inputs.shape, -1)
  const kept = heads * width + sizeOf(value.weight.shape, 0) // channels of a key and a value
  return 2 * heads * queries * channels < (channels + queries) * kept
}

/** The parameters between the inputs and what the queries get, and what is added to the scores. */
export interface InputMaps {
  readonly norm: LayerNorm
  readonly key: Linear
  readonly value: Linear
  readonly added: Tensor | undefined
}

/** q [B, heads, N, qk / heads], inputs [B, M, C] -> output [B, heads, N, v / heads], weights [B, heads, N, M]. */
export function attendToInputs(q: Tensor, inputs: Tensor, { norm, key, value, added }: InputMaps): ops.Attention {
  const [, heads, , width] = q.sizes(4)
  const channels = sizeOf(inputs.shape, -1)
  const x = ops.unsqueeze(ops.layerNorm(inputs, [channels], { eps: norm.eps }), 1) // [B, 1, M, C]
  const scaled = (rows: Tensor): Tensor => (norm.weight ? ops.mul(rows, norm.weight) : rows)
  const asked = scaled(ops.matmul(q, headsOf(key.weight, heads))) // [B, heads, N, C]
  const found = ops.attentionWithWeights(asked, x, x, {
    scale: 1 / Math.sqrt(width),
    ...(added && { mask: added }),
  })
  const rows = norm.bias ? ops.add(scaled(found.output), norm.bias) : scaled(found.output) // [B, heads, N, C]
  const values = ops.matmul(rows, ops.transpose(headsOf(value.weight, heads))) // [B, heads, N, v / heads]
  const biases = value.bias && ops.reshape(value.bias, [heads, 1, -1])
  return { output: biases ? ops.add(values, biases) : values, weights: found.weights }
}

/** Rows of a linear layer's weight [out, in] by heads: [heads, out / heads, in]. */
function headsOf(weight: Linear['weight'], heads: number): Tensor {
  return ops.reshape(weight, [heads, -1, sizeOf(weight.shape, 1)])
}
