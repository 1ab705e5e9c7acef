import * as ops from '../../../../src/ops/kit.ts'

const never = Number.NEGATIVE_INFINITY
/** One class of each row that can be drawn: whatever the noise, it is. */
const certain = { shape: [2, 3], values: [never, 1, never, 0, never, never] } as const
const weights = { shape: [2, 3], values: [0, 2, 0, 0, 0, 5] } as const
const two = { shape: [4], values: [0, 3, 0, 0.1] } as const

export const samples: Record<string, ops.Sample[]> = {
  categorical: [
    { inputs: [certain], call: (logits) => ops.categorical(logits) },
    { inputs: [certain], call: (logits) => ops.categorical(ops.transpose(logits), { axis: 0 }) },
  ],
  multinomial: [
    { inputs: [weights], call: (w) => [ops.multinomial(w, 1), ops.multinomial(w, 4, { replacement: true })] },
    { inputs: [two], call: (w) => ops.sum(ops.multinomial(w, 2)) },
    { inputs: [[0, 3]], call: (w) => [ops.multinomial(w, 2), ops.multinomial(w, 2, { replacement: true })] },
  ],
  gumbelSoftmax: [
    { inputs: [certain], call: (logits) => ops.cast(ops.gumbelSoftmax(logits, { hard: true }), 'int32') },
    { inputs: [[2, 3]], call: (logits) => ops.less(ops.gumbelSoftmax(logits, { tau: 2, axis: 0 }), 1.1) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'categorical: logits must have at least one class on axis 1, found [2, 0]': {
    inputs: [[2, 0]],
    call: (logits) => ops.categorical(logits),
  },
  'multinomial: weights must be [classes] or [rows, classes], found [2, 3, 4]': {
    inputs: [[2, 3, 4]],
    call: (w) => ops.multinomial(w, 2),
  },
  'multinomial: samples must be at most the 3 classes, found 4': {
    inputs: [[2, 3]],
    call: (w) => ops.multinomial(w, 4),
  },
  'gumbelSoftmax: tau must be above 0, found 0': {
    inputs: [[2, 3]],
    call: (logits) => ops.gumbelSoftmax(logits, { tau: 0 }),
  },
}
