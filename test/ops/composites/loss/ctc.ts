import * as ops from '../../../../src/ops/kit.ts'

const labels = { shape: [2, 2], dtype: 'int64', values: [1, 1, 2, 1] } as const
const options = { reduction: 'none' } as const

export const samples: Record<string, ops.Sample[]> = {
  ctcLoss: [
    { inputs: [[5, 2, 3], labels], call: (x, target) => ops.ctcLoss(ops.logSoftmax(x, 2), target, [5, 4], [2, 1]) },
    { inputs: [[5, 2, 3], labels], call: (x, target) => ops.ctcLoss(x, target, [5, 3], [2, 2], options) },
    {
      inputs: [[4, 3], { shape: [2], dtype: 'int32', values: [0, 1] }],
      call: (x, target) => ops.ctcLoss(x, target, [4], [2], { blank: 2, reduction: 'sum' }),
    },
    {
      inputs: [[4, 3], { shape: [2], dtype: 'int32', values: [0, 1] }],
      call: (x, target) => ops.ctcLoss(x, target, 4, 2, { blank: 2 }),
    },
  ],
}

const one = { shape: [2], dtype: 'int64', values: [1, 1] } as const

export const errors: Record<string, ops.Sample> = {
  'ctcLoss: log probabilities must be [T, N, C] or [T, C], found [3]': {
    inputs: [[3], one],
    call: (x, target) => ops.ctcLoss(x, target, [3], [2]),
  },
  'ctcLoss: blank must be one of the 3 classes, found 3': {
    inputs: [[4, 3], one],
    call: (x, target) => ops.ctcLoss(x, target, [4], [2], { blank: 3 }),
  },
  'ctcLoss: targets must be class indices of shape [2] and the labels of each, or one list of all labels, found float32[2, 2]':
    {
      inputs: [
        [5, 2, 3],
        [2, 2],
      ],
      call: (x, target) => ops.ctcLoss(x, target, [5, 5], [2, 2]),
    },
  'ctcLoss: target lengths must be whole numbers of shape [2], found int64[1]': {
    inputs: [[5, 2, 3], labels],
    call: (x, target) => ops.ctcLoss(x, target, [5, 5], [2]),
  },
  'ctcLoss: the target lengths sum to 4, but there are 2 labels': {
    inputs: [[5, 2, 3], one],
    call: (x, target) => ops.ctcLoss(x, target, [5, 5], [2, 2]),
  },
  'ctcLoss: a length of input lengths must be a whole number of at least 0, found 1.5': {
    inputs: [[5, 2, 3], labels],
    call: (x, target) => ops.ctcLoss(x, target, [5, 1.5], [2, 2]),
  },
}
