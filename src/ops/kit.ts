/**
 * Every op and what ops are made of: definitions (the registry is this module), `defineOp` and `apply`, helpers of gradients.
 * Gradients, `compile` and tests read it; models take functions from `index.ts`. `tenfold/ops` for those who define ops of their own.
 */

export * from './attention/attention.ts'
export { attentionOp } from './attention/kernel.ts'
export * from './control.ts'
export * from './conv/conv.ts'
export * from './conv/patches.ts'
export * from './conv/transpose.ts'
export * from './conv/weight-gradient.ts'
export * from './conv/windows.ts'
export * from './creation.ts'
export * from './define.ts'
export * from './elementwise/activation.ts'
export * from './elementwise/arithmetic.ts'
export * from './elementwise/binary.ts'
export * from './elementwise/choice.ts'
export * from './elementwise/composite.ts'
export * from './elementwise/logistic.ts'
export * from './elementwise/piecewise.ts'
export * from './elementwise/rounding.ts'
export * from './elementwise/special.ts'
export * from './elementwise/unary.ts'
export { type Complex, type ComplexOperand, complexAbs, complexAngle, complexMul } from './fourier/complex.ts'
export {
  type Fourier2dOptions,
  type FourierNorm,
  type FourierOptions,
  fft,
  fft2,
  fftfreq,
  fftshift,
  ifft,
  ifft2,
  ifftshift,
  irfft,
  rfft,
  rfftfreq,
} from './fourier/fft.ts'
export * from './fourier/fourier.ts'
export * from './indexing/indexing.ts'
export { certainlyWithin, within, withinOp } from './indexing/places.ts'
export * from './indexing/selection.ts'
export * from './loss/cross-entropy.ts'
export * from './loss/loss.ts'
export * from './loss/similarity.ts'
export * from './movement/diagonal.ts'
export * from './movement/grid.ts'
export * from './movement/movement.ts'
export * from './movement/padding.ts'
export * from './movement/rearrange.ts'
export * from './movement/resize.ts'
export * from './norm/channel-norm.ts'
export * from './norm/group-norm.ts'
export * from './norm/layer-norm.ts'
export * from './pool/pool.ts'
export type { PoolOptions } from './pool/windows.ts'
export * from './products/distance.ts'
export * from './products/einsum.ts'
export * from './products/linear.ts'
export * from './products/matmul.ts'
export * from './products/products.ts'
export * from './random.ts'
export * from './recurrent.ts'
export * from './reduction/order.ts'
export * from './reduction/reduce.ts'
export * from './reduction/scan.ts'
export * from './reduction/softmax.ts'
export * from './reduction/statistics.ts'
export { type CosineOptions, dct, idct } from './signal/cosine.ts'
export { type AmplitudeToDBOptions, amplitudeToDB, type PowerToDBOptions, powerToDB } from './signal/decibels.ts'
export { preemphasis, type ResampleOptions, resample } from './signal/filters.ts'
export { type MelOptions, melFilterBank } from './signal/mel.ts'
export {
  type MelSpectrogramOptions,
  type MfccOptions,
  melSpectrogram,
  mfcc,
  type SpectrogramOptions,
  spectrogram,
} from './signal/spectrogram.ts'
export { type IstftOptions, istft, type StftOptions, stft } from './signal/stft.ts'
export {
  bartlettWindow,
  blackmanWindow,
  hammingWindow,
  hannWindow,
  kaiserWindow,
  type WindowOptions,
} from './signal/windows.ts'
