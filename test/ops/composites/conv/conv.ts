import * as ops from '../../../../src/ops/kit.ts'

const attributes: ops.ConvAttributes = { stride: [2, 1], before: [1, 0], after: [0, 1], dilation: [1, 2], groups: 2 }

export const samples: Record<string, ops.Sample[]> = {
  conv1d: [{ inputs: [[2, 3, 7], [4, 3, 3], [4]], call: (x, w, b) => ops.conv1d(x, w, b, { padding: 'same' }) }],
  conv2d: [
    {
      inputs: [[2, 1, 4, 5], [3, 1, 2, 2], [3]],
      call: (x, w, b) => ops.conv2d(x, w, b, { padding: [1, 0], stride: [1, 2] }),
    },
    {
      inputs: [
        [1, 3, 4, 4],
        [3, 1, 3, 3],
      ],
      call: (x, w) => ops.conv2d(x, w, undefined, { groups: 3, padding: 1 }),
    },
  ],
  conv3d: [
    {
      inputs: [[1, 2, 3, 4, 3], [3, 2, 2, 3, 2], [3]],
      call: (x, w, b) => ops.conv3d(x, w, b, { padding: [0, 1, 1], stride: [1, 2, 1] }),
    },
    // Patches that do not overlap: a matrix product.
    {
      inputs: [
        [2, 2, 2, 4, 3],
        [3, 2, 1, 2, 3],
      ],
      call: (x, w) => ops.conv3d(x, w, undefined, { stride: [1, 2, 3] }),
    },
    {
      inputs: [
        [1, 1, 3, 2, 17],
        [2, 1, 2, 2, 3],
      ],
      call: (x, w) => ops.conv3d(x, w, undefined, { padding: 'same' }),
    },
  ],
  convTranspose1d: [
    {
      inputs: [[2, 3, 4], [3, 2, 3], [2]],
      call: (x, w, b) => ops.convTranspose1d(x, w, b, { stride: 2, outputPadding: 1 }),
    },
  ],
  convTranspose2d: [
    {
      inputs: [[1, 2, 3, 3], [2, 2, 2, 3], [4]],
      call: (x, w, b) => ops.convTranspose2d(x, w, b, { stride: 2, padding: 1, groups: 2 }),
    },
    {
      inputs: [
        [1, 2, 3, 2],
        [2, 3, 2, 2],
      ],
      call: (x, w) => ops.convTranspose2d(x, w, undefined, { dilation: 2 }),
    },
  ],
  convTranspose3d: [
    {
      inputs: [[1, 2, 2, 3, 2], [2, 1, 2, 2, 3], [2]],
      call: (x, w, b) => ops.convTranspose3d(x, w, b, { stride: [2, 1, 1], padding: [0, 1, 0], groups: 2 }),
    },
  ],
  convInputGradient: [
    {
      inputs: [
        [1, 4, 3, 4],
        [4, 2, 2, 3],
      ],
      call: (g, w) => ops.convInputGradient(g, w, [1, 4, 5, 7], attributes),
    },
  ],
  convWeightGradient: [
    {
      inputs: [
        [1, 4, 5, 7],
        [1, 4, 3, 4],
      ],
      call: (x, g) => ops.convWeightGradient(x, g, [4, 2, 2, 3], attributes),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'convTranspose: the weight must be [in, out / groups, ...kernel], found input [1, 3, 4, 4], weight [2, 3, 2, 2]': {
    inputs: [
      [1, 3, 4, 4],
      [2, 3, 2, 2],
    ],
    call: (x, w) => ops.convTranspose2d(x, w),
  },
  'conv: input and weight must have 5 axes, found input [1, 3, 4, 4], weight [4, 3, 2, 2]': {
    inputs: [
      [1, 3, 4, 4],
      [4, 3, 2, 2],
    ],
    call: (x, w) => ops.conv3d(x, w),
  },
  'convTranspose: there must be elements to spread, found [1, 2, 0]': {
    inputs: [
      [1, 2, 0],
      [2, 1, 2],
    ],
    call: (x, w) => ops.convTranspose1d(x, w, undefined, { stride: 2, outputPadding: 1 }),
  },
  'conv: the bias must be [4], found [3]': {
    inputs: [[1, 3, 4, 4], [4, 3, 2, 2], [3]],
    call: (x, w, b) => ops.conv2d(x, w, b),
  },
  'conv: the bias must be [5], found [1]': {
    inputs: [[1, 3, 4, 4], [5, 3, 1, 1], [1]],
    call: (x, w, b) => ops.conv2d(x, w, b),
  },
}
