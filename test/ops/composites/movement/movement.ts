import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  transpose: [
    { inputs: [[2, 3, 4]], call: (x) => ops.transpose(x) },
    { inputs: [[2, 3, 4]], call: (x) => ops.transpose(x, 0, -1) },
  ],
  unsqueeze: [{ inputs: [[2, 3]], call: (x) => [ops.unsqueeze(x, -1), ops.unsqueeze(x, 0)] }],
  squeeze: [
    { inputs: [[1, 3, 1, 2]], call: (x) => [ops.squeeze(x), ops.squeeze(x, -2), ops.squeeze(x, [0, 2])] },
    { inputs: [[]], call: (x) => ops.squeeze(x) },
  ],
  flip: [
    { inputs: [[2, 3, 4]], call: (x) => ops.flip(x, [0, -1]) },
    { inputs: [[1, 3]], call: (x) => ops.flip(x, 1) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'squeeze: axis 1 of [1, 3] must have size 1': { inputs: [[1, 3]], call: (x) => ops.squeeze(x, 1) },
  'transpose: axis must be a whole number in [-2, 1] for 2 axes, found 2': {
    inputs: [[1, 3]],
    call: (x) => ops.transpose(x, 0, 2),
  },
}
