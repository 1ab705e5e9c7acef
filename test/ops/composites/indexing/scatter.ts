import * as ops from '../../../../src/ops/kit.ts'

const mask = { shape: [2, 3], dtype: 'bool', values: [1, 0, 1, 0, 1, 1] } as const

export const samples: Record<string, ops.Sample[]> = {
  indexCopy: [
    {
      inputs: [[4, 2], { shape: [3], dtype: 'int32', values: [3, 0, 2] }, [3, 2]],
      call: (x, i, source) => ops.indexCopy(x, i, source, 0),
    },
    {
      inputs: [[2, 4], { shape: [1], dtype: 'int64', values: [2] }, [2, 1]],
      call: (x, i, source) => ops.indexCopy(x, i, source, -1),
    },
    { inputs: [[], { shape: [], dtype: 'int64', values: [0] }, []], call: (x, i, s) => ops.indexCopy(x, i, s, 0) },
  ],
  maskedScatter: [
    { inputs: [[2, 3], mask, [5]], call: ops.maskedScatter },
    { inputs: [[3], mask, [2, 2]], call: ops.maskedScatter },
  ],
}

const index = { shape: [2], dtype: 'int64', values: [0, 1] } as const

export const errors: Record<string, ops.Sample> = {
  "indexCopy: source must have the input's sizes and one element of axis 0 for each of the index, found input [4, 2], index [2] and source [3, 2]":
    { inputs: [[4, 2], index, [3, 2]], call: (x, i, source) => ops.indexCopy(x, i, source, 0) },
  'indexCopy: source must be float32, found int32': {
    inputs: [[4], index, { shape: [2], dtype: 'int32' }],
    call: (x, i, source) => ops.indexCopy(x, i, source, 0),
  },
  'maskedScatter: mask must be bool, found float32': { inputs: [[2], [2], [2]], call: ops.maskedScatter },
  'maskedScatter: shapes [2, 3] and [2] do not broadcast: 3 and 2 on axis -1': {
    inputs: [[2, 3], { shape: [2], dtype: 'bool' }, [2]],
    call: ops.maskedScatter,
  },
}
