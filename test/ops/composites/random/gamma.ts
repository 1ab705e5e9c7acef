import * as ops from '../../../../src/ops/kit.ts'

const concentration = { shape: [2, 3], values: [0.3, 0.9, 1.5, 4, 9, 60] } as const
const numbers = { shape: [2, 3], values: [0.2, 1.1, 0.9, 6, 8.8, 40] } as const

export const samples: Record<string, ops.Sample[]> = {
  randomGamma: [
    { inputs: [], call: () => ops.greater(ops.randomGamma([2, 3], 0.5), 0) },
    { inputs: [{ shape: [3], range: [0.5, 2] }], call: (a) => ops.greater(ops.randomGamma([2, 3], a), 0) },
  ],
  gammaSlope: [{ inputs: [concentration, numbers], call: ops.gammaSlope }],
}

export const errors: Record<string, ops.Sample> = {
  'randomGamma: concentration must be above 0, found 0': { inputs: [], call: () => ops.randomGamma([2], 0) },
  'randomGamma: concentration must broadcast to [2, 3], found [4, 2, 3]': {
    inputs: [[4, 2, 3]],
    call: (a) => ops.randomGamma([2, 3], a),
  },
}
