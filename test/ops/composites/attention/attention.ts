import * as ops from '../../../../src/ops/kit.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'

type Call = (...inputs: Tensor[]) => Tensor | readonly Tensor[]
const sample = (call: Call, ...inputs: ops.SampleInput[]): ops.Sample => ({ inputs, call })
const attend =
  (options: ops.AttentionOptions = {}): Call =>
  (q, k, v, mask) =>
    ops.scaledDotProductAttention(q, k, v, mask ? { ...options, mask } : options)

// The second row attends to nothing, the third to its first key only.
const bool: ops.SampleInput = { shape: [3, 4], dtype: 'bool', values: [1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0] }

export const samples: Record<string, ops.Sample[]> = {
  scaledDotProductAttention: [
    sample(attend(), [2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 3]),
    sample(attend({ causal: true, scale: 0.7 }), [4, 2], [3, 2], [3, 2]),
    sample(attend({ causal: true }), [2, 3, 2], [1, 3, 2], [3, 2]),
    sample(attend(), [2, 3, 2], [2, 4, 2], [2, 4, 2], bool),
    sample(attend({ causal: true }), [3, 2], [4, 2], [4, 2], bool),
    sample(attend(), [2, 3, 2], [2, 4, 2], [2, 4, 1], [2, 1, 4]),
    sample(attend({ causal: true }), [2, 3, 2], [2, 4, 2], [2, 4, 1], [3, 4]),
    sample(attend(), [1, 2], [1, 2], [1, 3]),
  ],
  attentionWithWeights: [
    sample((q, k, v) => Object.values(ops.attentionWithWeights(q, k, v)), [2, 3, 2], [2, 4, 2], [2, 4, 1]),
    sample((q, k, v, mask) => ops.attentionWithWeights(q, k, v, { mask }).weights, [3, 2], [4, 2], [4, 2], bool),
  ],
  splitHeads: [sample((x) => ops.splitHeads(x, 2), [2, 3, 4]), sample((x) => ops.splitHeads(x, 1), [3, 4])],
  mergeHeads: [sample(ops.mergeHeads, [2, 2, 3, 2])],
  multiHeadAttention: [
    sample(
      (x, inProjWeight, inProjBias, outProjWeight, outProjBias) =>
        Object.values(
          ops.multiHeadAttention(x, x, x, { inProjWeight, inProjBias, outProjWeight, outProjBias }, { heads: 2 }),
        ),
      [2, 3, 4],
      [12, 4],
      [12],
      [4, 4],
      [4],
    ),
    sample(
      (x, y, inProjWeight, outProjWeight) =>
        ops.multiHeadAttention(x, y, y, { inProjWeight, outProjWeight }, { heads: 1, causal: true }).output,
      [3, 2],
      [4, 2],
      [6, 2],
      [2, 2],
    ),
  ],
}

export const errors: Record<string, ops.Sample> = {
  'scaledDotProductAttention: needs queries [..., L, E], keys [..., S, E] and values [..., S, width], found [3, 4], [5, 3], [5, 3]':
    sample(attend(), [3, 4], [5, 3], [5, 3]),
  'splitHeads: heads must divide the width of [..., tokens, width], found 3 and [2, 4]': sample(
    (x) => ops.splitHeads(x, 3),
    [2, 4],
  ),
  'multiHeadAttention: inProjWeight must be [3 C, C], found [4, 4]': sample(
    (x, w) => ops.multiHeadAttention(x, x, x, { inProjWeight: w, outProjWeight: w }, { heads: 2 }).output,
    [2, 4],
    [4, 4],
  ),
}
