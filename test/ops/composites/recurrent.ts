import * as ops from '../../../src/ops/kit.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const sample = (call: (...inputs: Tensor[]) => readonly Tensor[], ...inputs: ops.SampleInput[]): ops.Sample => ({
  inputs,
  call,
})
/** B = 2, T = 3, I = 3, H = 2. */
const shapes = (gates: number): ops.SampleInput[] => [
  [2, 3, 3],
  [gates * 2, 3],
  [gates * 2, 2],
  [gates * 2],
  [gates * 2],
]

export const samples: Record<string, ops.Sample[]> = {
  lstm: [
    sample(
      (x, weightIh, weightHh, biasIh, biasHh, h, c) =>
        Object.values(ops.lstm(x, { weightIh, weightHh, biasIh, biasHh }, { h, c })),
      ...shapes(4),
      [2, 2],
      [2, 2],
    ),
    sample(
      (x, weightIh, weightHh, biasIh) => Object.values(ops.lstm(x, { weightIh, weightHh, biasIh }, { reverse: true })),
      ...shapes(4).slice(0, 4),
    ),
  ],
  gru: [
    sample(
      (x, weightIh, weightHh, biasIh, biasHh, h) =>
        Object.values(ops.gru(x, { weightIh, weightHh, biasIh, biasHh }, { h })),
      ...shapes(3),
      [2, 2],
    ),
    sample(
      (x, weightIh, weightHh) => Object.values(ops.gru(x, { weightIh, weightHh }, { reverse: true })),
      ...shapes(3).slice(0, 3),
    ),
  ],
  rnn: [
    sample(
      (x, weightIh, weightHh, biasIh, biasHh, h) =>
        Object.values(ops.rnn(x, { weightIh, weightHh, biasIh, biasHh }, { h })),
      ...shapes(1),
      [2, 2],
    ),
    {
      ...sample(
        (x, weightIh, weightHh) => Object.values(ops.rnn(x, { weightIh, weightHh }, { nonlinearity: 'relu' })),
        [1, 1, 1],
        { shape: [1, 1], range: [0.5, 1] },
        [1, 1],
      ),
      smooth: false,
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'lstm: needs x [B, T, I] with T > 0, weightIh [4 H, I] and weightHh [4 H, H], found [2, 3, 3], [6, 3], [6, 2]':
    sample((x, weightIh, weightHh) => [ops.lstm(x, { weightIh, weightHh }).h], ...shapes(3).slice(0, 3)),
  'rnn: needs x [B, T, I] with T > 0, weightIh [H, I] and weightHh [H, H], found [2, 0, 3], [2, 3], [2, 2]': sample(
    (x, weightIh, weightHh) => [ops.rnn(x, { weightIh, weightHh }).h],
    [2, 0, 3],
    [2, 3],
    [2, 2],
  ),
  'gru: the state must have shape [2, 2], found [1, 2]': sample(
    (x, weightIh, weightHh, h) => [ops.gru(x, { weightIh, weightHh }, { h }).h],
    ...shapes(3).slice(0, 3),
    [1, 2],
  ),
}
