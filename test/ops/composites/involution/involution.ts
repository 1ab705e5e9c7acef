import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  involution: [
    {
      inputs: [[2, 4, 3, 4], [2, 2, 3, 2, 3, 3], [4]],
      call: (x, weight, bias) => ops.involution(x, weight, { padding: [1, 0], bias }),
    },
    // By products of band matrices: rows of 11 positions are two runs of 6, the last one padded.
    {
      inputs: [
        [1, 4, 3, 11],
        [1, 1, 3, 7, 3, 11],
      ],
      call: (x, weight) => ops.involution(x, weight, { padding: [1, 3] }),
    },
    {
      inputs: [
        [1, 8, 7, 9],
        [1, 2, 5, 4, 2, 3],
      ],
      call: (x, weight) => ops.involution(x, weight, { padding: [0, 1], stride: [2, 3] }),
    },
    // Dilation and stride have a common divisor: some elements of the input meet no place of the kernel.
    {
      inputs: [
        [1, 2, 7, 6],
        [1, 1, 2, 3, 4, 3],
      ],
      call: (x, weight) => ops.involution(x, weight, { stride: 2, dilation: [2, 1], padding: [1, 1] }),
    },
    // The padding is wider than what the kernel reaches.
    {
      inputs: [
        [1, 1, 2, 2],
        [1, 1, 1, 1, 6, 6],
      ],
      call: (x, weight) => ops.involution(x, weight, { padding: 2 }),
    },
  ],
  involutionInputGradient: [
    {
      inputs: [
        [1, 2, 3, 3],
        [1, 2, 3, 2, 3, 3],
      ],
      call: (g, weight) =>
        ops.involutionInputGradient(g, weight, [1, 2, 5, 6], { stride: [2, 2], before: [1, 0], dilation: [1, 1] }),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'involution: the weight must be [B, G, KH, KW, Ho, Wo] for an input [B, C, H, W] with C a multiple of G, found input [1, 24, 4, 4], weight [1, 7, 3, 3, 4, 4]':
    {
      inputs: [
        [1, 24, 4, 4],
        [1, 7, 3, 3, 4, 4],
      ],
      call: (x, weight) => ops.involution(x, weight, { padding: 1 }),
    },
  'involution: the weight must have a kernel for each of [3, 3] positions, found [2, 2]; input [1, 4, 5, 5], kernel [3, 3], stride [2, 2], padding [1, 1]':
    {
      inputs: [
        [1, 4, 5, 5],
        [1, 2, 3, 3, 2, 2],
      ],
      call: (x, weight) => ops.involution(x, weight, { padding: 1, stride: 2 }),
    },
  'involution: the bias must be [4], found [2]': {
    inputs: [[1, 4, 5, 5], [1, 2, 3, 3, 5, 5], [2]],
    call: (x, weight, bias) => ops.involution(x, weight, { padding: 1, bias }),
  },
}
