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
    // Grouped queries, with masks of all query heads and of each.
    sample(attend({ enableGqa: true }), [2, 4, 3, 2], [2, 2, 5, 2], [2, 2, 5, 3]),
    sample(attend({ enableGqa: true, causal: true }), [4, 3, 2], [1, 3, 2], [1, 3, 2]),
    sample(attend({ enableGqa: true }), [4, 3, 2], [2, 4, 2], [2, 4, 2], bool),
    sample(attend({ enableGqa: true }), [4, 3, 2], [2, 4, 2], [2, 4, 2], [4, 1, 4]),
    sample(attend({ enableGqa: true }), [2, 4, 3, 2], [2, 2, 4, 2], [2, 1, 4, 2], [2, 1, 1, 4]),
    sample(attend({ enableGqa: true }), [6, 2, 2], [2, 3, 2], [3, 3, 2]),
  ],
  attentionOverParts: [
    sample(
      (q, k1, v1, k2, v2, mask) =>
        Object.values(
          ops.attentionOverParts(q, [
            { key: k1, value: v1, mask: mask ?? 1 },
            { key: k2, value: v2, causal: true },
          ]),
        ),
      ...[
        [2, 3, 2],
        [2, 4, 2],
        [2, 4, 3],
        [2, 3, 2],
        [2, 3, 3],
      ],
      bool,
    ),
    // The second query attends to nothing in both parts.
    sample(
      (q, k, v, mask) => ops.attentionOverParts(q, [{ key: k, value: v, mask }], { scale: 0.7 }).output,
      [3, 2],
      [4, 2],
      [4, 2],
      bool,
    ),
    sample(
      (q, k1, v1, k2, v2) =>
        ops.attentionOverParts(
          q,
          [
            { key: k1, value: v1 },
            { key: k2, value: v2 },
          ],
          { enableGqa: true },
        ).output,
      ...[
        [2, 4, 1, 2],
        [2, 2, 3, 2],
        [2, 2, 3, 2],
        [2, 2, 1, 2],
        [2, 2, 1, 2],
      ],
    ),
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
    // Keys and values of other widths, wider values, one more key of its own and one of zeros.
    sample(
      (x, y, z, qProjWeight, kProjWeight, vProjWeight, inProjBias, biasK, biasV, outProjWeight) =>
        Object.values(
          ops.multiHeadAttention(
            x,
            y,
            z,
            { qProjWeight, kProjWeight, vProjWeight, inProjBias, biasK, biasV, outProjWeight },
            { heads: 2, addZeroAttn: true, causal: true },
          ),
        ),
      ...[[2, 3, 4], [2, 3, 5], [2, 3, 3], [4, 4], [4, 5], [6, 3], [14], [1, 1, 4], [1, 1, 6], [4, 6]],
    ),
    sample(
      (x, qProjWeight, kProjWeight, vProjWeight, outProjWeight) =>
        ops.multiHeadAttention(
          x,
          x,
          x,
          { qProjWeight, kProjWeight, vProjWeight, outProjWeight },
          { heads: 4, enableGqa: true },
        ).output,
      ...[
        [2, 3, 4],
        [8, 4],
        [4, 4],
        [4, 4],
        [4, 8],
      ],
    ),
  ],
}

export const errors: Record<string, ops.Sample> = {
  'scaledDotProductAttention: needs queries [..., L, E], keys [..., S, E] and values [..., S, width], found [3, 4], [5, 3], [5, 3]':
    sample(attend(), [3, 4], [5, 3], [5, 3]),
  'scaledDotProductAttention: mask must broadcast to the scores [3, 4], found [2, 3, 4]': sample(
    attend(),
    [3, 2],
    [4, 2],
    [4, 2],
    [2, 3, 4],
  ),
  'scaledDotProductAttention: with enableGqa the heads of keys and values, [..., heads, S, width], must divide those of the queries, found [4, 3, 2], [3, 4, 2], [3, 4, 2]':
    sample(attend({ enableGqa: true }), [4, 3, 2], [3, 4, 2], [3, 4, 2]),
  'attentionOverParts: needs at least one part, found none': sample(
    (q) => ops.attentionOverParts(q, []).output,
    [3, 2],
  ),
  'multiHeadAttention: needs either inProjWeight or all of qProjWeight, kProjWeight and vProjWeight, found ["qProjWeight", "outProjWeight"]':
    sample(
      (x, w) => ops.multiHeadAttention(x, x, x, { qProjWeight: w, outProjWeight: w }, { heads: 2 }).output,
      [2, 4],
      [4, 4],
    ),
  'multiHeadAttention: biasK and biasV must be given together, found biasK alone': sample(
    (x, w, b, o) =>
      ops.multiHeadAttention(x, x, x, { inProjWeight: w, biasK: b, outProjWeight: o }, { heads: 2 }).output,
    [2, 4],
    [12, 4],
    [4],
    [4, 4],
  ),
  'multiHeadAttention: biasV must have 4 elements, found [3]': sample(
    (x, w, biasK, biasV, o) =>
      ops.multiHeadAttention(x, x, x, { inProjWeight: w, biasK, biasV, outProjWeight: o }, { heads: 2 }).output,
    [2, 4],
    [12, 4],
    [4],
    [3],
    [4, 4],
  ),
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
