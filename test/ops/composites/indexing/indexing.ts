import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  selectPlaces: [
    { inputs: [[3, 4]], call: (x) => ops.selectPlaces(x, [2, 0, 2], -1) },
    { inputs: [[3, 2]], call: (x) => ops.selectPlaces(x, [0, 1, 2], 0) },
  ],
  takeAlongAxis: [
    {
      inputs: [[3, 4], { shape: [3, 2], dtype: 'int64', values: [3, 0, 1, 1, 2, 0] }],
      call: (x, i) => ops.takeAlongAxis(x, i, -1),
    },
    {
      inputs: [[1, 4], { shape: [3, 1], dtype: 'int64', values: [3, 0, 1] }],
      call: (x, i) => ops.takeAlongAxis(x, i, 1),
    },
    {
      inputs: [[2, 3], { shape: [2, 2], dtype: 'int32', values: [5, 0, 5, 2] }],
      call: (x, i) => ops.takeAlongAxis(x, i),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'takeAlongAxis: x and index must have the same number of axes, found [3, 4] and [2]': {
    inputs: [[3, 4], { shape: [2], dtype: 'int64', values: [0, 1] }],
    call: (x, i) => ops.takeAlongAxis(x, i, 1),
  },
  'gather: index must have as many axes as the input and no larger sizes but on axis 1, found input [3, 4] and index [4, 1]':
    {
      inputs: [[3, 4], { shape: [4, 1], dtype: 'int64', values: [0, 1, 2, 3] }],
      call: (x, i) => ops.gather(x, i, 1),
    },
  'segmentSum: index must have one element for each of axis 0 of source [3, 2], found [2]': {
    inputs: [[3, 2], { shape: [2], dtype: 'int64', values: [0, 1] }],
    call: (x, i) => ops.segmentSum(x, i, 4, 0),
  },
  'scatterAdd: source must be at least as large as the index on every axis, found source [1, 2] and index [2, 2]': {
    inputs: [[3, 2], { shape: [2, 2], dtype: 'int64', values: [0, 1, 1, 1] }, [1, 2]],
    call: (x, i, source) => ops.scatterAdd(x, i, source, 0),
  },
}
