import * as ops from '../../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  unfoldAxis: [
    { inputs: [[7]], call: (x) => ops.unfoldAxis(x, 0, 3, 1) },
    { inputs: [[2, 7, 2]], call: (x) => ops.unfoldAxis(x, -2, 3, 2) },
    { inputs: [[2, 8]], call: (x) => ops.unfoldAxis(x, 1, 2, 3) },
    { inputs: [[]], call: (x) => ops.unfoldAxis(x, 0, 1, 1) },
    // Many small blocks in a window: read by index.
    { inputs: [[70]], call: (x) => ops.unfoldAxis(x, 0, 66, 1) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'unfoldAxis: size must be at most the 3 elements of axis 1 of [2, 3], found 4': {
    inputs: [[2, 3]],
    call: (x) => ops.unfoldAxis(x, 1, 4, 1),
  },
  'unfoldAxis: step must be a whole number of at least 1, found 0': {
    inputs: [[2, 3]],
    call: (x) => ops.unfoldAxis(x, 1, 2, 0),
  },
}
