/**
 * Every op and what ops are made of: definitions (the registry is this module), `defineOp` and `apply`, helpers of gradients.
 * Gradients, `compile` and tests read it; models take functions from `index.ts`. `tenfold/ops` for those who define ops of their own.
 */

export * from './attention/attention.ts'
export { attentionOp } from './attention/kernel.ts'
export * from './attention/multi-head.ts'
export * from './attention/parts.ts'
export * from './control.ts'
export * from './conv/conv.ts'
export { enlargedConvOp } from './conv/enlarged.ts'
export * from './conv/patches.ts'
export * from './conv/transpose.ts'
export * from './conv/weight-convolution.ts'
export * from './conv/weight-gradient.ts'
export * from './conv/windows.ts'
export * from './creation.ts'
export * from './define.ts'
export {
  type BoxForm,
  boxArea,
  boxConvert,
  boxIou,
  clipBoxes,
  generalizedBoxIou,
} from './detection/boxes.ts'
export * from './detection/nms.ts'
export * from './detection/roi-align.ts'
export * from './elementwise/activation.ts'
export * from './elementwise/arithmetic.ts'
export * from './elementwise/bessel.ts'
export * from './elementwise/binary.ts'
export * from './elementwise/bitwise.ts'
export * from './elementwise/choice.ts'
export * from './elementwise/composite.ts'
export * from './elementwise/gamma.ts'
export * from './elementwise/logistic.ts'
export * from './elementwise/normal.ts'
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
export * from './indexing/bags.ts'
export {
  gather,
  gatherOp,
  type IndexSelectAttributes,
  indexSelect,
  indexSelectOp,
  requireIndex,
  scatterAdd,
  scatterAddOp,
  segmentSum,
  segmentSumOp,
  selectPlaces,
  takeAlongAxis,
} from './indexing/indexing.ts'
export * from './indexing/multi-index.ts'
export { certainlyWithin, within, withinOp } from './indexing/places.ts'
export { indexCopy, maskedScatter, scatter, scatterOp } from './indexing/scatter.ts'
export * from './indexing/scatter-reduce.ts'
export * from './indexing/selection.ts'
export * from './involution/input-gradient.ts'
export * from './involution/involution.ts'
export * from './linalg/elimination.ts'
export * from './linalg/norms.ts'
export * from './linalg/triangular.ts'
export * from './loss/cross-entropy.ts'
export * from './loss/ctc.ts'
export { latticeSumOp, pathScores, pathScoresOp } from './loss/ctc-scan.ts'
export * from './loss/loss.ts'
export * from './loss/similarity.ts'
export * from './movement/diagonal.ts'
export * from './movement/grid.ts'
export * from './movement/movement.ts'
export * from './movement/padding.ts'
export * from './movement/rearrange.ts'
export { repeatElementsOp } from './movement/repeated.ts'
export * from './movement/resize.ts'
export * from './movement/windows.ts'
export * from './norm/channel-norm.ts'
export * from './norm/group-norm.ts'
export * from './norm/layer-norm.ts'
export * from './pool/adaptive.ts'
export * from './pool/pool.ts'
export type { PoolOptions } from './pool/windows.ts'
export * from './products/distance.ts'
export * from './products/einsum.ts'
export * from './products/linear.ts'
export * from './products/matmul.ts'
export * from './products/products.ts'
export { gammaSlope, randomGamma } from './random/gamma.ts'
export {
  type DropoutOptions,
  dropout,
  dropout2d,
  type ExponentialOptions,
  type GumbelOptions,
  type IntegerOptions,
  type NormalOptions,
  type RandomOptions,
  randomBernoulli,
  randomBeta,
  randomExponential,
  randomGumbel,
  randomIntegers,
  randomNormal,
  randomPermutation,
  randomPoisson,
  randomTruncatedNormal,
  randomUniform,
  type UniformOptions,
} from './random/random.ts'
export * from './random/sampling.ts'
export * from './ranks.ts'
export * from './recurrent.ts'
export * from './reduction/covariance.ts'
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
