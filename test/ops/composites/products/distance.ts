import * as ops from '../../../../src/ops/kit.ts'

const away = { shape: [2, 3], values: [-1.2, 0.4, 0.8, 0.9, -0.5, 1.7] }

export const samples: Record<string, ops.Sample[]> = {
  vectorNorm: [
    { inputs: [away], call: (x) => ops.vectorNorm(x) },
    { inputs: [away], call: (x) => ops.vectorNorm(x, 3, -1, { keepDims: true }) },
    { inputs: [away], call: (x) => ops.vectorNorm(x, 0.5, 0) },
    { inputs: [away], call: (x) => ops.vectorNorm(x, -1, 1) },
    { inputs: [away], call: (x) => ops.vectorNorm(x, 1, [0, 1]), smooth: false },
    { inputs: [away], call: (x) => ops.vectorNorm(x, Number.POSITIVE_INFINITY, 1), smooth: false },
    { inputs: [away], call: (x) => ops.vectorNorm(x, Number.NEGATIVE_INFINITY, 1), smooth: false },
    { inputs: [away], call: (x) => ops.vectorNorm(x, 0, 1) },
  ],
  cdist: [
    {
      inputs: [
        [4, 3],
        [5, 3],
      ],
      call: (a, b) => ops.cdist(a, ops.add(b, 2)),
    },
    {
      inputs: [
        [2, 4, 3],
        [5, 3],
      ],
      call: (a, b) => ops.cdist(a, ops.add(b, 2), { order: 3 }),
    },
    {
      inputs: [
        [2, 3],
        [26, 3],
      ],
      call: (a, b) => ops.cdist(a, ops.add(b, 3)),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'cdist: inputs must be [..., rows, width] of one width, found [4, 3] and [5, 2]': {
    inputs: [
      [4, 3],
      [5, 2],
    ],
    call: (a, b) => ops.cdist(a, b),
  },
}
