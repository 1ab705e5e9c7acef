import * as ops from '../../../../src/ops/kit.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'

const sample = (call: (...inputs: Tensor[]) => Tensor, ...inputs: ops.SampleInput[]): ops.Sample => ({ inputs, call })

export const samples: Record<string, ops.Sample[]> = {
  matmulWith: [
    sample((a, b) => ops.matmulWith(a, b, { scale: -2 }), [2, 3, 4], [4, 1]),
    sample((a, b) => ops.matmulWith(a, b, { transposeB: true }), [2, 1, 4], [1, 3, 4]),
    sample((a, b) => ops.matmulWith(a, b, { transposeA: true }), [3, 2], [2, 3, 4]),
  ],
  addmmWith: [
    sample((c, a, b) => ops.addmmWith(c, a, b, { transposeA: true, beta: 0 }), [4], [3, 2], [3, 4]),
    sample((c, a, b) => ops.addmmWith(c, a, b, { transposeB: true, alpha: 3 }), [2, 1], [2, 3], [4, 3]),
  ],
  linear: [
    sample((x, w, b) => ops.linear(x, w, b), [2, 2, 5], [3, 5], [3]),
    sample((x, w, b) => ops.linear(x, w, b), [5], [3, 5], [3]),
    sample((x, w, b) => ops.linear(x, w, b), [0, 5], [3, 5], [3]),
    sample((x, w) => ops.linear(x, w), [2, 1, 4], [1, 4]),
    sample((x, w, b) => ops.linear(x, w, b, { axis: -2 }), [2, 4, 3], [5, 4], [5]),
    sample((x, w) => ops.linear(x, w, undefined, { axis: 0 }), [4, 3], [2, 4]),
    sample((x, w, b) => ops.linear(x, w, b, { axis: 1 }), [2, 3, 1, 2], [4, 3], [4]),
  ],
  bilinear: [
    sample(ops.bilinear, [2, 3, 4], [2, 3, 5], [2, 4, 5], [2]),
    sample((a, b, w) => ops.bilinear(a, b, w), [4], [5], [1, 4, 5]),
  ],
  bmm: [sample(ops.bmm, [3, 2, 4], [3, 4, 5]), sample(ops.bmm, [1, 2, 1], [1, 1, 2])],
  mv: [sample(ops.mv, [3, 4], [4])],
  dot: [sample(ops.dot, [6], [6]), sample(ops.dot, [1], [1])],
  outer: [sample(ops.outer, [3], [4])],
  baddbmm: [
    sample((c, a, b) => ops.baddbmm(c, a, b, { alpha: 0.5, beta: -1 }), [2, 3, 1], [2, 3, 4], [2, 4, 5]),
    sample((c, a, b) => ops.baddbmm(c, a, b, { beta: 0 }), [1], [2, 3, 4], [2, 4, 5]),
  ],
  kron: [sample(ops.kron, [2, 3], [3, 2]), sample(ops.kron, [2], [2, 1, 3]), sample(ops.kron, [], [2])],
  tensordot: [
    sample(
      (a, b) =>
        ops.tensordot(a, b, [
          [1, -1],
          [1, 0],
        ]),
      [2, 3, 4],
      [4, 3, 5],
    ),
    sample((a, b) => ops.tensordot(a, b), [2, 3, 4], [3, 4, 2]),
    sample((a, b) => ops.tensordot(a, b, 0), [2], [3]),
    sample((a, b) => ops.tensordot(a, b, 1), [0, 3], [3, 2]),
  ],
}

export const errors: Record<string, ops.Sample> = {
  'matmul: inner sizes differ: a [2, 2, 3] has 3 on axis -1, b [2, 3] has 2 on axis -2': sample(
    ops.matmul,
    [2, 2, 3],
    [2, 3],
  ),
  "linear: the input's axis 0 must be the weight's 5 inputs, found input [2, 4], weight [out, in] = [3, 5]": sample(
    (x, w) => ops.linear(x, w, undefined, { axis: 0 }),
    [2, 4],
    [3, 5],
  ),
  'linear: axis must be a whole number in [-2, 1] for 2 axes, found 2': sample(
    (x, w) => ops.linear(x, w, undefined, { axis: 2 }),
    [2, 4],
    [3, 4],
  ),
  "linear: the input's last axis must be the weight's 5 inputs, found input [2, 4], weight [out, in] = [3, 5]": sample(
    (x, w) => ops.linear(x, w),
    [2, 4],
    [3, 5],
    [3],
  ),
  'linear: the bias must have shape [3], found [2]': sample((x, w, b) => ops.linear(x, w, b), [2, 5], [3, 5], [2]),
  'bilinear: needs a [..., in1], b [..., in2] and weight [out, in1, in2], found [2, 4], [3, 5], [2, 4, 5]': sample(
    (a, b, w) => ops.bilinear(a, b, w),
    [2, 4],
    [3, 5],
    [2, 4, 5],
  ),
  'bmm: batch sizes must be equal, found a [1, 2, 3], b [2, 3, 4]': sample(ops.bmm, [1, 2, 3], [2, 3, 4]),
  'mv: needs matrix with 2 axes and vector with 1 axis, found [3] and [3]': sample(ops.mv, [3], [3]),
  "baddbmm: the input must broadcast to the products' shape [2, 2, 4], found [5, 2, 2, 4]": sample(
    (c, a, b) => ops.baddbmm(c, a, b),
    [5, 2, 2, 4],
    [2, 2, 3],
    [2, 3, 4],
  ),
  'tensordot: axes must pair distinct axes of equal size, found [1] of a [2, 3] with [0] of b [2, 3]': sample(
    (a, b) => ops.tensordot(a, b, 1),
    [2, 3],
    [2, 3],
  ),
}
