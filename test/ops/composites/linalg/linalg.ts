import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  det: [{ inputs: [{ shape: [2, 2], values: [2, 0.5, -0.3, 1] }], call: (x) => ops.det(x) }],
  matrixNorm: [
    { inputs: [[2, 3]], call: (x) => ops.matrixNorm(x) },
    { inputs: [[2, 3, 4]], call: (x) => ops.matrixNorm(x, 1, { axes: [0, -1], keepDims: true }), smooth: false },
    { inputs: [[2, 3, 4]], call: (x) => ops.matrixNorm(x, Number.NEGATIVE_INFINITY), smooth: false },
  ],
  matrixPower: [
    { inputs: [[2, 3, 3]], call: (x) => ops.matrixPower(x, 3) },
    { inputs: [[2, 2]], call: (x) => ops.matrixPower(x, 0) },
    { inputs: [{ shape: [2, 2], values: [2, 0.5, -0.3, 1] }], call: (x) => ops.matrixPower(x, -2) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  "matrixNorm: the order must be 'fro', 1, -1, Infinity or -Infinity, found 2": {
    inputs: [[2, 3]],
    call: (x) => ops.matrixNorm(x, 2),
  },
  'matrixNorm: axes must be two different ones, found [1, -1]': {
    inputs: [[2, 3]],
    call: (x) => ops.matrixNorm(x, 1, { axes: [1, -1] }),
  },
  'matrixNorm: needs at least 2 axes, found [3]': { inputs: [[3]], call: (x) => ops.matrixNorm(x) },
  'matrixPower: input must be square matrices [..., n, n], found [2, 3]': {
    inputs: [[2, 3]],
    call: (x) => ops.matrixPower(x, 2),
  },
  'solve: a [..., n, n] needs b [..., n, columns] or [..., n], found [2, 2] and [3, 2]': {
    inputs: [
      [2, 2],
      [3, 2],
    ],
    call: (a, b) => ops.solve(a, b),
  },
  'polygamma: n must be from 0 to 30, found 31': { inputs: [[2]], call: (x) => ops.polygamma(31, x) },
}
