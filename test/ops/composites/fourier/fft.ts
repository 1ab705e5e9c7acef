import * as ops from '../../../../src/ops/kit.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'

const list = ({ real, imag }: ops.Complex): Tensor[] => [real, imag]

/** Samples of a transform of real and of complex numbers. */
function both(transform: (x: ops.ComplexOperand, options?: ops.FourierOptions) => ops.Complex): ops.Sample[] {
  return [
    { inputs: [[2, 6]], call: (x) => list(transform(x)) },
    {
      inputs: [
        [5, 2],
        [5, 2],
      ],
      call: (real, imag) => list(transform({ real, imag }, { axis: 0, norm: 'ortho' })),
    },
    // Two and three factors, fewer rows than the length, a chirp.
    {
      inputs: [
        [1, 100],
        [1, 100],
      ],
      call: (real, imag) => list(transform({ real, imag }, { n: 160 })),
    },
    { inputs: [[1, 300]], call: (x) => list(transform(x, { n: 293, norm: 'forward' })) },
    {
      inputs: [
        [1, 20],
        [1, 20],
      ],
      call: (real, imag) => list(transform({ real, imag }, { n: 293 })),
    },
  ]
}

export const samples: Record<string, ops.Sample[]> = {
  fft: both(ops.fft),
  ifft: both(ops.ifft),
  rfft: [
    { inputs: [[2, 7]], call: (x) => list(ops.rfft(x)) },
    { inputs: [[2, 4, 3]], call: (x) => list(ops.rfft(x, { axis: 1, n: 6, norm: 'ortho' })) },
    { inputs: [[1, 144]], call: (x) => list(ops.rfft(x)) },
  ],
  irfft: [
    {
      inputs: [
        [2, 5],
        [2, 5],
      ],
      call: (real, imag) => ops.irfft({ real, imag }),
    },
    {
      inputs: [
        [2, 5],
        [2, 5],
      ],
      call: (real, imag) => ops.irfft({ real, imag }, { n: 7, norm: 'ortho' }),
    },
    {
      inputs: [
        [1, 73],
        [1, 73],
      ],
      call: (real, imag) => ops.irfft({ real, imag }),
    },
    { inputs: [[4, 2]], call: (x) => ops.irfft(x, { axis: 0 }) },
  ],
  fft2: [{ inputs: [[2, 3, 4]], call: (x) => list(ops.fft2(x)) }],
  ifft2: [
    {
      inputs: [
        [3, 4, 1],
        [3, 4, 1],
      ],
      call: (real, imag) => list(ops.ifft2({ real, imag }, { axes: [0, 1], norm: 'ortho' })),
    },
  ],
  fftfreq: [{ inputs: [], call: () => ops.fftfreq(5, 0.5) }],
  rfftfreq: [{ inputs: [], call: () => ops.rfftfreq(6) }],
  fftshift: [{ inputs: [[4, 5]], call: (x) => ops.fftshift(x) }],
  ifftshift: [{ inputs: [[4, 5]], call: (x) => ops.ifftshift(x, 1) }],
}

export const errors: Record<string, ops.Sample> = {
  'fft: x must be float32, found int32': {
    inputs: [{ shape: [4], dtype: 'int32' }],
    call: (x) => list(ops.fft(x)),
  },
  'fft: axis 0 must have elements, found [0]': { inputs: [[0]], call: (x) => list(ops.fft(x)) },
  'rfft: a scalar has no axis to transform': { inputs: [[]], call: (x) => list(ops.rfft(x)) },
  'irfft: n must be a whole number of at least 1, found 0': { inputs: [[1]], call: (x) => ops.irfft(x) },
  'ifft2: needs two axes to transform, found [2, 3]': {
    inputs: [[2, 3]],
    call: (x) => list(ops.ifft2(x, { axes: [1] })),
  },
  'rfft: x must be real, found a pair of parts': {
    inputs: [[2], [2]],
    call: (real, imag) => list(ops.rfft({ real, imag } as never)),
  },
  'fftfreq: d must not be 0': { inputs: [], call: () => ops.fftfreq(4, 0) },
}
