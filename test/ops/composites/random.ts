import * as ops from '../../../src/ops/kit.ts'

// Numbers differ from call to call: the samples look at what is always so. Distributions: test/ops/random.test.ts.
const within = (x: ops.Operand, low: number, high: number) =>
  ops.logicalAnd(ops.greaterOrEqual(x, low), ops.lessOrEqual(x, high))

export const samples: Record<string, ops.Sample[]> = {
  randomUniform: [{ inputs: [], call: () => within(ops.randomUniform([2, 3], { low: -2, high: -1 }), -2, -1) }],
  randomNormal: [{ inputs: [], call: () => within(ops.randomNormal([0, 3]), -7, 7) }],
  randomTruncatedNormal: [{ inputs: [], call: () => within(ops.randomTruncatedNormal([4], { std: 0.5 }), -1, 1) }],
  randomBernoulli: [{ inputs: [], call: () => [ops.randomBernoulli([3], 0), ops.randomBernoulli([2, 1], 1)] }],
  randomBeta: [{ inputs: [], call: () => within(ops.randomBeta([2, 3], 0.5, 2), 0, 1) }],
  randomPermutation: [{ inputs: [], call: () => ops.sum(ops.randomPermutation(5)) }],
  dropout: [
    { inputs: [[2, 3]], call: (x) => ops.dropout(x, 0.5, { training: false }) },
    { inputs: [[2, 3]], call: (x) => ops.dropout(x, 1) },
  ],
}
