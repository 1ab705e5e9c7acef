import * as ops from '../../../../src/ops/kit.ts'

const labels = { shape: [3], dtype: 'int64', values: [2, 0, 3] } as const
const weights = { shape: [4], range: [0.5, 2] as const }
const probability = { shape: [2, 3], range: [0.1, 0.9] as const }
const pair: readonly [readonly number[], readonly number[]] = [
  [2, 3],
  [2, 3],
]

export const samples: Record<string, ops.Sample[]> = {
  crossEntropy: [
    { inputs: [[3, 4], labels], call: (x, y) => ops.crossEntropy(x, y, { labelSmoothing: 0.1 }) },
    { inputs: [[3, 4], labels, weights], call: (x, y, weight) => ops.crossEntropy(x, y, { weight, ignoreIndex: 0 }) },
    {
      inputs: [[2, 4, 2], { shape: [2, 4, 2], range: [0.1, 0.5] }],
      call: (x, y) => ops.crossEntropy(x, y, { reduction: 'sum', labelSmoothing: 0.2 }),
    },
  ],
  nllLoss: [{ inputs: [[3, 4], labels, weights], call: (x, y, weight) => ops.nllLoss(x, y, { weight }) }],
  bceWithLogits: [
    { inputs: [[2, 3], probability], call: (x, y) => ops.bceWithLogits(x, y) },
    {
      inputs: [[2, 3], probability, probability],
      call: (x, y, posWeight) => ops.bceWithLogits(x, y, { posWeight, reduction: 'sum' }),
    },
  ],
  binaryCrossEntropy: [{ inputs: [probability, probability], call: (x, y) => ops.binaryCrossEntropy(x, y) }],
  mseLoss: [{ inputs: pair, call: (x, y) => ops.mseLoss(x, y) }],
  l1Loss: [
    {
      inputs: [{ shape: [2, 3], range: [1, 2] }, [2, 3]],
      call: (x, y) => ops.l1Loss(x, y, { reduction: 'none' }),
      smooth: false,
    },
  ],
  smoothL1Loss: [
    {
      inputs: [{ shape: [2, 3], range: [2, 3] }, [2, 3]],
      call: (x, y) => ops.smoothL1Loss(x, y, { beta: 0.5 }),
      smooth: false,
    },
  ],
  huberLoss: [
    {
      inputs: [{ shape: [2, 3], range: [2, 3] }, [2, 3]],
      call: (x, y) => ops.huberLoss(x, y, { delta: 0.5 }),
      smooth: false,
    },
  ],
  klDiv: [
    { inputs: [[2, 3], probability], call: (x, y) => ops.klDiv(x, y, { reduction: 'batchmean' }) },
    { inputs: pair, call: (x, y) => ops.klDiv(x, y, { logTarget: true, reduction: 'sum' }) },
  ],
  cosineSimilarity: [
    { inputs: [{ shape: [2, 3], range: [0.5, 1.5] }, [2, 3]], call: (x, y) => ops.cosineSimilarity(x, y) },
  ],
  normalize: [{ inputs: [{ shape: [2, 3], range: [0.5, 1.5] }], call: (x) => ops.normalize(x, { p: 3, axis: 0 }) }],
}

export const errors: Record<string, ops.Sample> = {
  'crossEntropy: logits [3, 4] need a target of shape [3] (class indices), found [2]': {
    inputs: [[3, 4], { shape: [2], dtype: 'int64', values: [0, 1] }],
    call: (x, y) => ops.crossEntropy(x, y),
  },
  "bceWithLogits: target must have the input's shape, [4, 1], found [4]": {
    inputs: [[4, 1], [4]],
    call: (x, y) => ops.bceWithLogits(x, y),
  },
  "binaryCrossEntropy: target must have the input's shape, [2, 3], found [3]": {
    inputs: [[2, 3], [3]],
    call: (x, y) => ops.binaryCrossEntropy(x, y),
  },
}
