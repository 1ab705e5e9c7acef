import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  unfold: [
    { inputs: [[2, 2, 4, 5]], call: (x) => ops.unfold(x, [2, 3], { padding: 1, stride: [2, 1], dilation: [2, 1] }) },
  ],
  fold: [{ inputs: [[2, 8, 12]], call: (x) => ops.fold(x, [5, 4], 2) }],
  pixelShuffle: [{ inputs: [[1, 8, 2, 3]], call: (x) => ops.pixelShuffle(x, 2) }],
  pixelUnshuffle: [{ inputs: [[1, 2, 4, 6]], call: (x) => ops.pixelUnshuffle(x, 2) }],
}

export const errors: Record<string, ops.Sample> = {
  'fold: columns must be [N, C * 4, 12], found [2, 8, 11]': {
    inputs: [[2, 8, 11]],
    call: (x) => ops.fold(x, [5, 4], 2),
  },
  'fold: columns must be [N, C * 4, positions], found [8, 12]': {
    inputs: [[8, 12]],
    call: (x) => ops.fold(x, [5, 4], 2),
  },
  'pixelShuffle: channels must be a multiple of 4, found [1, 6, 2, 2]': {
    inputs: [[1, 6, 2, 2]],
    call: (x) => ops.pixelShuffle(x, 2),
  },
}
