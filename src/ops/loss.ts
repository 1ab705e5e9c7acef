/** Losses, with PyTorch's reductions and defaults. */
import { formatShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { notEqual, xlogy } from './arithmetic.ts'
import { add, div, less, maximum, mul, sub } from './binary.ts'
import { cast, where } from './choice.ts'
import { stopGradient } from './control.ts'
import { checked, type Operand, toTensor } from './define.ts'
import { vectorNorm } from './distance.ts'
import { reshape } from './movement.ts'
import { moveAxis } from './rearrange.ts'
import { mean, sum } from './reduce.ts'
import { clamp } from './rounding.ts'
import { oneHot } from './selection.ts'
import { logSoftmax } from './softmax.ts'
import { log1p } from './special.ts'
import { abs, exp, log, neg, relu } from './unary.ts'

export type Reduction = 'mean' | 'sum' | 'none'

/** Options that every loss has. */
export interface LossOptions {
  /** Default: mean. */
  readonly reduction?: Reduction
}

/** Losses reduced as asked. Default: mean. */
export function reduceLosses(losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return losses
  return reduction === 'sum' ? sum(losses) : mean(losses)
}

export interface CrossEntropyOptions extends LossOptions {
  /** A weight per class. */
  readonly weight?: Operand
  /** Class index whose examples do not count. Default: -100. */
  readonly ignoreIndex?: number
  /** Share of the target that is spread over all classes. Default: 0. */
  readonly labelSmoothing?: number
}

/** Targets [N, d...] as weights on the classes, last axis; and how much each example counts in the mean. */
interface ClassTargets {
  readonly target: Tensor
  readonly counts: Tensor | undefined
}

function indexTargets(labels: Tensor, classes: number, options: CrossEntropyOptions): ClassTargets {
  const ignore = options.ignoreIndex ?? -100
  const valid = notEqual(labels, ignore)
  const kept = cast(valid, 'float32')
  const smoothing = options.labelSmoothing ?? 0
  const hot = oneHot(where(valid, labels, 0), classes, 'float32')
  const smooth = smoothing === 0 ? hot : add(mul(hot, 1 - smoothing), smoothing / classes)
  const weighted = options.weight === undefined ? smooth : mul(smooth, options.weight)
  const counts = options.weight === undefined ? kept : mul(kept, sum(mul(hot, options.weight), -1))
  return { target: mul(weighted, reshape(kept, [...labels.shape, 1])), counts }
}

function probabilityTargets(target: Tensor, classes: number, options: CrossEntropyOptions): ClassTargets {
  const smoothing = options.labelSmoothing ?? 0
  const smooth = smoothing === 0 ? target : add(mul(target, 1 - smoothing), smoothing / classes)
  return { target: options.weight === undefined ? smooth : mul(smooth, options.weight), counts: undefined }
}

/**
 * -log of the softmax probability of the target class. logits [N, C, d...] or [C]; target: class indices (int) of the
 * shape without C, or class probabilities of the logits' shape. The mean is over the weights of the targets that count.
 */
export function crossEntropy(logits: Operand, target: Operand, options: CrossEntropyOptions = {}): Tensor {
  const [input, given] = [toTensor(logits), toTensor(target)]
  return checked(() => {
    const axis = input.rank === 1 ? 0 : 1
    const classes = sizeOf(input.shape, axis)
    const isIndex = given.dtype !== 'float32'
    const expected = isIndex ? input.shape.filter((_, i) => i !== axis) : input.shape
    if (formatShape(given.shape) !== formatShape(expected)) {
      throw new ShapeError(
        `crossEntropy: logits ${formatShape(input.shape)} need a target of shape ${formatShape(expected)}${isIndex ? ' (class indices)' : ' (class probabilities)'}, found ${formatShape(given.shape)}`,
      )
    }
    const logProbabilities = logSoftmax(moveAxis(input, axis, -1), -1)
    const { target: weights, counts } = isIndex
      ? indexTargets(cast(given, 'int64'), classes, options)
      : probabilityTargets(moveAxis(given, axis, -1), classes, options)
    const losses = neg(sum(mul(weights, logProbabilities), -1))
    const { reduction = 'mean' } = options
    return reduction === 'mean' && counts ? div(sum(losses), sum(counts)) : reduceLosses(losses, reduction)
  })
}

/** -log p of the target class, from log probabilities [N, C, d...] or [C]. */
export function nllLoss(
  logProbabilities: Operand,
  target: Operand,
  options: Omit<CrossEntropyOptions, 'labelSmoothing'> = {},
): Tensor {
  const [input, labels] = [toTensor(logProbabilities), toTensor(target)]
  const axis = input.rank === 1 ? 0 : 1
  const { target: weights, counts } = indexTargets(cast(labels, 'int64'), sizeOf(input.shape, axis), options)
  const losses = neg(sum(mul(weights, moveAxis(input, axis, -1)), -1))
  const { reduction = 'mean' } = options
  return reduction === 'mean' && counts ? div(sum(losses), sum(counts)) : reduceLosses(losses, reduction)
}

export interface BinaryLossOptions extends LossOptions {
  /** A factor on each loss. */
  readonly weight?: Operand
}

function weightedReduction(losses: Tensor, { weight, reduction }: BinaryLossOptions): Tensor {
  return reduceLosses(weight === undefined ? losses : mul(losses, weight), reduction)
}

/** -(y log s(x) + (1 - y) log(1 - s(x))) without overflow; posWeight: a factor on the positive part. */
export function bceWithLogits(
  logits: Operand,
  target: Operand,
  options: BinaryLossOptions & { readonly posWeight?: Operand } = {},
): Tensor {
  const x = toTensor(logits)
  // log(1 + e^-x) = max(-x, 0) + log(1 + e^-|x|)
  const negativeLog = add(relu(neg(x)), log1p(exp(neg(abs(x)))))
  const rest = mul(sub(1, target), x)
  const positive = options.posWeight === undefined ? 1 : add(mul(sub(options.posWeight, 1), target), 1)
  return weightedReduction(add(rest, mul(negativeLog, positive)), options)
}

/** -(y log p + (1 - y) log(1 - p)), logarithms bounded below by -100 as in PyTorch. */
export function binaryCrossEntropy(probability: Operand, target: Operand, options: BinaryLossOptions = {}): Tensor {
  const bounded = (p: Operand): Tensor => maximum(log(p), -100)
  const positive = mul(target, bounded(probability))
  const negative = mul(sub(1, target), bounded(sub(1, probability)))
  return weightedReduction(neg(add(positive, negative)), options)
}

/** (x - y)^2. */
export function mseLoss(x: Operand, y: Operand, options: LossOptions = {}): Tensor {
  const difference = sub(x, y)
  return reduceLosses(mul(difference, difference), options.reduction)
}

/** |x - y|. */
export function l1Loss(x: Operand, y: Operand, options: LossOptions = {}): Tensor {
  return reduceLosses(abs(sub(x, y)), options.reduction)
}

/** d^2 / (2 beta) where d = |x - y| < beta, else d - beta / 2. Default beta: 1. */
export function smoothL1Loss(x: Operand, y: Operand, options: LossOptions & { readonly beta?: number } = {}): Tensor {
  const beta = options.beta ?? 1
  if (beta === 0) return l1Loss(x, y, options)
  const distance = abs(sub(x, y))
  const losses = where(less(distance, beta), mul(mul(distance, distance), 0.5 / beta), sub(distance, 0.5 * beta))
  return reduceLosses(losses, options.reduction)
}

/** d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2). Default delta: 1. */
export function huberLoss(x: Operand, y: Operand, options: LossOptions & { readonly delta?: number } = {}): Tensor {
  const delta = options.delta ?? 1
  return reduceLosses(mul(smoothL1Loss(x, y, { beta: delta, reduction: 'none' }), delta), options.reduction)
}

/** sum of y (log y - x) for log probabilities x. `batchmean` divides by the size of axis 0. */
export function klDiv(
  input: Operand,
  target: Operand,
  options: { readonly reduction?: Reduction | 'batchmean'; readonly logTarget?: boolean } = {},
): Tensor {
  const [x, y] = [toTensor(input), toTensor(target)]
  const losses = options.logTarget ? mul(exp(y), sub(y, x)) : sub(xlogy(y, y), mul(y, x))
  const { reduction = 'mean' } = options
  return reduction === 'batchmean' ? div(sum(losses), x.shape[0] ?? 1) : reduceLosses(losses, reduction)
}

/**
 * x y / (|x| |y|) along an axis, each norm at least eps. Defaults: axis 1, eps 1e-8. As in PyTorch the bound on the norms
 * changes their values only, not their gradients.
 */
export function cosineSimilarity(
  x: Operand,
  y: Operand,
  options: { readonly axis?: number; readonly eps?: number } = {},
): Tensor {
  const { axis = 1, eps = 1e-8 } = options
  const direction = (t: Operand): Tensor => {
    const norm = vectorNorm(t, 2, axis, { keepDims: true })
    return div(t, add(norm, stopGradient(sub(maximum(norm, eps), norm))))
  }
  return sum(mul(direction(x), direction(y)), axis)
}

/** x / max(|x|_p, eps) along an axis. Defaults: p 2, axis 1, eps 1e-12. */
export function normalize(
  x: Operand,
  options: { readonly p?: number; readonly axis?: number; readonly eps?: number } = {},
): Tensor {
  const { p = 2, axis = 1, eps = 1e-12 } = options
  return div(x, clamp(vectorNorm(x, p, axis, { keepDims: true }), eps))
}
