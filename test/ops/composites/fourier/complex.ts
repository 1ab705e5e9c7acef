import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  complexAbs: [
    {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      call: (real, imag) => ops.complexAbs({ real, imag }),
    },
  ],
  complexAngle: [
    { inputs: [{ shape: [4], range: [0.5, 1] }, [4]], call: (real, imag) => ops.complexAngle({ real, imag }) },
  ],
  complexMul: [
    {
      inputs: [[2, 3], [2, 3], [3], [3]],
      call: (a = ops.zeros([]), b = a, c = a, d = a) => {
        const { real, imag } = ops.complexMul({ real: a, imag: b }, { real: c, imag: d })
        return [real, imag]
      },
    },
    { inputs: [[2], [2]], call: (a, b) => Object.values(ops.complexMul(a, { real: b, imag: 2 })) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'complexAbs: real and imag must have one shape, found [2] and [3]': {
    inputs: [[2], [3]],
    call: (real, imag) => ops.complexAbs({ real, imag }),
  },
}
