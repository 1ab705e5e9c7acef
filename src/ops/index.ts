/**
 * The public entry, `ops` of 'tenfold': functions of tensors and the types of their options. What they are made of
 * (definitions, the registry, helpers of gradients) is `kit.ts`.
 */
export {
  type Attention,
  type AttentionOptions,
  attentionWithWeights,
  mergeHeads,
  scaledDotProductAttention,
  splitHeads,
} from './attention/attention.ts'
export { type MultiHeadOptions, type MultiHeadWeights, multiHeadAttention } from './attention/multi-head.ts'
export { type AttentionPart, attentionOverParts } from './attention/parts.ts'
export { type BackwardContext, customGradient, stopGradient } from './control.ts'
export { type ConvOptions, conv1d, conv2d, conv3d } from './conv/conv.ts'
export { fold, pixelShuffle, pixelUnshuffle, type UnfoldOptions, unfold } from './conv/patches.ts'
export { type ConvTransposeOptions, convTranspose1d, convTranspose2d, convTranspose3d } from './conv/transpose.ts'
export {
  type ArangeOptions,
  arange,
  full,
  fullLike,
  linspace,
  meshgrid,
  ones,
  onesLike,
  zeros,
  zerosLike,
} from './creation.ts'
export type { Operand } from './define.ts'
export {
  type BoxForm,
  boxArea,
  boxConvert,
  boxIou,
  clipBoxes,
  generalizedBoxIou,
} from './detection/boxes.ts'
export { type Kept, type NmsOptions, nms } from './detection/nms.ts'
export { type RoiAlignOptions, roiAlign } from './detection/roi-align.ts'
export {
  celu,
  elu,
  type GeluForm,
  geglu,
  gelu,
  glu,
  logSigmoid,
  mish,
  selu,
  softplus,
  softsign,
  swiglu,
  tanhshrink,
} from './elementwise/activation.ts'
export {
  addcdiv,
  addcmul,
  entr,
  exp2,
  heaviside,
  hypot,
  lerp,
  log2,
  log10,
  logAddExp,
  logAddExp2,
  logit,
  notEqual,
  rsqrt,
  sinc,
  square,
  xlogy,
} from './elementwise/arithmetic.ts'
export { i0, i0e, i1, i1e } from './elementwise/bessel.ts'
export {
  add,
  div,
  equal,
  fmod,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  logicalAnd,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  pow,
  sub,
} from './elementwise/binary.ts'
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
} from './elementwise/bitwise.ts'
export { cast, where } from './elementwise/choice.ts'
export { addAll } from './elementwise/composite.ts'
export { digamma, lgamma, polygamma } from './elementwise/gamma.ts'
export { quickGelu, sigmoid, silu } from './elementwise/logistic.ts'
export { erfcx, logNdtr, ndtr, ndtri } from './elementwise/normal.ts'
export {
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  prelu,
  relu6,
  softshrink,
  threshold,
} from './elementwise/piecewise.ts'
export {
  clamp,
  floorDivide,
  frac,
  isFinite,
  type NanToNumOptions,
  nanToNum,
  remainder,
  trunc,
} from './elementwise/rounding.ts'
export { atan2, erfc, erfinv, expm1, log1p } from './elementwise/special.ts'
export {
  abs,
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  cos,
  cosh,
  erf,
  exp,
  floor,
  isInf,
  isNan,
  log,
  logicalNot,
  neg,
  reciprocal,
  relu,
  round,
  sign,
  sin,
  sinh,
  sqrt,
  tan,
  tanh,
  unitStep,
} from './elementwise/unary.ts'
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
export { fft2Real } from './fourier/fourier.ts'
export { type BagMode, type EmbeddingBagOptions, embeddingBag } from './indexing/bags.ts'
export { gather, indexSelect, scatterAdd, segmentSum, takeAlongAxis } from './indexing/indexing.ts'
export { type AxisIndex, type IndexPutOptions, index, indexPut } from './indexing/multi-index.ts'
export { indexCopy, maskedScatter, scatter } from './indexing/scatter.ts'
export { type ScatterReduceOptions, type ScatterReduction, scatterReduce } from './indexing/scatter-reduce.ts'
export {
  bincount,
  type EmbeddingOptions,
  embedding,
  indexAdd,
  maskedFill,
  oneHot,
  searchsorted,
  select,
} from './indexing/selection.ts'
export { type InvolutionOptions, involution } from './involution/involution.ts'
export { det, inverse, slogdet, solve } from './linalg/elimination.ts'
export { type MatrixNormOptions, matrixNorm, matrixPower } from './linalg/norms.ts'
export { cholesky, solveTriangular, type TriangularOptions } from './linalg/triangular.ts'
export { type ClassLossOptions, type CrossEntropyOptions, crossEntropy, nllLoss } from './loss/cross-entropy.ts'
export { type CtcLossOptions, ctcLoss, type Lengths } from './loss/ctc.ts'
export {
  bceWithLogits,
  binaryCrossEntropy,
  huberLoss,
  klDiv,
  type LossOptions,
  l1Loss,
  mseLoss,
  type Reduction,
  smoothL1Loss,
  type WeightedLossOptions,
} from './loss/loss.ts'
export {
  cosineEmbeddingLoss,
  cosineSimilarity,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelSoftMarginLoss,
  normalize,
  pairwiseDistance,
  poissonNllLoss,
  softMarginLoss,
  tripletMarginLoss,
} from './loss/similarity.ts'
export { type DiagonalOptions, diagEmbed, diagonal, eye, trace, tril, triu } from './movement/diagonal.ts'
export { affineGrid, type GridSampleOptions, gridSample } from './movement/grid.ts'
export {
  concat,
  expand,
  flip,
  permute,
  type Range,
  reshape,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from './movement/movement.ts'
export { type PadMode, type PadOptions, pad } from './movement/padding.ts'
export {
  broadcastTo,
  chunk,
  flatten,
  moveAxis,
  repeatInterleave,
  roll,
  split,
  stack,
  tile,
} from './movement/rearrange.ts'
export { type InterpolateOptions, interpolate } from './movement/resize.ts'
export type { InterpolationMode } from './movement/resize-axis.ts'
export { unfoldAxis } from './movement/windows.ts'
export {
  type BatchNormResult,
  batchNorm,
  batchNormTrain,
  localResponseNorm,
  type SpectralNormResult,
  spectralNorm,
} from './norm/channel-norm.ts'
export { groupNorm, instanceNorm } from './norm/group-norm.ts'
export { layerNorm, type NormOptions, rmsNorm } from './norm/layer-norm.ts'
export {
  type AdaptiveSize,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from './pool/adaptive.ts'
export {
  type AvgPoolOptions,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
} from './pool/pool.ts'
export type { PoolOptions } from './pool/windows.ts'
export { cdist, vectorNorm } from './products/distance.ts'
export { einsum } from './products/einsum.ts'
export { bilinear, type LinearOptions, linear } from './products/linear.ts'
export { type AddmmOptions, addmm, matmul } from './products/matmul.ts'
export { baddbmm, bmm, type ContractedAxes, dot, kron, mv, outer, tensordot } from './products/products.ts'
export { randomGamma } from './random/gamma.ts'
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
export {
  type CategoricalOptions,
  categorical,
  type GumbelSoftmaxOptions,
  gumbelSoftmax,
  type MultinomialOptions,
  multinomial,
} from './random/sampling.ts'
export { meanOverRanks, sumOverRanks } from './ranks.ts'
export {
  gru,
  type LstmOptions,
  lstm,
  type Recurrent,
  type RecurrentOptions,
  type RecurrentWeights,
  type RnnOptions,
  rnn,
} from './recurrent.ts'
export { type CovarianceOptions, corrcoef, cov } from './reduction/covariance.ts'
export {
  argmax,
  argmin,
  argsort,
  maxWithIndices,
  minWithIndices,
  type SortOptions,
  sort,
  type TopkOptions,
  topk,
} from './reduction/order.ts'
export {
  type Axes,
  all,
  any,
  countNonzero,
  logSumExp,
  max,
  mean,
  min,
  nanmean,
  nansum,
  prod,
  type ReduceOptions,
  sum,
} from './reduction/reduce.ts'
export { cummax, cummin, cumprod, cumsum, type DiffOptions, diff, logCumsumExp } from './reduction/scan.ts'
export { logSoftmax, softmax, softmaxWithTemperature, softmin } from './reduction/softmax.ts'
export {
  median,
  medianWithIndices,
  type QuantileOptions,
  quantile,
  std,
  type VarianceOptions,
  variance,
  varMean,
} from './reduction/statistics.ts'
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
