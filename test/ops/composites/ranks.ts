import * as ops from '../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  meanOverRanks: [{ inputs: [[2, 3]], call: (x) => ops.meanOverRanks(x, 5) }],
  gatherOverRanks: [{ inputs: [[2, 3]], call: (x) => ops.gatherOverRanks(x) }],
}
