import * as ops from '../../../../src/ops/kit.ts'

// Distances between neighbours exceed the steps of the gradient check.
const distinct = { shape: [2, 4], values: [0.3, -0.2, 0.9, 0.1, -0.8, 0.5, -0.5, 0.7] }

export const samples: Record<string, ops.Sample[]> = {
  sort: [
    { inputs: [distinct], call: (x) => ops.sort(x), smooth: false },
    { inputs: [distinct], call: (x) => ops.sort(x, 0, { descending: true }), smooth: false },
    { inputs: [[]], call: (x) => ops.sort(x) },
  ],
  argsort: [{ inputs: [distinct], call: (x) => ops.argsort(x, -1, { descending: true }) }],
  maxWithIndices: [
    { inputs: [distinct], call: (x) => ops.maxWithIndices(x, -1), smooth: false },
    { inputs: [distinct], call: (x) => ops.maxWithIndices(x, 0, { keepDims: true }), smooth: false },
    { inputs: [[]], call: (x) => ops.maxWithIndices(x, 0) },
  ],
  minWithIndices: [{ inputs: [distinct], call: (x) => ops.minWithIndices(x, 1), smooth: false }],
}

export const errors: Record<string, ops.Sample> = {
  'topk: k must be a whole number of at most the 4 elements of axis 1 of [2, 4], found 5': {
    inputs: [distinct],
    call: (x) => ops.topk(x, 5),
  },
  'argmax: needs at least one element on the axis, found [2, 0]': { inputs: [[2, 0]], call: (x) => ops.argmax(x, 1) },
}
