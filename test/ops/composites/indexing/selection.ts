import * as ops from '../../../../src/ops/kit.ts'

const index = { shape: [2, 3], dtype: 'int64', values: [0, 3, 1, 3, 3, 2] } as const
const ascending = { shape: [5], values: [-0.9, -0.3, 0, 0.4, 0.8] }

export const samples: Record<string, ops.Sample[]> = {
  select: [
    { inputs: [[2, 3]], call: (x) => ops.select(x, -1, 1) },
    { inputs: [[1, 3]], call: (x) => ops.select(x, 0, -2) },
  ],
  embedding: [
    { inputs: [index, [4, 3]], call: (i, weight) => ops.embedding(i, weight) },
    { inputs: [index, [4, 1]], call: (i, weight) => ops.mul(ops.embedding(i, weight), 2) },
  ],
  oneHot: [{ inputs: [index], call: (i) => [ops.oneHot(i, 4), ops.oneHot(i, 5, 'float32')] }],
  maskedFill: [
    { inputs: [[2, 3], { shape: [3], dtype: 'bool' }], call: (x, mask) => ops.maskedFill(x, mask, -2) },
    { inputs: [[2, 3], { shape: [2, 1], dtype: 'bool' }, []], call: ops.maskedFill },
  ],
  indexAdd: [
    {
      inputs: [[4, 2], { shape: [3], dtype: 'int32', values: [3, 0, 3] }, [3, 2]],
      call: (x, i, source) => ops.indexAdd(x, i, source, 0, { alpha: -0.5 }),
    },
    {
      inputs: [[2, 4], { shape: [1], dtype: 'int64', values: [2] }, [2, 1]],
      call: (x, i, source) => ops.indexAdd(x, i, source, -1),
    },
  ],
  bincount: [
    { inputs: [index], call: (i) => ops.bincount(i, 6) },
    { inputs: [index, [2, 3]], call: (i, weights) => ops.bincount(i, 4, { weights }) },
  ],
  searchsorted: [
    { inputs: [ascending, [2, 3]], call: (sorted, values) => ops.searchsorted(sorted, values) },
    {
      inputs: [
        { shape: [2, 3], values: [1, 2, 2, 0, 5, 6] },
        { shape: [2, 2], values: [2, 3, 0, 7] },
      ],
      call: (sorted, values) => ops.searchsorted(sorted, values, { right: true }),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'select: index must be a whole number in [-3, 2] on axis 1 of [2, 3], found 3': {
    inputs: [[2, 3]],
    call: (x) => ops.select(x, 3, 1),
  },
  'embedding: weight must be [entries, width], found [4]': {
    inputs: [index, [4]],
    call: (i, w) => ops.embedding(i, w),
  },
  'embedding: paddingIndex must be one of the 4 rows, found 4': {
    inputs: [index, [4, 2]],
    call: (i, weight) => ops.embedding(i, weight, { paddingIndex: 4 }),
  },
  'embedding: index must be int64 or int32, found float32': {
    inputs: [[2], [4, 2]],
    call: (i, weight) => ops.embedding(i, weight),
  },
  'searchsorted: sorted must have one axis or the leading axes of values, found [2, 3] and [3, 2]': {
    inputs: [
      [2, 3],
      [3, 2],
    ],
    call: (sorted, values) => ops.searchsorted(sorted, values),
  },
}
