import * as ops from '../../../../src/ops/kit.ts'

/** Away from every kink: at 0, 0.5, 1, 3 and 6. */
const mixed = { shape: [2, 3], values: [-3.7, -1.6, -0.22, 0.27, 1.4, 4.5] }
const smooth = (call: (x: ops.Operand) => ReturnType<typeof ops.relu>): ops.Sample[] => [
  { inputs: [mixed], call: (x) => call(x) },
  { inputs: [[]], call: (x) => call(x) },
]
const kinked = (call: (x: ops.Operand) => ReturnType<typeof ops.relu>): ops.Sample[] => [
  { inputs: [mixed], call: (x) => call(x), smooth: false },
]

export const samples: Record<string, ops.Sample[]> = {
  quickGelu: smooth(ops.quickGelu),
  silu: smooth(ops.silu),
  relu6: kinked(ops.relu6),
  leakyRelu: kinked((x) => ops.leakyRelu(x, { negativeSlope: 0.2 })),
  prelu: [
    { inputs: [mixed, [1]], call: (x, w) => ops.prelu(x, w), smooth: false },
    { inputs: [mixed, [3]], call: (x, w) => ops.prelu(x, w), smooth: false },
  ],
  elu: kinked((x) => ops.elu(x, { alpha: 0.7 })),
  celu: kinked((x) => ops.celu(x, { alpha: 1.3 })),
  selu: kinked(ops.selu),
  softplus: smooth((x) => ops.softplus(x, { beta: 1.5, threshold: 30 })),
  logSigmoid: smooth(ops.logSigmoid),
  mish: smooth(ops.mish),
  hardtanh: kinked((x) => ops.hardtanh(x, { min: -2, max: 0.5 })),
  hardsigmoid: kinked(ops.hardsigmoid),
  hardswish: kinked(ops.hardswish),
  softsign: kinked(ops.softsign),
  tanhshrink: smooth(ops.tanhshrink),
  softshrink: kinked((x) => ops.softshrink(x, { lambda: 0.4 })),
  hardshrink: kinked((x) => ops.hardshrink(x, { lambda: 0.4 })),
  threshold: kinked((x) => ops.threshold(x, 0.4, -1)),
  glu: [
    { inputs: [[2, 4]], call: (x) => ops.glu(x) },
    { inputs: [[4, 3]], call: (x) => ops.glu(x, 0) },
  ],
  geglu: [{ inputs: [[2, 4]], call: (x) => ops.geglu(x) }],
  swiglu: [{ inputs: [[2, 4]], call: (x) => ops.swiglu(x) }],
  softmin: [{ inputs: [[2, 4]], call: (x) => ops.softmin(x, 0) }],
  softmaxWithTemperature: [{ inputs: [[2, 4]], call: (x) => ops.softmaxWithTemperature(x, 0.5) }],
}

export const errors: Record<string, ops.Sample> = {
  'prelu: the weight must have 1 element or one per channel (3), found 2': {
    inputs: [[2, 3], [2]],
    call: (x, w) => ops.prelu(x, w),
  },
}
