import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  padAxis: [{ inputs: [[2, 3]], call: (x) => ops.padAxis(ops.padAxis(x, 0, 1, -1, 0.5), -1, -1, 2) }],
  dilate: [
    { inputs: [[2, 3]], call: (x) => ops.dilate(x, 1, 3) },
    { inputs: [[2, 1]], call: (x) => ops.dilate(x, -1, 2) },
  ],
  pad: [
    { inputs: [[2, 3, 4]], call: (x) => ops.pad(x, [1, 2, 0, 1], { value: 0.5 }) },
    { inputs: [[2, 5]], call: (x) => ops.pad(x, [-1, 2, 1, -1]) },
    { inputs: [[1, 4, 5]], call: (x) => ops.pad(x, [2, 1, 1, 3], { mode: 'reflect' }) },
    { inputs: [[1, 4, 5]], call: (x) => ops.pad(x, [2, 7, 0, 3], { mode: 'replicate' }) },
    { inputs: [[1, 4, 5]], call: (x) => ops.pad(x, [5, 1, 1, 0], { mode: 'circular' }) },
    { inputs: [[2, 5]], call: (x) => ops.pad(x, [-1, 2], { mode: 'circular' }) },
    { inputs: [{ shape: [2, 3], dtype: 'int64' }], call: (x) => ops.pad(x, [1, 1], { value: 3 }) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'pad: padding must be pairs of whole numbers for at most the 2 axes of [2, 3], last axis first, found [1, 2, 3]': {
    inputs: [[2, 3]],
    call: (x) => ops.pad(x, [1, 2, 3]),
  },
  'pad: reflect can add at most 2 elements to axis 1 of [2, 3], found 3 and 0': {
    inputs: [[2, 3]],
    call: (x) => ops.pad(x, [3, 0], { mode: 'reflect' }),
  },
  'pad: circular can add at most 3 elements to axis 1 of [2, 3], found 0 and 4': {
    inputs: [[2, 3]],
    call: (x) => ops.pad(x, [0, 4], { mode: 'circular' }),
  },
  'pad: cannot remove 2 and 2 elements from axis 1 of [2, 3]': { inputs: [[2, 3]], call: (x) => ops.pad(x, [-2, -2]) },
}
