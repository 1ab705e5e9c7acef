import * as ops from '../../../../src/ops/kit.ts'

const scattered = { shape: [2, 3], values: [-2.7, -1.2, -0.4, 0.3, 1.6, 2.2] }
const whole = { shape: [2, 3], dtype: 'int32', values: [-7, -2, 0, 3, 7, 9] } as const
const special = { shape: [5], values: [Number.NaN, 0.3, Number.NEGATIVE_INFINITY, -2, Number.POSITIVE_INFINITY] }
const divisor = { shape: [3], values: [0.8, -1.1, 2.3] }

export const samples: Record<string, ops.Sample[]> = {
  trunc: [{ inputs: [scattered], call: ops.trunc, smooth: false }],
  frac: [{ inputs: [scattered], call: ops.frac, smooth: false }],
  remainder: [
    { inputs: [scattered, divisor], call: ops.remainder, smooth: false },
    { inputs: [whole, { shape: [], dtype: 'int32', values: [-3] }], call: ops.remainder },
  ],
  floorDivide: [
    { inputs: [scattered, divisor], call: ops.floorDivide, smooth: false },
    { inputs: [whole, { shape: [], dtype: 'int32', values: [-3] }], call: ops.floorDivide },
  ],
  clamp: [
    {
      inputs: [scattered, { shape: [3], values: [-1, -0.5, 0] }, { shape: [2, 1], values: [0.5, 1] }],
      call: ops.clamp,
      smooth: false,
    },
    {
      inputs: [scattered, { shape: [], values: [0.1] }],
      call: (x, upper) => ops.clamp(x, undefined, upper),
      smooth: false,
    },
  ],
  round: [
    { inputs: [scattered], call: (x) => [ops.round(x, { decimals: 1 }), ops.round(ops.mul(x, 10), { decimals: -1 })] },
  ],
  nanToNum: [
    { inputs: [special], call: (x) => ops.nanToNum(x, { positiveInfinity: 1, negativeInfinity: 2 }) },
    { inputs: [special], call: (x) => ops.nanToNum(x, { nan: 7, positiveInfinity: 8, negativeInfinity: -9 }) },
  ],
  isFinite: [{ inputs: [special], call: ops.isFinite }],
}

export const errors: Record<string, ops.Sample> = {
  'clamp: bounds of int32 must be whole numbers, found 0.5': { inputs: [whole], call: (x) => ops.clamp(x, 0.5) },
  'clamp: input must be float32 or int32 or int64, found bool': {
    inputs: [{ shape: [2], dtype: 'bool' }],
    call: (x) => ops.clamp(x, 0, 1),
  },
}
