import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  fft2Real: [
    [2, 5, 7],
    [1, 2, 8, 4],
    [2, 1, 6],
    [6, 1],
    [2, 3],
    [3, 3],
    [1, 1],
  ].map((shape) => ({
    inputs: [shape],
    call: ops.fft2Real,
  })),
}

export const errors: Record<string, ops.Sample> = {
  'fft2Real: needs two axes to transform and at least one element on them, found [3]': {
    inputs: [[3]],
    call: ops.fft2Real,
  },
  'fft2Real: x must be float32, found int32': { inputs: [{ shape: [2, 2], dtype: 'int32' }], call: ops.fft2Real },
}
