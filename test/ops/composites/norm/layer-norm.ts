import * as ops from '../../../../src/ops/kit.ts'

const positive = { shape: [3], range: [0.5, 2] as const }

export const samples: Record<string, ops.Sample[]> = {
  rmsNorm: [
    { inputs: [[2, 4], [4]], call: (x, weight) => ops.rmsNorm(x, [4], { weight }) },
    { inputs: [[2, 3, 2]], call: (x) => ops.rmsNorm(x, [3, 2], { eps: 0.1 }) },
  ],
  groupNorm: [
    { inputs: [[2, 4, 3], [4], [4]], call: (x, weight, bias) => ops.groupNorm(x, 2, { weight, bias }) },
    { inputs: [[1, 4, 2, 2]], call: (x) => ops.groupNorm(x, 1, { eps: 0.1 }) },
    // Of each example its own: of both, of one of them.
    {
      inputs: [
        [2, 4, 3],
        [2, 4],
        [2, 4],
      ],
      call: (x, weight, bias) => ops.groupNorm(x, 2, { weight, bias }),
    },
    { inputs: [[3, 2, 3], [2], [3, 2]], call: (x, weight, bias) => ops.groupNorm(x, 1, { weight, bias }) },
    {
      inputs: [
        [3, 2, 3],
        [3, 2],
      ],
      call: (x, weight) => ops.groupNorm(x, 1, { weight }),
    },
  ],
  instanceNorm: [{ inputs: [[2, 3, 5], [3], [3]], call: (x, weight, bias) => ops.instanceNorm(x, { weight, bias }) }],
  batchNormTrain: [
    {
      inputs: [[4, 3, 2], [3], positive, [3], [3]],
      call: (x, mean, variance, weight, bias) => {
        const { output, runningMean, runningVar } = ops.batchNormTrain(x, mean, variance, {
          weight,
          bias,
          momentum: 0.2,
        })
        return [output, runningMean, runningVar]
      },
    },
  ],
  batchNorm: [{ inputs: [[4, 3], [3], positive], call: (x, mean, variance) => ops.batchNorm(x, mean, variance) }],
}

export const errors: Record<string, ops.Sample> = {
  'groupNorm: channels (axis 1) must be a multiple of the 2 groups, found [1, 3, 2]': {
    inputs: [[1, 3, 2]],
    call: (x) => ops.groupNorm(x, 2),
  },
  'groupNorm: weight must have one element per channel (axis 1) of [2, 4, 3], found [3, 4]': {
    inputs: [
      [2, 4, 3],
      [3, 4],
    ],
    call: (x, weight) => ops.groupNorm(x, 2, { weight }),
  },
  'batchNorm: training needs more than one value per channel, found [1, 3]': {
    inputs: [[1, 3], [3], [3]],
    call: (x, mean, variance) => ops.batchNormTrain(x, mean, variance).output,
  },
}
