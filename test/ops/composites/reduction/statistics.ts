import * as ops from '../../../../src/ops/kit.ts'

const distinct = { shape: [2, 4], values: [0.3, -0.2, 0.9, 0.1, -0.8, 0.5, -0.5, 0.7] }

export const samples: Record<string, ops.Sample[]> = {
  variance: [
    { inputs: [[2, 3, 4]], call: (x) => ops.variance(x) },
    { inputs: [[2, 3, 4]], call: (x) => ops.variance(x, [0, -1], { correction: 0, keepDims: true }) },
  ],
  std: [
    { inputs: [[2, 3, 4]], call: (x) => ops.std(x, -1) },
    { inputs: [[2, 3, 4]], call: (x) => ops.std(x, [1, 2], { correction: 2 }) },
  ],
  median: [{ inputs: [distinct], call: ops.median, smooth: false }],
  medianWithIndices: [
    { inputs: [distinct], call: (x) => ops.medianWithIndices(x, -1), smooth: false },
    { inputs: [distinct], call: (x) => ops.medianWithIndices(x, 0, { keepDims: true }), smooth: false },
  ],
  quantile: [
    { inputs: [distinct], call: (x) => ops.quantile(x, 0.3), smooth: false },
    { inputs: [distinct], call: (x) => ops.quantile(x, [0.1, 0.8], 1, { keepDims: true }), smooth: false },
    { inputs: [distinct], call: (x) => ops.quantile(x, 0.6, 1, { interpolation: 'midpoint' }), smooth: false },
    { inputs: [distinct], call: (x) => ops.quantile(x, 0.5, 0, { interpolation: 'nearest' }), smooth: false },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'quantile: q must be from 0 to 1, found 1.5': { inputs: [distinct], call: (x) => ops.quantile(x, 1.5) },
  'median: needs at least one element on the axis': { inputs: [[2, 0]], call: (x) => ops.medianWithIndices(x, 1) },
}
