/** One good call of every function of `ops` that a model may call, with every option given: what tests vary one by one. */
import { type DType, elementCount, fromNumbers } from '../../src/tensor/dtype.ts'
import { constant, Tensor } from '../../src/tensor/tensor.ts'

/** A tensor of that shape with numbers between 0.05 and 0.9, or 0 and 1. */
export function example(shape: readonly number[], dtype: DType = 'float32'): Tensor {
  const values = Array.from({ length: elementCount(shape) }, (_, i) => {
    if (dtype === 'float32') return 0.05 + 0.85 * ((0.37 * i) % 1)
    return i % 2
  })
  return constant(fromNumbers(dtype, values), shape, dtype)
}

/** The tensors of an answer: one, a list, or the values of an object. */
export function tensorsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result]
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(tensorsOf) : []
}

const t = example
const matrix = t([2, 3])
const index = t([2, 3], 'int64')
const bool = t([2, 3], 'bool')
const picture = t([1, 2, 4, 6])
const concatenated = constant(Float32Array.of(0, 0.5, 1, 3.5, 3, 0, 1, 2, 4, 5), [2, 5], 'float32')
const reduction = 'sum'

function each(names: string, ...args: unknown[]): Record<string, unknown[]> {
  return Object.fromEntries(names.split(' ').map((name) => [name, args]))
}

const elementwise =
  'abs acos acosh asin asinh atan atanh ceil cos cosh digamma entr erf erfc erfcx erfinv exp exp2 expm1 floor frac hardswish i0 i0e i1 i1e ' +
  'isFinite isInf isNan lgamma log log10 log1p log2 logNdtr logSigmoid mish ndtr ndtri neg quickGelu reciprocal relu relu6 rsqrt selu sigmoid sign silu sin sinc sinh softsign sqrt ' +
  'sqrtOrZero square tan tanh tanhshrink trunc unitStep alias stopGradient sumOverRanks meanOverRanks onesLike zerosLike median'
const pairwise =
  'add sub mul div pow maximum minimum fmod remainder floorDivide equal notEqual less lessOrEqual greater greaterOrEqual atan2 hypot ' +
  'logAddExp logAddExp2 xlogy heaviside'
const recurrentWeights = { weightIh: t([2, 3]), weightHh: t([2, 2]), biasIh: t([2]), biasHh: t([2]) }
const gated = (gates: number): object => ({
  weightIh: t([2 * gates, 3]),
  weightHh: t([2 * gates, 2]),
  biasIh: t([2 * gates]),
  biasHh: t([2 * gates]),
})

const spectrum = { real: matrix, imag: matrix }
const framing = { hopLength: 3, winLength: 6, window: t([6]), center: true, normalized: true, onesided: true }
const spectrogramOptions = { ...framing, nFft: 8, pad: 2, power: 3, normalized: 'window', padMode: 'constant' }
const melOptions = {
  ...spectrogramOptions,
  sampleRate: 100,
  nMels: 3,
  fMin: 1,
  fMax: 40,
  norm: 'slaney',
  melScale: 'slaney',
}

export const calls: Readonly<Record<string, readonly unknown[]>> = {
  ...each(elementwise, matrix),
  ...each(pairwise, matrix, 0.5),
  ...each('logicalAnd logicalOr logicalXor', bool, bool),
  ...each('bitwiseAnd bitwiseOr bitwiseXor bitwiseLeftShift bitwiseRightShift', index, 1),
  ...each('bitwiseNot', index),
  ...each('logicalNot', bool),
  ...each('sum mean max min nansum nanmean prod logSumExp countNonzero any all vectorNorm', matrix, [1], {
    keepDims: true,
  }),
  vectorNorm: [matrix, 3, [1], { keepDims: true }],
  ...each('variance std varMean', matrix, [1], { correction: 1, keepDims: true }),
  ...each('softmax logSoftmax softmin flip cumsum cumprod logCumsumExp cummax cummin unsqueeze', matrix, 1),
  cumsum: [matrix, 1, { reverse: true }],
  diff: [matrix, { n: 1, axis: 1, prepend: matrix, append: matrix }],
  cov: [matrix, { correction: 1, fweights: t([3], 'int64'), aweights: t([3]) }],
  corrcoef: [matrix],
  ...each('argmax argmin maxWithIndices minWithIndices medianWithIndices', matrix, 1, { keepDims: true }),
  ...each('glu geglu swiglu', t([2, 4]), 1),
  ...each('tril triu', matrix, 1),
  ...each('square', matrix),
  addAll: [[matrix, matrix]],
  runAfter: [matrix, matrix],
  softmaxWithTemperature: [matrix, 2, 1],
  round: [matrix, { decimals: 1 }],
  gelu: [matrix, { approximate: 'tanh' }],
  elu: [matrix, { alpha: 0.5 }],
  celu: [matrix, { alpha: 0.5 }],
  softplus: [matrix, { beta: 2, threshold: 10 }],
  leakyRelu: [matrix, { negativeSlope: 0.1 }],
  prelu: [matrix, t([3])],
  polygamma: [1, matrix],
  hardtanh: [matrix, { min: -1, max: 1 }],
  hardsigmoid: [matrix, { slope: 0.2, offset: 0.5 }],
  softshrink: [matrix, { lambda: 0.5 }],
  hardshrink: [matrix, { lambda: 0.5 }],
  threshold: [matrix, 0.1, 2],
  logit: [matrix, { eps: 0.1 }],
  lerp: [matrix, matrix, 0.5],
  addcmul: [matrix, matrix, matrix, { value: 2 }],
  addcdiv: [matrix, matrix, matrix, { value: 2 }],
  clamp: [matrix, 0.2, 0.8],
  nanToNum: [matrix, { nan: 0, positiveInfinity: 1, negativeInfinity: -1 }],
  where: [bool, matrix, 0],
  cast: [matrix, 'int32'],
  maskedFill: [matrix, bool, 0],
  // Movement.
  reshape: [matrix, [3, 2]],
  permute: [matrix, [1, 0]],
  transpose: [matrix, 0, 1],
  expand: [matrix, [4, 2, 3]],
  broadcastTo: [matrix, [4, 2, 3]],
  slice: [matrix, [0, 2, 1], 1],
  concat: [[matrix, matrix], 1],
  stack: [[matrix, matrix], 1],
  squeeze: [t([2, 1]), 1],
  split: [matrix, [1, 2], 1],
  chunk: [matrix, 2, 1],
  flatten: [matrix, 0, 1],
  moveAxis: [matrix, [0], [1]],
  roll: [matrix, [1], [1]],
  tile: [matrix, [2, 2]],
  repeatInterleave: [matrix, 2, 1],
  padAxis: [matrix, 1, 1, 2, 0.5],
  pad: [matrix, [1, 1], { mode: 'reflect', value: 0.5 }],
  dilate: [matrix, 1, 2],
  sumTo: [matrix, [1, 3]],
  // Creation and randomness.
  full: [[2, 3], 0.5, 'float32'],
  zeros: [[2, 3], 'float32'],
  ones: [[2, 3], 'float32'],
  fullLike: [matrix, 0.5],
  arange: [0, 5, { step: 2, dtype: 'float32' }],
  linspace: [0, 1, 5],
  meshgrid: [[t([2]), t([3])], { indexing: 'xy' }],
  eye: [2, 3, 'float32'],
  randomUniform: [[2], { low: 0, high: 2 }],
  randomNormal: [[2], { mean: 0, std: 2 }],
  randomTruncatedNormal: [[2], { mean: 0, std: 2 }],
  randomBernoulli: [[2], 0.3],
  randomBeta: [[2], 1, 2],
  randomPermutation: [4],
  randomExponential: [[2], { rate: 2 }],
  randomGamma: [[2, 3], matrix],
  randomGumbel: [[2], { loc: 1, scale: 2 }],
  randomIntegers: [[2], 0, 5, { dtype: 'int32' }],
  randomPoisson: [[2], 3],
  categorical: [matrix, { axis: 1 }],
  gumbelSoftmax: [matrix, { tau: 0.5, hard: true, axis: 1 }],
  multinomial: [matrix, 2, { replacement: false }],
  gammaSlope: [matrix, matrix],
  dropout: [matrix, 0.5, { training: true }],
  dropout2d: [picture, 0.5, { training: true }],
  // Indices and order.
  indexSelect: [matrix, t([2], 'int64'), 1],
  segmentSum: [matrix, t([3], 'int64'), 3, 1],
  gather: [matrix, index, 1],
  takeAlongAxis: [matrix, index, 1],
  scatter: [matrix, index, matrix, 1],
  scatterAdd: [matrix, index, matrix, 1],
  scatterReduce: [matrix, index, matrix, 1, 'amax', { includeSelf: false }],
  index: [matrix, [t([2], 'int64'), t([2], 'int64')]],
  indexPut: [matrix, [t([2], 'int64'), null], t([2, 3]), { accumulate: true }],
  indexCopy: [matrix, t([3], 'int64'), matrix, 1],
  maskedScatter: [matrix, bool, matrix],
  embeddingBag: [
    t([4], 'int64'),
    t([3, 2]),
    { offsets: t([2], 'int64'), mode: 'sum', perSampleWeights: t([4]), paddingIndex: 1, includeLastOffset: false },
  ],
  select: [matrix, 1, 1],
  embedding: [t([4], 'int64'), t([3, 2]), { paddingIndex: 1 }],
  oneHot: [t([4], 'int64'), 3, 'float32'],
  indexAdd: [matrix, t([3], 'int64'), matrix, 1, { alpha: 2 }],
  bincount: [t([4], 'int64'), 3, { weights: t([4]) }],
  searchsorted: [t([4]), matrix, { right: true }],
  topk: [matrix, 2, 1, { largest: false }],
  sort: [matrix, 1, { descending: true }],
  argsort: [matrix, 1, { descending: true }],
  quantile: [matrix, [0.25, 0.5], 1, { keepDims: true, interpolation: 'midpoint' }],
  // Products.
  ...each('matmul', matrix, t([3, 4])),
  matmulWith: [matrix, t([4, 3]), { transposeA: false, transposeB: true, scale: 2 }],
  addmm: [t([4]), matrix, t([3, 4]), { alpha: 2, beta: 0.5 }],
  addmmWith: [t([4]), matrix, t([4, 3]), { transposeA: false, transposeB: true, alpha: 2, beta: 0.5 }],
  baddbmm: [t([4]), t([2, 2, 3]), t([2, 3, 4]), { alpha: 2, beta: 0.5 }],
  bmm: [t([2, 2, 3]), t([2, 3, 4])],
  mv: [matrix, t([3])],
  dot: [t([3]), t([3])],
  outer: [t([3]), t([3])],
  kron: [matrix, matrix],
  tensordot: [matrix, t([3, 4]), 1],
  einsum: ['ij,jk->ik', matrix, t([3, 4])],
  linear: [matrix, t([4, 3]), t([4]), { axis: 1 }],
  bilinear: [matrix, t([2, 4]), t([5, 3, 4]), t([5])],
  diagonal: [matrix, { offset: 1, axis1: 0, axis2: 1 }],
  diagEmbed: [matrix, { offset: 1, axis1: 0, axis2: 1 }],
  trace: [matrix],
  cdist: [matrix, matrix, { order: 2 }],
  // Linear algebra.
  ...each('cholesky det inverse slogdet', t([2, 2])),
  solve: [t([2, 2]), t([2, 3])],
  solveTriangular: [t([2, 2]), t([2, 3]), { upper: true, left: true, unitriangular: true }],
  matrixNorm: [matrix, 1, { axes: [0, 1], keepDims: true }],
  matrixPower: [t([2, 2]), 3],
  fft2Real: [matrix],
  // Signals.
  ...each('complexAbs complexAngle', spectrum),
  complexMul: [spectrum, spectrum],
  ...each('fft ifft', spectrum, { n: 4, axis: 1, norm: 'ortho' }),
  ...each('rfft irfft', matrix, { n: 4, axis: 1, norm: 'ortho' }),
  ...each('fft2 ifft2', spectrum, { axes: [0, 1], norm: 'forward' }),
  ...each('fftfreq rfftfreq', 5, 0.5),
  ...each('fftshift ifftshift', matrix, [1]),
  ...each('bartlettWindow blackmanWindow hannWindow', 5, { periodic: false }),
  hammingWindow: [5, { periodic: false, alpha: 0.5, beta: 0.25 }],
  kaiserWindow: [5, { periodic: false, beta: 3 }],
  stft: [t([2, 20]), 8, { ...framing, padMode: 'constant' }],
  istft: [{ real: t([2, 5, 6]), imag: t([2, 5, 6]) }, 8, { ...framing, length: 12 }],
  spectrogram: [t([2, 20]), spectrogramOptions],
  melFilterBank: [9, 3, 100, { fMin: 1, fMax: 40, norm: 'slaney', melScale: 'slaney' }],
  melSpectrogram: [t([2, 20]), melOptions],
  mfcc: [t([2, 20]), { ...melOptions, nMfcc: 2, dctNorm: 'ortho', logMels: false, topDb: 80 }],
  amplitudeToDB: [matrix, { multiplier: 20, amin: 0.1, ref: 2, topDb: 40 }],
  powerToDB: [matrix, { ref: 2, amin: 0.1, topDb: 40 }],
  ...each('dct idct', matrix, { n: 4, axis: 1, norm: 'ortho' }),
  resample: [
    t([2, 20]),
    3,
    2,
    { lowpassFilterWidth: 6, rolloff: 0.9, resamplingMethod: 'sinc_interp_kaiser', beta: 10 },
  ],
  preemphasis: [matrix, 0.5],
  // Windows and pictures.
  conv1d: [t([1, 2, 6]), t([4, 1, 3]), t([4]), { stride: 2, padding: 1, dilation: 1, groups: 2 }],
  conv2d: [picture, t([4, 1, 3, 3]), t([4]), { stride: [1, 2], padding: [1, 1], dilation: 1, groups: 2 }],
  boxArea: [t([2, 4])],
  boxConvert: [t([2, 4]), 'xywh', 'xyxy'],
  boxIou: [t([2, 4]), t([3, 4])],
  clipBoxes: [t([2, 4]), [3, 5]],
  generalizedBoxIou: [t([2, 4]), t([3, 4])],
  nms: [t([3, 4]), t([3]), { iouThreshold: 0.5, scoreThreshold: 0.1, maxDetections: 2, classes: t([3], 'int64') }],
  roiAlign: [picture, concatenated, [2, 3], { spatialScale: 0.5, samplingRatio: 2, aligned: true }],
  conv3d: [t([1, 2, 3, 4, 3]), t([4, 1, 2, 3, 1]), t([4]), { stride: [1, 2, 1], padding: 1, dilation: 1, groups: 2 }],
  convTranspose1d: [
    t([1, 2, 6]),
    t([2, 2, 3]),
    t([4]),
    { stride: 2, padding: 1, outputPadding: 1, dilation: 1, groups: 2 },
  ],
  convTranspose2d: [
    picture,
    t([2, 2, 3, 3]),
    t([4]),
    { stride: [2, 2], padding: 1, outputPadding: 1, dilation: 1, groups: 2 },
  ],
  involution: [picture, t([1, 2, 3, 2, 4, 3]), { stride: [1, 2], padding: [1, 0], dilation: 1, bias: t([2]) }],
  convTranspose3d: [
    t([1, 2, 2, 3, 2]),
    t([2, 2, 2, 3, 1]),
    t([4]),
    { stride: [2, 2, 2], padding: 0, outputPadding: 1, dilation: 1, groups: 2 },
  ],
  maxPool1d: [t([1, 2, 6]), 3, { stride: 1, padding: 1, dilation: 1, ceilMode: true }],
  maxPool2d: [picture, [2, 3], { stride: [1, 2], padding: [1, 1], dilation: 1, ceilMode: true }],
  maxPool3d: [t([1, 2, 3, 4, 3]), [2, 3, 2], { stride: [1, 2, 1], padding: [1, 1, 0], dilation: 1, ceilMode: true }],
  avgPool1d: [t([1, 2, 6]), 3, { stride: 1, padding: 1, ceilMode: true, countIncludePad: false, divisorOverride: 2 }],
  avgPool2d: [picture, 2, { stride: 1, padding: 1, ceilMode: true, countIncludePad: false, divisorOverride: 2 }],
  avgPool3d: [
    t([1, 2, 3, 4, 3]),
    2,
    { stride: 1, padding: 1, ceilMode: true, countIncludePad: false, divisorOverride: 2 },
  ],
  adaptiveAvgPool1d: [t([1, 2, 6]), 4],
  adaptiveAvgPool2d: [picture, [2, 3]],
  adaptiveAvgPool3d: [t([1, 2, 3, 4, 3]), [2, 3, 1]],
  adaptiveMaxPool1d: [t([1, 2, 6]), 4],
  adaptiveMaxPool2d: [picture, [2, 3]],
  unfoldAxis: [matrix, 1, 2, 1],
  adaptiveMaxPool3d: [t([1, 2, 3, 4, 3]), [2, 3, 1]],
  unfold: [picture, [2, 2], { stride: 1, padding: 1, dilation: 1 }],
  fold: [t([1, 8, 15]), [4, 6], [2, 2], { stride: 1, padding: 0, dilation: 1 }],
  pixelShuffle: [t([1, 4, 2, 2]), 2],
  pixelUnshuffle: [picture, 2],
  interpolate: [picture, [3, 5], { mode: 'bilinear', alignCorners: true, antialias: false }],
  affineGrid: [t([1, 2, 3]), [1, 2, 4, 6], { alignCorners: true }],
  gridSample: [picture, t([1, 2, 2, 2]), { mode: 'bilinear', paddingMode: 'border', alignCorners: true }],
  // Norms.
  layerNorm: [matrix, [3], { weight: t([3]), bias: t([3]), eps: 0.1 }],
  rmsNorm: [matrix, [3], { weight: t([3]), eps: 0.1 }],
  groupNorm: [picture, 2, { weight: t([2]), bias: t([2]), eps: 0.1 }],
  instanceNorm: [picture, { weight: t([2]), bias: t([2]), eps: 0.1 }],
  batchNorm: [picture, t([2]), t([2]), { weight: t([2]), bias: t([2]), eps: 0.1 }],
  batchNormTrain: [picture, t([2]), t([2]), { weight: t([2]), bias: t([2]), eps: 0.1, momentum: 0.2 }],
  localResponseNorm: [picture, 3, { alpha: 0.5, beta: 0.75, k: 1 }],
  spectralNorm: [matrix, t([2]), t([3]), { iterations: 1, eps: 0.1 }],
  normalize: [matrix, { p: 2, axis: 1, eps: 0.1 }],
  // Attention and recurrence.
  scaledDotProductAttention: [
    t([2, 3, 4]),
    t([2, 5, 4]),
    t([2, 5, 6]),
    { mask: t([3, 5], 'bool'), causal: false, scale: 0.5, dropout: 0.1, enableGqa: false },
  ],
  attentionWithWeights: [t([2, 3, 4]), t([2, 5, 4]), t([2, 5, 6]), { mask: t([3, 5]), causal: true, scale: 0.5 }],
  attentionOverParts: [
    t([2, 3, 4]),
    [{ key: t([2, 5, 4]), value: t([2, 5, 6]), mask: t([3, 5]), causal: false }],
    { scale: 0.5, dropout: 0.1, enableGqa: false },
  ],
  multiHeadAttention: [
    t([2, 3, 4]),
    t([2, 5, 4]),
    t([2, 5, 4]),
    { inProjWeight: t([12, 4]), inProjBias: t([12]), outProjWeight: t([4, 4]), outProjBias: t([4]) },
    { heads: 2, mask: t([3, 5]), causal: false, scale: 0.5, dropout: 0 },
  ],
  splitHeads: [t([2, 3, 4]), 2],
  mergeHeads: [t([2, 2, 3, 4])],
  lstm: [t([2, 4, 3]), gated(4), { h: t([2, 2]), c: t([2, 2]), reverse: true }],
  gru: [t([2, 4, 3]), gated(3), { h: t([2, 2]), reverse: true }],
  rnn: [t([2, 4, 3]), recurrentWeights, { h: t([2, 2]), reverse: true, nonlinearity: 'relu' }],
  // Losses.
  reduceLosses: [matrix, 'sum'],
  bceWithLogits: [matrix, matrix, { weight: t([3]), posWeight: t([3]), reduction }],
  binaryCrossEntropy: [matrix, matrix, { weight: t([3]), reduction }],
  mseLoss: [matrix, matrix, { reduction }],
  l1Loss: [matrix, matrix, { reduction }],
  smoothL1Loss: [matrix, matrix, { beta: 0.5, reduction }],
  huberLoss: [matrix, matrix, { delta: 0.5, reduction }],
  klDiv: [matrix, matrix, { logTarget: true, reduction }],
  crossEntropy: [matrix, t([2], 'int64'), { weight: t([3]), ignoreIndex: 0, labelSmoothing: 0.1, reduction }],
  ctcLoss: [t([5, 2, 3]), t([2, 2], 'int64'), [5, 4], [2, 1], { blank: 2, zeroInfinity: true, reduction }],
  nllLoss: [matrix, t([2], 'int64'), { weight: t([3]), ignoreIndex: 0, reduction }],
  cosineSimilarity: [matrix, matrix, { axis: 1, eps: 0.1 }],
  pairwiseDistance: [matrix, matrix, { p: 2, eps: 0.1, keepDims: true }],
  cosineEmbeddingLoss: [matrix, matrix, t([2]), { margin: 0.5, reduction }],
  marginRankingLoss: [matrix, matrix, matrix, { margin: 0.5, reduction }],
  tripletMarginLoss: [matrix, matrix, matrix, { margin: 0.5, p: 2, eps: 0.1, swap: true, reduction }],
  hingeEmbeddingLoss: [matrix, matrix, { margin: 0.5, reduction }],
  gaussianNllLoss: [matrix, matrix, matrix, { full: true, eps: 0.1, reduction }],
  poissonNllLoss: [matrix, matrix, { logInput: false, full: true, eps: 0.1, reduction }],
  softMarginLoss: [matrix, matrix, { reduction }],
  multilabelSoftMarginLoss: [matrix, matrix, { weight: t([3]), reduction }],
}
