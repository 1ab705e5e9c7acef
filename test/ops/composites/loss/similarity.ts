import * as ops from '../../../../src/ops/kit.ts'

const high = { shape: [3, 4], range: [1, 2] as const }
const signs = { shape: [3], values: [1, -1, 1] }
const positive = { shape: [3, 4], range: [0.5, 2] as const }

export const samples: Record<string, ops.Sample[]> = {
  pairwiseDistance: [{ inputs: [high, [3, 4]], call: (x, y) => ops.pairwiseDistance(x, y, { keepDims: true }) }],
  cosineEmbeddingLoss: [
    {
      inputs: [high, high],
      call: (x, y) => ops.cosineEmbeddingLoss(x, y, ops.constantOf(Float32Array.of(1, -1, 1), [3]), { margin: 0.2 }),
      smooth: false,
    },
  ],
  marginRankingLoss: [
    {
      inputs: [{ shape: [3], range: [2, 3] }, [3]],
      call: (x, y) => ops.marginRankingLoss(x, y, -1, { margin: 0.5 }),
      smooth: false,
    },
  ],
  tripletMarginLoss: [
    {
      inputs: [high, [3, 4], { shape: [3, 4], range: [0.5, 1.5] }],
      call: (a, p, n) => ops.tripletMarginLoss(a, p, n, { swap: true }),
      smooth: false,
    },
  ],
  hingeEmbeddingLoss: [
    {
      inputs: [{ shape: [3], range: [-1, 0.5] }],
      call: (x) => ops.hingeEmbeddingLoss(x, ops.constantOf(Float32Array.from(signs.values), [3])),
      smooth: false,
    },
  ],
  gaussianNllLoss: [
    { inputs: [[3, 4], [3, 4], positive], call: (x, y, v) => ops.gaussianNllLoss(x, y, v, { full: true }) },
  ],
  poissonNllLoss: [
    { inputs: [[3, 4], positive], call: (x, y) => ops.poissonNllLoss(x, y) },
    {
      inputs: [positive, { shape: [3, 4], range: [2, 3] }],
      call: (x, y) => ops.poissonNllLoss(x, y, { logInput: false, full: true }),
    },
  ],
  softMarginLoss: [
    { inputs: [[3]], call: (x) => ops.softMarginLoss(x, ops.constantOf(Float32Array.from(signs.values), [3])) },
  ],
  multilabelSoftMarginLoss: [
    { inputs: [[3, 4], { shape: [3, 4], range: [0, 1] }], call: (x, y) => ops.multilabelSoftMarginLoss(x, y) },
  ],
  reduceLosses: [{ inputs: [[3]], call: (x) => ops.reduceLosses(x, 'sum') }],
  localResponseNorm: [{ inputs: [[2, 5, 3]], call: (x) => ops.localResponseNorm(x, 4, { alpha: 0.5 }) }],
  spectralNorm: [
    {
      inputs: [[3, 2, 2]],
      // u and v are constants for the gradient, and so for the differences.
      call: (weight) => {
        const [u, v] = [Float32Array.of(0.6, 0, 0.8), new Float32Array(4).fill(0.5)]
        return ops.spectralNorm(weight, ops.constantOf(u, [3]), ops.constantOf(v, [4]), { iterations: 0 }).sigma
      },
    },
  ],
}
