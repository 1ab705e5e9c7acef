import * as ops from '../../../../src/ops/kit.ts'

const distinct = { shape: [2, 5], values: [0.3, -0.2, 0.9, 0.1, 1.4, -0.8, 0.5, -0.5, 0.7, 0.1] }

export const samples: Record<string, ops.Sample[]> = {
  cumprod: [
    {
      inputs: [{ shape: [2, 5], values: [0.3, 0, 0.9, 0.1, 1.4, -0.8, 0, -0.5, 0, 0.1] }],
      call: (x) => ops.cumprod(x, 1),
    },
    { inputs: [[3, 1]], call: (x) => ops.cumprod(x, -1) },
    { inputs: [{ shape: [4], dtype: 'int64' }], call: (x) => ops.cumprod(x, 0) },
  ],
  logCumsumExp: [
    { inputs: [distinct], call: (x) => ops.logCumsumExp(x, -1) },
    { inputs: [distinct], call: (x) => ops.logCumsumExp(ops.mul(x, 5), 0) },
  ],
  cummax: [
    { inputs: [distinct], call: (x) => ops.cummax(x, 1), smooth: false },
    { inputs: [{ shape: [6], dtype: 'int32', values: [1, 3, 3, 2, 3, 1] }], call: (x) => ops.cummax(x, 0) },
    { inputs: [[]], call: (x) => ops.cummax(x, 0) },
  ],
  diff: [
    { inputs: [[2, 5]], call: (x) => ops.diff(x) },
    {
      inputs: [
        [3, 2],
        [1, 2],
        [2, 2],
      ],
      call: (x, prepend, append) => ops.diff(x, { n: 2, axis: 0, prepend, append }),
    },
    { inputs: [{ shape: [5], dtype: 'bool' }], call: (x) => ops.diff(x) },
    { inputs: [[2, 3]], call: (x) => ops.diff(x, { n: 5 }) },
  ],
  cummin: [{ inputs: [distinct], call: (x) => ops.cummin(x, -2), smooth: false }],
}

export const errors: Record<string, ops.Sample> = {
  'diff: the input must have an axis, found []': { inputs: [[]], call: (x) => ops.diff(x) },
  'diff: n must be a whole number of at least 0, found -1': { inputs: [[3]], call: (x) => ops.diff(x, { n: -1 }) },
}
