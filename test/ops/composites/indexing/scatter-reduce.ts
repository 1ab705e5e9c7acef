import * as ops from '../../../../src/ops/kit.ts'

const index = { shape: [2, 3], dtype: 'int64', values: [0, 1, 0, 0, 2, 1] } as const
const positive = (shape: readonly number[]) => ({ shape, range: [0.5, 2] }) as const

export const samples: Record<string, ops.Sample[]> = {
  scatterReduce: (['sum', 'mean', 'prod'] as const).flatMap((reduce) =>
    [true, false].map((includeSelf) => ({
      inputs: [positive([3, 3]), index, positive([2, 4])],
      call: (x, i, source) => ops.scatterReduce(x, i, source, 0, reduce, { includeSelf }),
    })),
  ),
}

export const errors: Record<string, ops.Sample> = {
  'scatterReduce: reduce must be sum, prod, mean, amax or amin, found "max"': {
    inputs: [[3, 3], index, [2, 3]],
    call: (x, i, source) => ops.scatterReduce(x, i, source, 0, JSON.parse('"max"') as 'amax'),
  },
  'scatterReduce: source must be at least as large as the index on every axis, found source [2, 2] and index [2, 3]': {
    inputs: [[3, 3], index, [2, 2]],
    call: (x, i, source) => ops.scatterReduce(x, i, source, 0, 'mean'),
  },
}
