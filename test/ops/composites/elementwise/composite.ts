import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  addAll: [
    {
      inputs: [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      call: (...xs) => ops.addAll(xs),
    },
  ],
}
