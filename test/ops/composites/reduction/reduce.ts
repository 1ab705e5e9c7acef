import * as ops from '../../../../src/ops/kit.ts'

const inf = Number.POSITIVE_INFINITY
const flags = { shape: [3, 2], dtype: 'bool', values: [1, 0, 0, 0, 1, 1] } as const

export const samples: Record<string, ops.Sample[]> = {
  logSumExp: [
    { inputs: [[2, 3]], call: (x) => ops.logSumExp(x, -1) },
    { inputs: [[2, 1, 4]], call: (x) => ops.logSumExp(ops.mul(x, 50), [0, -1], { keepDims: true }) },
    { inputs: [{ shape: [2, 2], values: [0.2, inf, inf, 0.5] }], call: (x) => ops.logSumExp(ops.neg(x), 1) },
    { inputs: [[]], call: (x) => ops.logSumExp(x) },
  ],
  nansum: [
    { inputs: [[2, 3]], call: (x) => ops.nansum(x, 1) },
    { inputs: [{ shape: [3], dtype: 'int32' }], call: (x) => ops.nansum(x, 0, { keepDims: true }) },
    { inputs: [[2]], call: (x) => ops.nansum(ops.concat([x, ops.full([1], Number.NaN)], 0)) },
  ],
  nanmean: [
    { inputs: [[2, 3]], call: (x) => ops.nanmean(x, [0, 1]) },
    { inputs: [[2]], call: (x) => ops.nanmean(ops.concat([x, ops.full([1], Number.NaN)], 0)) },
  ],
  prod: [
    { inputs: [{ shape: [2, 5], values: [0.5, 0, 2, -1, 3, 0, 1, 0, 0.7, 2] }], call: (x) => ops.prod(x, 1) },
    { inputs: [[2, 3, 2]], call: (x) => ops.prod(x, [0, -1], { keepDims: true }) },
    { inputs: [[3, 1]], call: (x) => ops.prod(x) },
    { inputs: [[2, 0]], call: (x) => ops.prod(x, 1) },
    { inputs: [{ shape: [4], dtype: 'int64' }], call: (x) => ops.prod(x) },
  ],
  countNonzero: [{ inputs: [{ shape: [2, 3], values: [0, 1, 0, 2, -1, 0] }], call: (x) => ops.countNonzero(x, -1) }],
  any: [
    { inputs: [flags], call: (x) => [ops.any(x, 1), ops.any(x, undefined, { keepDims: true })] },
    { inputs: [[0, 2]], call: (x) => ops.any(x, 0) },
  ],
  all: [
    { inputs: [flags], call: (x) => [ops.all(x, 0), ops.all(x)] },
    { inputs: [[0, 2]], call: (x) => ops.all(x, 0) },
  ],
  sumTo: [{ inputs: [[2, 3, 4]], call: (x) => ops.sumTo(x, [3, 1]) }],
}

export const errors: Record<string, ops.Sample> = {
  'max: needs at least one element along axes [1], found [2, 0]': { inputs: [[2, 0]], call: (x) => ops.max(x, 1) },
  'prod: input must be float32 or int32 or int64, found bool': { inputs: [flags], call: (x) => ops.prod(x) },
}
