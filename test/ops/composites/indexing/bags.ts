import * as ops from '../../../../src/ops/kit.ts'

const even = { shape: [2, 3], dtype: 'int64', values: [0, 3, 1, 3, 3, 2] } as const
const flat = { shape: [5], dtype: 'int32', values: [0, 3, 1, 3, 2] } as const
const offsets = { shape: [3], dtype: 'int32', values: [0, 2, 2] } as const

export const samples: Record<string, ops.Sample[]> = {
  embeddingBag: [
    { inputs: [even, [4, 2]], call: (i, weight) => ops.embeddingBag(i, weight) },
    { inputs: [even, [4, 2]], call: (i, weight) => ops.embeddingBag(i, weight, { mode: 'max' }), smooth: false },
    { inputs: [flat, [4, 2], offsets], call: (i, weight, o) => ops.embeddingBag(i, weight, { offsets: o }) },
    {
      inputs: [flat, [4, 2], offsets, [5]],
      call: (i, weight, o, perSampleWeights) =>
        ops.embeddingBag(i, weight, { offsets: o, mode: 'sum', perSampleWeights, includeLastOffset: true }),
    },
    {
      inputs: [flat, [4, 2], offsets],
      call: (i, weight, o) => ops.embeddingBag(i, weight, { offsets: o, mode: 'max' }),
      smooth: false,
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'embeddingBag: index must be [bags, length], or have one axis and offsets, found [5] without offsets': {
    inputs: [flat, [4, 2]],
    call: (i, weight) => ops.embeddingBag(i, weight),
  },
  'embeddingBag: index must be [bags, length], or have one axis and offsets, found [2, 3] with offsets': {
    inputs: [even, [4, 2], offsets],
    call: (i, weight, o) => ops.embeddingBag(i, weight, { offsets: o }),
  },
  'embeddingBag: perSampleWeights are for mode "sum", found mode "mean"': {
    inputs: [even, [4, 2], [2, 3]],
    call: (i, weight, perSampleWeights) => ops.embeddingBag(i, weight, { perSampleWeights }),
  },
  "embeddingBag: perSampleWeights must have the index's shape [2, 3], found [3]": {
    inputs: [even, [4, 2], [3]],
    call: (i, weight, perSampleWeights) => ops.embeddingBag(i, weight, { perSampleWeights, mode: 'sum' }),
  },
}
