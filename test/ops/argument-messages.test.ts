/** Arguments that would be computed with, or fail in the runtime, if nobody looked: what is said instead. */
import { describe, expect, test } from 'vitest'
import * as ops from '../../src/ops/kit.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { ShapeError, UsageError } from '../../src/util/errors.ts'
import { example as t } from '../support/calls.ts'

const matrix = t([2, 3])
const picture = t([1, 2, 4, 6])
const whole = t([2], 'int32')
const kernel = t([4, 2, 3, 3])
/** From JavaScript, or from a file: the type system cannot be asked there. */
const untyped = <T>(value: unknown): T => value as T

describe('an error that says what must hold', () => {
  test.each<[string, () => unknown]>([
    // Windows.
    [
      'conv: stride must be a whole number of at least 1, found 0',
      () => ops.conv2d(picture, kernel, undefined, { stride: 0 }),
    ],
    [
      'conv: dilation must be a whole number of at least 1, found 0',
      () => ops.conv2d(picture, kernel, undefined, { dilation: 0 }),
    ],
    [
      'conv: padding must be a whole number of at least 0, found -1',
      () => ops.conv2d(picture, kernel, undefined, { padding: -1 }),
    ],
    [
      'conv: groups must be a whole number of at least 1, found 0.5',
      () => ops.conv2d(picture, kernel, undefined, { groups: 0.5 }),
    ],
    [
      'conv: padding must be same or valid, found "full"',
      () => ops.conv2d(picture, kernel, undefined, { padding: untyped('full') }),
    ],
    [
      'conv: padding "same" needs stride 1, found [2, 2]',
      () => ops.conv2d(picture, kernel, undefined, { padding: 'same', stride: 2 }),
    ],
    ['conv: the kernel must not be empty, found [4, 2, 0, 3]', () => ops.conv2d(picture, t([4, 2, 0, 3]))],
    [
      'conv: stride must have one number for each of 2 axes, found [1, 1, 1]',
      () => ops.conv2d(picture, kernel, undefined, { stride: [1, 1, 1] }),
    ],
    [
      'convTranspose: outputPadding must be smaller than the stride or the dilation, found [1, 1]',
      () => ops.convTranspose2d(picture, t([2, 3, 2, 2]), undefined, { outputPadding: 1 }),
    ],
    ['convTranspose: the bias must be [3], found [2]', () => ops.convTranspose2d(picture, t([2, 3, 2, 2]), t([2]))],
    ['maxPool2d: kernelSize must be a whole number of at least 1, found 0', () => ops.maxPool2d(picture, 0)],
    [
      'maxPool2d: padding must be at most half of the window, [1, 1], found [2, 2]',
      () => ops.maxPool2d(picture, 2, { padding: 2 }),
    ],
    [
      'avgPool1d: padding must be at most half of the window, [1], found [2]',
      () => ops.avgPool1d(t([1, 2, 6]), 3, { padding: 2 }),
    ],
    ['avgPool2d: divisorOverride must not be 0', () => ops.avgPool2d(picture, 2, { divisorOverride: 0 })],
    [
      'adaptiveAvgPool2d: outputSize must be a whole number of at least 1, found -1',
      () => ops.adaptiveAvgPool2d(picture, -1),
    ],
    [
      'adaptiveAvgPool2d: outputSize must have one number for each of 2 axes, found []',
      () => ops.adaptiveAvgPool2d(picture, []),
    ],
    [
      'adaptiveMaxPool2d: outputSize must be a whole number of at least 1, found 0',
      () => ops.adaptiveMaxPool2d(picture, [0, null]),
    ],
    ['pixelShuffle: factor must be a whole number of at least 1, found 0', () => ops.pixelShuffle(picture, 0)],
    [
      'interpolate: mode must be nearest, nearest-exact, linear, bilinear, trilinear, bicubic or area, found "cubic"',
      () => ops.interpolate(picture, 3, { mode: untyped('cubic') }),
    ],
    [
      'gridSample: mode must be bilinear, nearest or bicubic, found "cubic"',
      () => ops.gridSample(picture, t([1, 2, 2, 2]), { mode: untyped('cubic') }),
    ],
    [
      'gridSample: paddingMode must be zeros, border or reflection, found "reflect"',
      () => ops.gridSample(picture, t([1, 2, 2, 2]), { paddingMode: untyped('reflect') }),
    ],
    // Movement.
    ['slice: start must be a whole number, found 0.5', () => ops.slice(matrix, [0.5, 2], 1)],
    ['slice: stop must be a whole number, found NaN', () => ops.slice(matrix, [0, Number.NaN], 1)],
    ['split: size must be a whole number of at least 0, found 1.5', () => ops.split(matrix, [1.5, 1.5], 1)],
    ['tile: repeats must be a whole number of at least 0, found -1', () => ops.tile(matrix, [-1, 2])],
    [
      'repeatInterleave: repeats must be a whole number of at least 0, found 0.5',
      () => ops.repeatInterleave(matrix, 0.5, 1),
    ],
    ['dilate: step must be a whole number of at least 1, found 0', () => ops.dilate(matrix, 0, 0)],
    ['pad: before must be a whole number, found 0.5', () => ops.padAxis(matrix, 0, 0.5, 0)],
    ['reshape: a tensor is needed, found an array', () => ops.reshape(untyped<Tensor>([1, 2]), [2])],
    ['add: a tensor is needed, found null', () => ops.add(matrix, untyped<Tensor>(null))],
    ['mul: a tensor is needed, found a Float32Array', () => ops.mul(untyped<Tensor>(new Float32Array(2)), 2)],
    ['concat: tensors must be a list, found float32[2, 3]', () => ops.concat(untyped(matrix))],
    ['reshape: shape must be a list, found 6', () => ops.reshape(matrix, untyped(6))],
    ['permute: axes must be a list, found undefined', () => ops.permute(matrix, untyped(undefined))],
    ['slice: range must be a list, found an object', () => ops.slice(matrix, untyped({ start: 1, end: 3 }), 0)],
    ['zeros: shape must be a list, found 3', () => ops.zeros(untyped(3))],
    ['lstm: weights must be an object, found undefined', () => ops.lstm(t([2, 4, 3]), untyped(undefined))],
    ['sum: keepDims must be true or false, found 1', () => ops.sum(matrix, 1, { keepDims: untyped(1) })],
    // Options in another form would be passed over.
    ['gelu: options must be an object, found "tanh"', () => ops.gelu(matrix, untyped('tanh'))],
    ['layerNorm: options must be an object, found float32[3]', () => ops.layerNorm(matrix, [3], untyped(t([3])))],
    // The name is that of the function, not of one that it calls.
    [
      'lerp: a number used with int32 must be a whole number from -2147483648 to 2147483647, found 0.5',
      () => ops.lerp(whole, whole, 0.5),
    ],
    [
      'addcmul: a number used with int32 must be a whole number from -2147483648 to 2147483647, found 0.5',
      () => ops.addcmul(whole, whole, whole, { value: 0.5 }),
    ],
    [
      'indexAdd: a number used with int32 must be a whole number from -2147483648 to 2147483647, found 0.5',
      () => ops.indexAdd(whole, whole, whole, 0, { alpha: 0.5 }),
    ],
    [
      'threshold: a number used with int32 must be a whole number from -2147483648 to 2147483647, found 0.5',
      () => ops.threshold(whole, 0, 0.5),
    ],
    [
      'searchsorted: a number used with int32 must be a whole number from -2147483648 to 2147483647, found 0.5',
      () => ops.searchsorted(whole, 0.5),
    ],
    ['remainder: integers cannot be divided by 0, found int32[] with a 0', () => ops.remainder(whole, 0)],
    ['floorDivide: integers cannot be divided by 0, found int32[] with a 0', () => ops.floorDivide(whole, 0)],
    // More than there can be.
    [
      'zeros: [1000000, 1000000] has 1000000000000 elements, more than a tensor can have, 2^31',
      () => ops.zeros([1e6, 1e6]),
    ],
    ['eye: [1000000, 1000000] has 1000000000000 elements, more than a tensor can have, 2^31', () => ops.eye(1e6)],
    [
      'randomNormal: [10000000000] has 10000000000 elements, more than a tensor can have, 2^31',
      () => ops.randomNormal([1e10]),
    ],
    [
      'oneHot: [2, 10000000000] has 20000000000 elements, more than a tensor can have, 2^31',
      () => ops.oneHot(t([2], 'int64'), 1e10),
    ],
    // Creation and randomness.
    ['eye: rows must be a whole number of at least 0, found -1', () => ops.eye(-1)],
    ['tril: diagonal must be a whole number, found 0.5', () => ops.tril(matrix, 0.5)],
    ['oneHot: classes must be a whole number of at least 0, found -1', () => ops.oneHot(t([2], 'int64'), -1)],
    [
      'full: dtype must be float32, int32, int64, bool or uint8, found "float64"',
      () => ops.full([1], 0, untyped('float64')),
    ],
    ['randomUniform: high must be at least 1, found 0', () => ops.randomUniform([2], { low: 1, high: 0 })],
    ['randomNormal: std must be at least 0, found -1', () => ops.randomNormal([2], { std: -1 })],
    ['randomPermutation: count must be a whole number of at least 0, found -1', () => ops.randomPermutation(-1)],
    ['randomBeta: a must be a finite number, found Infinity', () => ops.randomBeta([2], Number.POSITIVE_INFINITY, 1)],
    ['dropout: p must be from 0 to 1, found 2', () => ops.dropout(matrix, 2)],
    // Functions of elements.
    ['softshrink: lambda must be at least 0, found -0.5', () => ops.softshrink(matrix, { lambda: -0.5 })],
    ['hardshrink: lambda must be at least 0, found -0.5', () => ops.hardshrink(matrix, { lambda: -0.5 })],
    ['hardtanh: max must be at least 2, found 1', () => ops.hardtanh(matrix, { min: 2, max: 1 })],
    ['celu: |alpha| must be above 0, found 0', () => ops.celu(matrix, { alpha: 0 })],
    ['elu: alpha must be a finite number, found NaN', () => ops.elu(matrix, { alpha: Number.NaN })],
    ['clamp: bounds of float32 must be numbers, found NaN', () => ops.clamp(matrix, Number.NaN)],
    ['softmaxWithTemperature: temperature must be above 0, found 0', () => ops.softmaxWithTemperature(matrix, 0)],
    ['round: decimals must be a whole number, found 0.5', () => ops.round(matrix, { decimals: 0.5 })],
    // Losses.
    ['huberLoss: delta must be above 0, found 0', () => ops.huberLoss(matrix, matrix, { delta: 0 })],
    ['smoothL1Loss: beta must be at least 0, found -1', () => ops.smoothL1Loss(matrix, matrix, { beta: -1 })],
    [
      'tripletMarginLoss: margin must be above 0, found -1',
      () => ops.tripletMarginLoss(matrix, matrix, matrix, { margin: -1 }),
    ],
    ['tripletMarginLoss: negative must have 2 axes, found [3]', () => ops.tripletMarginLoss(matrix, matrix, t([3]))],
    [
      'cosineEmbeddingLoss: margin must be from -1 to 1, found 2',
      () => ops.cosineEmbeddingLoss(matrix, matrix, t([2]), { margin: 2 }),
    ],
    [
      'cosineEmbeddingLoss: target must have 1 axis, found [2, 1]',
      () => ops.cosineEmbeddingLoss(matrix, matrix, t([2, 1])),
    ],
    ['gaussianNllLoss: eps must be above 0, found 0', () => ops.gaussianNllLoss(matrix, matrix, matrix, { eps: 0 })],
    [
      'klDiv: reduction must be mean, sum, none or batchmean, found "average"',
      () => ops.klDiv(matrix, matrix, { reduction: untyped('average') }),
    ],
    // Products, norms, indices.
    ['linear: the weight must be [out, in], found [3]', () => ops.linear(matrix, t([3]))],
    [
      'addmm: beta must be a finite number, found NaN',
      () => ops.addmm(t([4]), matrix, t([3, 4]), { beta: Number.NaN }),
    ],
    ['layerNorm: eps must be at least 0, found -1', () => ops.layerNorm(matrix, [3], { eps: -1 })],
    [
      'batchNorm: momentum must be from 0 to 1, found 2',
      () => ops.batchNormTrain(picture, t([2]), t([2]), { momentum: 2 }),
    ],
    [
      'rnn: nonlinearity must be tanh or relu, found "sigmoid"',
      () => ops.rnn(t([2, 4, 3]), { weightIh: t([2, 3]), weightHh: t([2, 2]) }, { nonlinearity: untyped('sigmoid') }),
    ],
    [
      'scaledDotProductAttention: mask must be bool or float32, found int64',
      () => ops.scaledDotProductAttention(t([2, 4]), t([3, 4]), t([3, 4]), { mask: t([2, 3], 'int64') }),
    ],
    [
      'quantile: interpolation must be linear, midpoint, lower, higher or nearest, found "cubic"',
      () => ops.quantile(matrix, 0.5, 1, { interpolation: untyped('cubic') }),
    ],
    ['bincount: length must be a whole number of at least 0, found -1', () => ops.bincount(t([3], 'int64'), -1)],
  ])('%s', (message, call) => {
    expect(call).toThrow(ShapeError)
    expect(call).toThrow(message)
  })

  const losses: readonly [string, (options: ops.LossOptions) => Tensor][] = [
    ['bceWithLogits', (options) => ops.bceWithLogits(matrix, matrix, options)],
    ['binaryCrossEntropy', (options) => ops.binaryCrossEntropy(matrix, matrix, options)],
    ['mseLoss', (options) => ops.mseLoss(matrix, matrix, options)],
    ['l1Loss', (options) => ops.l1Loss(matrix, matrix, options)],
    ['smoothL1Loss', (options) => ops.smoothL1Loss(matrix, matrix, options)],
    ['huberLoss', (options) => ops.huberLoss(matrix, matrix, options)],
    ['crossEntropy', (options) => ops.crossEntropy(matrix, t([2], 'int64'), options)],
    ['crossEntropy', (options) => ops.crossEntropy(matrix, matrix, options)],
    ['nllLoss', (options) => ops.nllLoss(matrix, t([2], 'int64'), options)],
    ['cosineEmbeddingLoss', (options) => ops.cosineEmbeddingLoss(matrix, matrix, t([2]), options)],
    ['marginRankingLoss', (options) => ops.marginRankingLoss(matrix, matrix, matrix, options)],
    ['tripletMarginLoss', (options) => ops.tripletMarginLoss(matrix, matrix, matrix, options)],
    ['hingeEmbeddingLoss', (options) => ops.hingeEmbeddingLoss(matrix, matrix, options)],
    ['gaussianNllLoss', (options) => ops.gaussianNllLoss(matrix, matrix, matrix, options)],
    ['poissonNllLoss', (options) => ops.poissonNllLoss(matrix, matrix, options)],
    ['softMarginLoss', (options) => ops.softMarginLoss(matrix, matrix, options)],
    ['multilabelSoftMarginLoss', (options) => ops.multilabelSoftMarginLoss(matrix, matrix, options)],
  ]
  test.each(losses)('%s: an unknown reduction', (name, loss) => {
    expect(() => loss({ reduction: untyped('average') })).toThrow(
      `${name}: reduction must be mean, sum or none, found "average"`,
    )
  })

  test.each<[string, () => unknown]>([
    ['arange: the step must lead from start to end, found start 5, end 0 and step 1', () => ops.arange(5, 0)],
    [
      'arange: the step must lead from start to end, found start 0, end 5 and step -1',
      () => ops.arange(0, 5, { step: -1 }),
    ],
    ['arange: the step must lead from start to end, found start 0, end -3 and step 1', () => ops.arange(-3)],
    [
      'arange: the numbers must be finite, and the step not 0, found start 0, end NaN and step 1',
      () => ops.arange(Number.NaN),
    ],
    ['arange: 1000000000 elements of int64 are more than a constant can have, 2 GB', () => ops.arange(0, 1e9)],
    ['linspace: 1000000000 elements of float32 are more than a constant can have, 2 GB', () => ops.linspace(0, 1, 1e9)],
    ['linspace: start must be a finite number, found NaN', () => ops.linspace(Number.NaN, 1, 3)],
  ])('%s', (message, call) => {
    expect(call).toThrow(new UsageError(message))
  })
})

test('null is no options', () => {
  expect(ops.sum(matrix, 1, untyped(null)).shape).toEqual([2])
  expect(ops.gelu(matrix, untyped(null)).shape).toEqual([2, 3])
  expect(ops.conv2d(picture, kernel, undefined, untyped(null)).shape).toEqual([1, 4, 2, 4])
})

test.each([
  ['mul', 'tensor(values) makes one', () => ops.mul(untyped<Tensor>([1, 2]), 2)],
  [
    'crossEntropy',
    "tensor(values) makes one, and tensor(labels, 'int32') one of class indices",
    () => ops.crossEntropy(matrix, untyped<Tensor>([0, 1])),
  ],
])('%s: a list in the place of a tensor', (_name, hint, call) => {
  expect(call).toThrow(expect.objectContaining({ hint }))
})

describe('labels that are no integers', () => {
  const hint = "class indices are whole numbers: make them with tensor(labels, 'int32'), or cast(labels, 'int32')"

  test.each<[string, () => unknown]>([
    [
      'crossEntropy: logits [2, 3] need a target of shape [2, 3] (class probabilities), found [2]',
      () => ops.crossEntropy(matrix, t([2])),
    ],
    [
      'crossEntropy: the target must be class indices (int32, int64 or uint8), found bool[2]',
      () => ops.crossEntropy(matrix, t([2], 'bool')),
    ],
    [
      'nllLoss: the target must be class indices (int32, int64 or uint8), found float32[2]',
      () => ops.nllLoss(matrix, t([2])),
    ],
  ])('%s', (message, call) => {
    let found: unknown
    try {
      call()
    } catch (error) {
      found = error
    }
    expect(found).toBeInstanceOf(ShapeError)
    const error = found as ShapeError
    expect([error.message.split('\n')[0], error.hint]).toEqual([message, hint])
  })

  test('other indices', () => {
    let found: unknown
    try {
      ops.embedding(t([2]), matrix)
    } catch (error) {
      found = error
    }
    const error = found as ShapeError
    expect([error.message.split('\n')[0], error.hint]).toEqual([
      'embedding: index must be int64 or int32, found float32',
      "make it with tensor(values, 'int32'), or convert it with cast(index, 'int32')",
    ])
  })
})

describe('what is made of other ops names itself beside the place', () => {
  test.each<[string, () => unknown]>([
    ['nansum', () => ops.nansum(matrix, 2)],
    ['diff', () => ops.diff(matrix, { append: t([3, 3, 3]) })],
    ['heaviside', () => ops.heaviside(matrix, t([5]))],
    ['square', () => ops.square(t([2], 'bool'))],
    ['embeddingBag', () => ops.embeddingBag(matrix, t([4, 2]))],
    ['addAll', () => ops.addAll([matrix, matrix, t([4])])],
  ])('%s', (name, call) => {
    expect(call).toThrow(new RegExp(`^(?!${name})\\w+: .*\\n {2}in ${name} at argument-messages.test.ts:\\d+$`))
  })
  test('an op is not named twice', () => {
    expect(() => ops.exp(whole)).toThrow(/^exp: .*\n {2}in argument-messages.test.ts:\d+$/)
  })
})
