import * as ops from '../../../../src/ops/kit.ts'

const first = { shape: [2, 1], dtype: 'int64', values: [-1, 0] } as const
const second = { shape: [3], dtype: 'int32', values: [2, -4, 1] } as const
const pair = { shape: [2], dtype: 'int64', values: [1, -2] } as const

export const samples: Record<string, ops.Sample[]> = {
  index: [
    { inputs: [[3, 4], first, second], call: (x, i, j) => ops.index(x, [i, j]) },
    { inputs: [[3, 4, 2], second], call: (x, i) => ops.index(x, [null, i]) },
    // An axis between the indexed ones: their shape comes first.
    { inputs: [[3, 2, 4], pair, pair], call: (x, i, j) => ops.index(x, [i, null, j]) },
    { inputs: [[2, 3, 4, 2], first, second], call: (x, i, j) => ops.index(x, [null, i, j]) },
    { inputs: [[3, 4], pair], call: (x, i) => ops.index(x, [i, 2]) },
  ],
  indexPut: [
    { inputs: [[3, 4], first, second, [2, 3]], call: (x, i, j, v) => ops.indexPut(x, [i, j], v) },
    {
      inputs: [[3, 4], first, first, [1]],
      call: (x, i, j, v) => ops.indexPut(x, [i, j], v, { accumulate: true }),
    },
    { inputs: [[3, 2, 4], pair, pair, [2, 2]], call: (x, i, j, v) => ops.indexPut(x, [i, null, j], v) },
    { inputs: [[3, 4], pair], call: (x, i) => ops.indexPut(x, [null, i], 0.5) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'index: needs an index, and at most one for each of the axes of [3], found ["an index", "an index"]': {
    inputs: [[3], pair],
    call: (x, i) => ops.index(x, [i, i]),
  },
  'index: needs an index, and at most one for each of the axes of [3], found ["null"]': {
    inputs: [[3]],
    call: (x) => ops.index(x, [null]),
  },
  'index: an index must be int64 or int32, found a mask, whose places only its values tell': {
    inputs: [[2], { shape: [2], dtype: 'bool' }],
    call: (x, i) => ops.index(x, [i]),
  },
  'index: index of axis 1 must lie in -4 to 3, found -5 at [1]': {
    inputs: [[3, 4], { shape: [2], dtype: 'int64', values: [0, -5] }],
    call: (x, i) => ops.index(x, [null, i]),
  },
  'indexPut: values must broadcast to the indexed part, [2, 4], found [3, 2, 4]': {
    inputs: [[3, 4], pair, [3, 2, 4]],
    call: (x, i, v) => ops.indexPut(x, [i], v),
  },
}
