import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  chunk: [
    { inputs: [[7, 2]], call: (x) => ops.chunk(x, 3) },
    { inputs: [[2, 3]], call: (x) => ops.chunk(x, 5, -1) },
  ],
  stack: [
    {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      call: (...xs) => ops.stack(xs, -1),
    },
    { inputs: [[], []], call: (...xs) => ops.stack(xs) },
  ],
  flatten: [
    { inputs: [[2, 3, 4, 2]], call: (x) => ops.flatten(x, 1, -2) },
    { inputs: [[]], call: (x) => ops.flatten(x) },
  ],
  moveAxis: [
    { inputs: [[2, 3, 4]], call: (x) => ops.moveAxis(x, 0, -1) },
    { inputs: [[2, 3, 4]], call: (x) => ops.moveAxis(x, [2, 0], [0, 1]) },
  ],
  broadcastTo: [{ inputs: [[3, 1]], call: (x) => ops.broadcastTo(x, [2, 3, 4]) }],
  roll: [
    { inputs: [[3, 4]], call: (x) => ops.roll(x, [1, -2], [0, 1]) },
    { inputs: [[3, 4]], call: (x) => ops.roll(x, -5) },
    { inputs: [[1, 4]], call: (x) => ops.roll(x, 9, -1) },
  ],
  tile: [
    { inputs: [[2, 3]], call: (x) => ops.tile(x, [2, 1, 2]) },
    { inputs: [[2, 1, 3]], call: (x) => ops.tile(x, 2) },
  ],
  repeatInterleave: [
    { inputs: [[2, 3]], call: (x) => ops.repeatInterleave(x, 2, -1) },
    { inputs: [[2, 3]], call: (x) => ops.repeatInterleave(x, 3) },
    { inputs: [[3, 2]], call: (x) => ops.repeatInterleave(x, [2, 0, 1], 0) },
    { inputs: [[]], call: (x) => ops.repeatInterleave(x, 2) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'split: sizes must sum to axis 1 of [2, 7], found [2, 4]': { inputs: [[2, 7]], call: (x) => ops.split(x, [2, 4], 1) },
  'chunk: count must be a whole number of at least 1, found 0': { inputs: [[4]], call: (x) => ops.chunk(x, 0) },
  'stack: all inputs must have one shape, found [2] and [3]': { inputs: [[2], [3]], call: (...xs) => ops.stack(xs) },
  'flatten: startAxis must not be after endAxis, found 2 and 0': {
    inputs: [[2, 3, 4]],
    call: (x) => ops.flatten(x, 2, 0),
  },
  'moveAxis: source and destination must be the same number of distinct axes, found [0,1] and [1]': {
    inputs: [[2, 3]],
    call: (x) => ops.moveAxis(x, [0, 1], [1]),
  },
  'roll: needs one shift for each axis, found shifts [1] and axes [0,1]': {
    inputs: [[2, 3]],
    call: (x) => ops.roll(x, 1, [0, 1]),
  },
  'repeatInterleave: needs one count for each of the 3 elements of axis 1, found 2': {
    inputs: [[2, 3]],
    call: (x) => ops.repeatInterleave(x, [1, 2], 1),
  },
}
