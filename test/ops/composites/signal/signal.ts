import * as ops from '../../../../src/ops/kit.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'

const list = ({ real, imag }: ops.Complex): Tensor[] => [real, imag]
const window = ops.hannWindow(8)
const small = { sampleRate: 100, nFft: 16, hopLength: 4, nMels: 3 }

export const samples: Record<string, ops.Sample[]> = {
  bartlettWindow: [{ inputs: [], call: () => ops.bartlettWindow(5) }],
  blackmanWindow: [{ inputs: [], call: () => ops.blackmanWindow(5) }],
  hammingWindow: [{ inputs: [], call: () => ops.hammingWindow(5, { alpha: 0.5 }) }],
  hannWindow: [{ inputs: [], call: () => ops.hannWindow(5, { periodic: false }) }],
  kaiserWindow: [{ inputs: [], call: () => ops.kaiserWindow(5, { beta: 3 }) }],
  stft: [
    { inputs: [[2, 20]], call: (x) => list(ops.stft(x, 8, { window, hopLength: 3, normalized: true })) },
    { inputs: [[40], [9]], call: (x, w) => list(ops.stft(x, 12, { window: w, winLength: 9, onesided: false })) },
    { inputs: [[150]], call: (x) => list(ops.stft(x, 144, { hopLength: 6, center: false })) },
  ],
  istft: [
    {
      inputs: [
        [2, 5, 6],
        [2, 5, 6],
      ],
      call: (real, imag) => ops.istft({ real, imag }, 8, { window, hopLength: 3 }),
    },
    {
      inputs: [[8, 4], [8, 4], { shape: [8], range: [0.5, 1] }],
      call: (real, imag, w) => ops.istft({ real, imag }, 8, { window: w, onesided: false, length: 12 }),
    },
  ],
  spectrogram: [
    { inputs: [[2, 30]], call: (x) => ops.spectrogram(x, { nFft: 10, hopLength: 4, normalized: true }) },
    {
      inputs: [[30]],
      call: (x) => ops.spectrogram(x, { nFft: 10, power: 1, pad: 2, normalized: 'frame_length' }),
      smooth: false,
    },
  ],
  melFilterBank: [{ inputs: [], call: () => ops.melFilterBank(9, 3, 100, { norm: 'slaney', melScale: 'slaney' }) }],
  melSpectrogram: [{ inputs: [[40]], call: (x) => ops.melSpectrogram(x, small) }],
  mfcc: [{ inputs: [[40]], call: (x) => ops.mfcc(x, { ...small, nMfcc: 2 }), smooth: false }],
  amplitudeToDB: [
    { inputs: [{ shape: [2, 3, 4], range: [0.5, 2] }], call: (x) => ops.amplitudeToDB(x, { ref: 2 }) },
    // All levels within the limit: no kink.
    { inputs: [{ shape: [2, 3, 4], range: [0.5, 2] }], call: (x) => ops.amplitudeToDB(x, { topDb: 80 }) },
  ],
  powerToDB: [{ inputs: [{ shape: [3, 4], range: [0.5, 2] }], call: (x) => ops.powerToDB(x) }],
  dct: [
    { inputs: [[2, 5]], call: (x) => ops.dct(x, { norm: 'ortho' }) },
    { inputs: [[4, 2]], call: (x) => ops.dct(x, { axis: 0, n: 6 }) },
  ],
  idct: [{ inputs: [[2, 5]], call: (x) => ops.idct(x, { n: 3 }) }],
  resample: [
    { inputs: [[2, 30]], call: (x) => ops.resample(x, 3, 2) },
    { inputs: [[20]], call: (x) => ops.resample(x, 2, 3, { resamplingMethod: 'sinc_interp_kaiser' }) },
    { inputs: [[5]], call: (x) => ops.resample(x, 7, 7) },
  ],
  preemphasis: [{ inputs: [[2, 6]], call: (x) => ops.preemphasis(x, 0.5) }],
}

export const errors: Record<string, ops.Sample> = {
  'stft: x must be [..., length], found a scalar': { inputs: [[]], call: (x) => list(ops.stft(x, 4)) },
  'stft: hopLength must be a whole number of at least 1, found 0': { inputs: [[9]], call: (x) => list(ops.stft(x, 3)) },
  'stft: window must be [6], found [8]': { inputs: [[20]], call: (x) => list(ops.stft(x, 6, { window })) },
  'stft: winLength must be at most nFft 6, found 7': {
    inputs: [[20]],
    call: (x) => list(ops.stft(x, 6, { winLength: 7 })),
  },
  'stft: x must have at least nFft 8 samples, found 5': {
    inputs: [[5]],
    call: (x) => list(ops.stft(x, 8, { center: false })),
  },
  'pad: reflect can add at most 2 elements to axis 1 of [1, 3], found 4 and 4': {
    inputs: [[3]],
    call: (x) => list(ops.stft(x, 8)),
  },
  'istft: x must be [..., 5, frames], found [4, 6]': { inputs: [[4, 6]], call: (x) => ops.istft(x, 8) },
  'istft: the squared windows must not add up to 0, found 0 at sample 0 of 23': {
    inputs: [[5, 6]],
    call: (x) => ops.istft(x, 8, { window, hopLength: 3, center: false }),
  },
  'istft: 1 frames leave no samples between the halves that center cuts off': {
    inputs: [[5, 1]],
    call: (x) => ops.istft(x, 8),
  },
  'melSpectrogram: onesided must be true: mel filters know no negative frequencies': {
    inputs: [[40]],
    call: (x) => ops.melSpectrogram(x, { ...small, onesided: false }),
  },
  'melFilterBank: fMax must be above fMin 50, found 50': {
    inputs: [],
    call: () => ops.melFilterBank(9, 3, 100, { fMin: 50 }),
  },
  'mfcc: nMfcc must be at most nMels 3, found 4': {
    inputs: [[40]],
    call: (x) => ops.mfcc(x, { ...small, nMfcc: 4 }),
  },
  'amplitudeToDB: topDb needs [..., frequencies, frames], found float32[3]': {
    inputs: [[3]],
    call: (x) => ops.amplitudeToDB(x, { topDb: 10 }),
  },
  'resample: rates 1000003 and 999983 need a filter of 999999999711 numbers, more than 2^26': {
    inputs: [[3]],
    call: (x) => ops.resample(x, 1000003, 999983),
  },
}
