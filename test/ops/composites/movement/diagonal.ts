import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  tril: [
    { inputs: [[4, 5]], call: (x) => ops.tril(x) },
    { inputs: [[2, 3, 3]], call: (x) => ops.tril(x, -1) },
  ],
  triu: [{ inputs: [[2, 1, 4]], call: (x) => ops.triu(x, 2) }],
  eye: [{ inputs: [], call: () => [ops.eye(3), ops.eye(2, 4, 'int64')] }],
  diagonal: [
    { inputs: [[3, 4]], call: (x) => ops.diagonal(x, { offset: 1 }) },
    { inputs: [[4, 2, 3]], call: (x) => ops.diagonal(x, { offset: -2, axis1: 0, axis2: -1 }) },
    { inputs: [[3, 4]], call: (x) => ops.diagonal(x, { offset: 9 }) },
  ],
  diagEmbed: [
    { inputs: [[2, 3]], call: (x) => ops.diagEmbed(x) },
    { inputs: [[2, 3]], call: (x) => ops.diagEmbed(x, { offset: -1, axis1: 2, axis2: 0 }) },
    { inputs: [[1]], call: (x) => ops.diagEmbed(x, { offset: 2 }) },
  ],
  trace: [{ inputs: [[3, 4]], call: ops.trace }],
}

export const errors: Record<string, ops.Sample> = {
  'tril: needs at least 2 axes, found [3]': { inputs: [[3]], call: (x) => ops.tril(x) },
  'diagEmbed: a scalar has no axis to lay on a diagonal': { inputs: [[]], call: (x) => ops.diagEmbed(x) },
  'trace: needs a matrix, found [2, 2, 2]': { inputs: [[2, 2, 2]], call: (x) => ops.trace(x) },
}
