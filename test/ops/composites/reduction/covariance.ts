import * as ops from '../../../../src/ops/kit.ts'

const often = { shape: [4], dtype: 'int64', values: [1, 3, 2, 1] } as const
const important = { shape: [4], range: [0.5, 1] } as const

export const samples: Record<string, ops.Sample[]> = {
  cov: [
    { inputs: [[2, 4]], call: (x) => ops.cov(x) },
    { inputs: [[4]], call: (x) => ops.cov(x, { correction: 0 }) },
    {
      inputs: [[3, 4], often, important],
      call: (x, fweights, aweights) => ops.cov(x, { fweights, aweights }),
    },
  ],
  corrcoef: [
    { inputs: [[2, 4]], call: (x) => ops.corrcoef(x), smooth: false },
    { inputs: [{ shape: [3], values: [1, 3, 0.5] }], call: (x) => ops.stopGradient(ops.corrcoef(x)) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'cov: the input must be [variables, observations], found [2, 3, 4]': {
    inputs: [[2, 3, 4]],
    call: (x) => ops.cov(x),
  },
  'cov: fweights must have one element for each of 3 observations, found [4]': {
    inputs: [[2, 3], often],
    call: (x, fweights) => ops.cov(x, { fweights }),
  },
  'cov: fweights must be int64 or int32, found float32': {
    inputs: [[2, 4], important],
    call: (x, fweights) => ops.cov(x, { fweights }),
  },
}
