/** Losses between examples: distances, margins, likelihoods of given distributions. PyTorch's definitions. */
import type { Tensor } from '../tensor/tensor.ts'
import { logSigmoid, softplus } from './activation.ts'
import { xlogy } from './arithmetic.ts'
import { add, div, equal, greater, lessOrEqual, maximum, minimum, mul, sub } from './binary.ts'
import { cast, where } from './choice.ts'
import { stopGradient } from './control.ts'
import { type Operand, toTensor } from './define.ts'
import { vectorNorm } from './distance.ts'
import { type BinaryLossOptions, cosineSimilarity, type LossOptions, reduceLosses } from './loss.ts'
import { mean } from './reduce.ts'
import { exp, log, neg, relu } from './unary.ts'

/** |x - y + eps|_p along the last axis. Defaults: p 2, eps 1e-6. */
export function pairwiseDistance(
  x: Operand,
  y: Operand,
  options: { readonly p?: number; readonly eps?: number; readonly keepDims?: boolean } = {},
): Tensor {
  const { p = 2, eps = 1e-6, keepDims = false } = options
  return vectorNorm(add(sub(x, y), eps), p, -1, { keepDims })
}

/** 1 - cos(x, y) where the target is 1, max(0, cos(x, y) - margin) where it is -1. */
export function cosineEmbeddingLoss(
  x: Operand,
  y: Operand,
  target: Operand,
  options: LossOptions & { readonly margin?: number } = {},
): Tensor {
  const cosine = cosineSimilarity(x, y, { axis: -1, eps: 1e-12 })
  const losses = where(equal(target, 1), sub(1, cosine), relu(sub(cosine, options.margin ?? 0)))
  return reduceLosses(losses, options.reduction)
}

/** max(0, -target (x - y) + margin). */
export function marginRankingLoss(
  x: Operand,
  y: Operand,
  target: Operand,
  options: LossOptions & { readonly margin?: number } = {},
): Tensor {
  return reduceLosses(relu(add(neg(mul(target, sub(x, y))), options.margin ?? 0)), options.reduction)
}

/** max(0, d(anchor, positive) - d(anchor, negative) + margin); swap: the nearer of anchor and positive to the negative. */
export function tripletMarginLoss(
  anchor: Operand,
  positive: Operand,
  negative: Operand,
  options: LossOptions & {
    readonly margin?: number
    readonly p?: number
    readonly eps?: number
    readonly swap?: boolean
  } = {},
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = options
  const distance = (a: Operand, b: Operand): Tensor => pairwiseDistance(a, b, { p, eps })
  const away = distance(anchor, negative)
  const far = swap ? minimum(away, distance(positive, negative)) : away
  return reduceLosses(relu(add(sub(distance(anchor, positive), far), margin)), options.reduction)
}

/** x where the target is 1, max(0, margin - x) where it is -1. Default margin: 1. */
export function hingeEmbeddingLoss(
  x: Operand,
  target: Operand,
  options: LossOptions & { readonly margin?: number } = {},
): Tensor {
  const losses = where(equal(target, 1), x, relu(sub(options.margin ?? 1, x)))
  return reduceLosses(losses, options.reduction)
}

/** (log v + (x - y)^2 / v) / 2 with v = max(variance, eps), plus log(2 pi) / 2 if `full`. */
export function gaussianNllLoss(
  x: Operand,
  target: Operand,
  variance: Operand,
  options: LossOptions & { readonly full?: boolean; readonly eps?: number } = {},
): Tensor {
  const given = toTensor(variance)
  // The bound changes the value, not the gradient: PyTorch applies it outside of the graph.
  const eps = options.eps ?? 1e-6
  const bounded = add(given, stopGradient(sub(maximum(given, eps), given)))
  const difference = sub(x, target)
  const losses = mul(add(log(bounded), div(mul(difference, difference), bounded)), 0.5)
  return reduceLosses(options.full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, options.reduction)
}

/** e^x - y x for log rates x (or x - y log(x + eps) for rates), plus Stirling's term for y > 1 if `full`. */
export function poissonNllLoss(
  x: Operand,
  target: Operand,
  options: LossOptions & { readonly logInput?: boolean; readonly full?: boolean; readonly eps?: number } = {},
): Tensor {
  const { logInput = true, full = false, eps = 1e-8 } = options
  const y = toTensor(target)
  const losses = logInput ? sub(exp(x), mul(y, x)) : sub(x, mul(y, log(add(x, eps))))
  if (!full) return reduceLosses(losses, options.reduction)
  const stirling = add(sub(xlogy(y, y), y), mul(log(mul(maximum(y, 1), 2 * Math.PI)), 0.5))
  return reduceLosses(
    add(losses, mul(cast(greater(y, 1), 'float32'), where(lessOrEqual(y, 1), 0, stirling))),
    options.reduction,
  )
}

/** log(1 + e^(-target x)). */
export function softMarginLoss(x: Operand, target: Operand, options: LossOptions = {}): Tensor {
  return reduceLosses(softplus(neg(mul(target, x)), { threshold: Number.POSITIVE_INFINITY }), options.reduction)
}

/** Mean over the classes (last axis) of -(y log s(x) + (1 - y) log(1 - s(x))). */
export function multilabelSoftMarginLoss(x: Operand, target: Operand, options: BinaryLossOptions = {}): Tensor {
  const losses = neg(add(mul(target, logSigmoid(x)), mul(sub(1, target), logSigmoid(neg(x)))))
  const weighted = options.weight === undefined ? losses : mul(losses, options.weight)
  return reduceLosses(mean(weighted, -1), options.reduction)
}
