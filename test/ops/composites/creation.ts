import * as ops from '../../../src/ops/kit.ts'

export const samples: Record<string, ops.Sample[]> = {
  full: [{ inputs: [], call: () => [ops.full([2, 1], 3), ops.full([], 1, 'bool'), ops.full([0, 2], 5, 'int64')] }],
  zeros: [{ inputs: [], call: () => [ops.zeros([2]), ops.zeros([1, 2], 'int32')] }],
  ones: [{ inputs: [], call: () => [ops.ones([2]), ops.ones([], 'uint8')] }],
  fullLike: [{ inputs: [[2, 3]], call: (x) => ops.fullLike(x, -2) }],
  zerosLike: [{ inputs: [{ shape: [2], dtype: 'int64' }], call: ops.zerosLike }],
  onesLike: [{ inputs: [[1, 2]], call: ops.onesLike }],
  arange: [
    {
      inputs: [],
      call: () => [ops.arange(4), ops.arange(5, 1, { step: -2 }), ops.arange(0, 1, { step: 0.25, dtype: 'float32' })],
    },
  ],
  linspace: [{ inputs: [], call: () => [ops.linspace(-1, 1, 5), ops.linspace(2, 3, 1)] }],
  meshgrid: [
    { inputs: [[2], [3]], call: (a, b) => ops.meshgrid([a, b]) },
    { inputs: [[2], [3], [4]], call: (...vectors) => ops.meshgrid(vectors, { indexing: 'xy' }) },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'arange: int64 needs whole numbers, found start 0 and step 0.5': {
    inputs: [],
    call: () => ops.arange(0, 2, { step: 0.5 }),
  },
  'arange: the numbers must be finite, and the step not 0, found start 0, end 2 and step 0': {
    inputs: [],
    call: () => ops.arange(0, 2, { step: 0 }),
  },
  'linspace: count must be a whole number of at least 0, found 1.5': {
    inputs: [],
    call: () => ops.linspace(0, 1, 1.5),
  },
  'meshgrid: inputs must have one axis, found float32[2, 3]': {
    inputs: [[2], [2, 3]],
    call: (...vectors) => ops.meshgrid(vectors),
  },
}
