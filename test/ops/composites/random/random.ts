import * as ops from '../../../../src/ops/kit.ts'

// Numbers differ from call to call: the samples look at what is always so. Distributions: test/ops/random.
const within = (x: ops.Operand, low: number, high: number) =>
  ops.logicalAnd(ops.greaterOrEqual(x, low), ops.lessOrEqual(x, high))
const probabilities = { shape: [2, 1], values: [0, 1] } as const

export const samples: Record<string, ops.Sample[]> = {
  randomUniform: [{ inputs: [], call: () => within(ops.randomUniform([2, 3], { low: -2, high: -1 }), -2, -1) }],
  randomNormal: [{ inputs: [], call: () => within(ops.randomNormal([0, 3]), -7, 7) }],
  randomTruncatedNormal: [{ inputs: [], call: () => within(ops.randomTruncatedNormal([4], { std: 0.5 }), -1, 1) }],
  randomBernoulli: [
    { inputs: [], call: () => [ops.randomBernoulli([3], 0), ops.randomBernoulli([2, 1], 1)] },
    { inputs: [probabilities], call: (p) => ops.randomBernoulli([2, 3], p) },
  ],
  randomExponential: [{ inputs: [], call: () => within(ops.randomExponential([2, 3], { rate: 2 }), 0, 12) }],
  randomGumbel: [{ inputs: [], call: () => within(ops.randomGumbel([2, 3], { loc: 5, scale: 2 }), -2, 52) }],
  randomIntegers: [
    { inputs: [], call: () => within(ops.randomIntegers([2, 3], -3, -1), -3, -2) },
    { inputs: [], call: () => ops.randomIntegers([2, 0], 4, 5, { dtype: 'int32' }) },
    { inputs: [], call: () => ops.randomIntegers([3], 4, 5) },
  ],
  randomPoisson: [{ inputs: [], call: () => [ops.randomPoisson([3], 0), within(ops.randomPoisson([2], 50), 1, 200)] }],
  randomBeta: [{ inputs: [], call: () => within(ops.randomBeta([2, 3], 0.5, 2), 0, 1) }],
  randomPermutation: [{ inputs: [], call: () => ops.sum(ops.randomPermutation(5)) }],
  dropout: [
    { inputs: [[2, 3]], call: (x) => ops.dropout(x, 0.5, { training: false }) },
    { inputs: [[2, 3]], call: (x) => ops.dropout(x, 1) },
  ],
  dropout2d: [
    { inputs: [[2, 3, 1, 2]], call: (x) => ops.dropout2d(x, 0.5, { training: false }) },
    { inputs: [[2, 3]], call: (x) => ops.dropout2d(x, 1) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'dropout2d: the input must be [N, C, ...], found [3]': { inputs: [[3]], call: (x) => ops.dropout2d(x, 0.5) },
  'randomBernoulli: probability must broadcast to [2, 3], found [2, 2, 3]': {
    inputs: [[2, 2, 3]],
    call: (p) => ops.randomBernoulli([2, 3], p),
  },
  'randomIntegers: high must be from 6 to 2147483648, found 5': {
    inputs: [],
    call: () => ops.randomIntegers([2], 5, 5),
  },
  'randomExponential: rate must be above 0, found 0': {
    inputs: [],
    call: () => ops.randomExponential([2], { rate: 0 }),
  },
  'randomPoisson: rate must be from 0 to 16777216, found -1': { inputs: [], call: () => ops.randomPoisson([2], -1) },
  'randomGumbel: scale must be at least 0, found -1': {
    inputs: [],
    call: () => ops.randomGumbel([2], { scale: -1 }),
  },
}
