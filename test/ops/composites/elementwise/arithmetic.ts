import * as ops from '../../../../src/ops/kit.ts'

const positive = { shape: [2, 3], range: [0.3, 2] } as const

function onBoth(call: (a: ops.Operand, b: ops.Operand) => ReturnType<typeof ops.add>, smooth = true): ops.Sample[] {
  return [
    {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      call,
      smooth,
    },
    {
      inputs: [
        [2, 1, 3],
        [4, 1],
      ],
      call,
      smooth,
    },
    { inputs: [[], [3]], call, smooth },
  ]
}

export const samples: Record<string, ops.Sample[]> = {
  square: [{ inputs: [[2, 3]], call: ops.square }],
  heaviside: [
    {
      inputs: [{ shape: [4], values: [-1, 0.2, 2, -0.2] }, [4]],
      call: (x, values) => ops.heaviside(ops.round(x), values),
      smooth: false,
    },
    { inputs: [{ shape: [3], dtype: 'int32', values: [-1, 0, 2] }], call: (x) => ops.heaviside(x, 7) },
  ],
  rsqrt: [{ inputs: [positive], call: ops.rsqrt }],
  exp2: [{ inputs: [[2, 3]], call: ops.exp2 }],
  log2: [{ inputs: [positive], call: ops.log2 }],
  log10: [{ inputs: [positive], call: ops.log10 }],
  logit: [
    { inputs: [{ shape: [4], range: [0.2, 0.8] }], call: (x) => ops.logit(x) },
    { inputs: [{ shape: [4], values: [0.02, 0.3, 0.6, 0.97] }], call: (x) => ops.logit(x, { eps: 0.1 }) },
  ],
  sinc: [{ inputs: [{ shape: [2, 3], range: [0.2, 1.4] }], call: ops.sinc }],
  raised: [{ inputs: [positive], call: (x) => ops.raised(x, 0.1) }],
  sqrtOrZero: [
    { inputs: [positive], call: ops.sqrtOrZero },
    { inputs: [{ shape: [2, 1], range: [0.3, 2] }], call: (x) => ops.sqrtOrZero(ops.relu(x)) },
  ],
  notEqual: onBoth((a, b) => ops.notEqual(ops.sign(a), ops.sign(b))),
  lerp: [
    { inputs: [[2, 3], [3], [2, 1]], call: ops.lerp },
    { inputs: [[2], [2]], call: (a, b) => ops.lerp(a, b, 0.3) },
  ],
  addcmul: [{ inputs: [[2, 1], [3], [2, 3]], call: (x, a, b) => ops.addcmul(x, a, b, { value: -0.5 }) }],
  addcdiv: [{ inputs: [[2, 1], [3], positive], call: (x, a, b) => ops.addcdiv(x, a, b, { value: -0.5 }) }],
  hypot: [{ inputs: [positive, [3]], call: ops.hypot }],
  logAddExp: onBoth(ops.logAddExp),
  logAddExp2: onBoth(ops.logAddExp2),
  entr: [{ inputs: [positive], call: ops.entr }],
  xlogy: [{ inputs: [[2, 1], positive], call: ops.xlogy }],
}
