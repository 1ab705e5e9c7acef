/** Losses between examples: distances, margins, likelihoods of given distributions. PyTorch's definitions. */
import { broadcastShapes, formatShape, sameShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireFinite, requirePositive, requireWithin } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat, toTensor } from '../define.ts'
import { softplus } from '../elementwise/activation.ts'
import { raised, xlogy } from '../elementwise/arithmetic.ts'
import { add, div, equal, greater, lessOrEqual, maximum, minimum, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { clamp } from '../elementwise/rounding.ts'
import { exp, log, neg, relu } from '../elementwise/unary.ts'
import { expand, unsqueeze } from '../movement/movement.ts'
import { vectorNorm } from '../products/distance.ts'
import type { Axes } from '../reduction/reduce.ts'
import { mean, sum } from '../reduction/reduce.ts'
import { bceWithLogits, type LossOptions, reduceLosses, type WeightedLossOptions, weightedLossNames } from './loss.ts'

/**
 * x y / (|x| |y|) along an axis of the shape that both broadcast to, each norm at least eps. Defaults: axis 1, eps 1e-8.
 * As in PyTorch the bound on the norms changes their values only, not their gradients.
 */
export function cosineSimilarity(
  x: Operand,
  y: Operand,
  options?: { readonly axis?: number; readonly eps?: number },
): Tensor {
  const { axis = 1, eps = 1e-8 } = optionsOf('cosineSimilarity', options, { axis: true, eps: true })
  const [a, b] = [toFloat('cosineSimilarity', x, 'x'), toFloat('cosineSimilarity', y, 'y')]
  return checked(() => {
    requireAtLeast('cosineSimilarity', 'eps', eps, 0)
    const shape = broadcastShapes('cosineSimilarity', [a.shape, b.shape])
    const direction = (t: Tensor): Tensor => {
      const norm = vectorNorm(t, 2, axis, { keepDims: true })
      return div(t, raised(norm, eps))
    }
    return sum(mul(direction(expand(a, shape)), direction(expand(b, shape))), axis)
  })
}

/** x / max(|x|_p, eps) along an axis, or over several. Defaults: p 2, axis 1, eps 1e-12. */
export function normalize(
  x: Operand,
  options?: { readonly p?: number; readonly axis?: Axes; readonly eps?: number },
): Tensor {
  const { p = 2, axis = 1, eps = 1e-12 } = optionsOf('normalize', options, { p: true, axis: true, eps: true })
  const input = toFloat('normalize', x)
  checked(() => requireAtLeast('normalize', 'eps', eps, 0))
  return div(input, clamp(vectorNorm(input, p, axis, { keepDims: true }), eps))
}

/** |x - y + eps|_p along the last axis. Defaults: p 2, eps 1e-6. */
export function pairwiseDistance(
  x: Operand,
  y: Operand,
  options?: { readonly p?: number; readonly eps?: number; readonly keepDims?: boolean },
): Tensor {
  const {
    p = 2,
    eps = 1e-6,
    keepDims = false,
  } = optionsOf('pairwiseDistance', options, { p: true, eps: true, keepDims: true })
  checked(() => requireFinite('pairwiseDistance', 'eps', eps))
  const difference = sub(toFloat('pairwiseDistance', x, 'x'), toFloat('pairwiseDistance', y, 'y'))
  return vectorNorm(add(difference, eps), p, -1, { keepDims })
}

/** Losses of examples do not broadcast over missing axes: that would pair each example with all others. */
function requireRank(op: string, argument: string, x: Tensor, rank: number): void {
  if (x.rank === rank || x.rank === 0) return
  throw new ShapeError(
    `${op}: ${argument} must have ${rank} ${rank === 1 ? 'axis' : 'axes'}, found ${formatShape(x.shape)}`,
  )
}

/** 1 - cos(x, y) where the target is 1, max(0, cos(x, y) - margin) where it is -1. */
export function cosineEmbeddingLoss(
  x: Operand,
  y: Operand,
  target: Operand,
  options?: LossOptions & { readonly margin?: number },
): Tensor {
  const given = optionsOf('cosineEmbeddingLoss', options, { reduction: true, margin: true })
  const { margin = 0 } = given
  checked(() => requireWithin('cosineEmbeddingLoss', 'margin', margin, [-1, 1]))
  const cosine = cosineSimilarity(x, y, { axis: -1, eps: 1e-12 })
  checked(() => requireRank('cosineEmbeddingLoss', 'target', toTensor('cosineEmbeddingLoss', target), cosine.rank))
  const losses = where(equal(target, 1), sub(1, cosine), relu(sub(cosine, margin)))
  return reduceLosses(losses, given.reduction, 'cosineEmbeddingLoss')
}

/** max(0, -target (x - y) + margin). */
export function marginRankingLoss(
  x: Operand,
  y: Operand,
  target: Operand,
  options?: LossOptions & { readonly margin?: number },
): Tensor {
  const op = 'marginRankingLoss'
  const { margin = 0, reduction } = optionsOf('marginRankingLoss', options, { reduction: true, margin: true })
  checked(() => requireFinite(op, 'margin', margin))
  const [a, b, sign] = [toFloat(op, x, 'x'), toFloat(op, y, 'y'), toFloat(op, target, 'target')]
  checked(() => {
    requireRank(op, 'y', b, a.rank)
    requireRank(op, 'target', sign, a.rank)
  })
  return reduceLosses(relu(add(neg(mul(sign, sub(a, b))), margin)), reduction, op)
}

/** max(0, d(anchor, positive) - d(anchor, negative) + margin); swap: the nearer of anchor and positive to the negative. */
export function tripletMarginLoss(
  anchor: Operand,
  positive: Operand,
  negative: Operand,
  options?: LossOptions & {
    readonly margin?: number
    readonly p?: number
    readonly eps?: number
    readonly swap?: boolean
  },
): Tensor {
  const given = optionsOf('tripletMarginLoss', options, {
    reduction: true,
    margin: true,
    p: true,
    eps: true,
    swap: true,
  })
  const { margin = 1, p = 2, eps = 1e-6, swap = false } = given
  const { rank } = toTensor('tripletMarginLoss', anchor)
  checked(() => {
    requirePositive('tripletMarginLoss', 'margin', margin)
    requireRank('tripletMarginLoss', 'positive', toTensor('tripletMarginLoss', positive), rank)
    requireRank('tripletMarginLoss', 'negative', toTensor('tripletMarginLoss', negative), rank)
  })
  const distance = (a: Operand, b: Operand): Tensor => pairwiseDistance(a, b, { p, eps })
  const away = distance(anchor, negative)
  const far = swap ? minimum(away, distance(positive, negative)) : away
  return reduceLosses(relu(add(sub(distance(anchor, positive), far), margin)), given.reduction, 'tripletMarginLoss')
}

/** x where the target is 1, max(0, margin - x) where it is -1. Default margin: 1. */
export function hingeEmbeddingLoss(
  x: Operand,
  target: Operand,
  options?: LossOptions & { readonly margin?: number },
): Tensor {
  const given = optionsOf('hingeEmbeddingLoss', options, { reduction: true, margin: true })
  const { margin = 1 } = given
  checked(() => requireFinite('hingeEmbeddingLoss', 'margin', margin))
  const input = toFloat('hingeEmbeddingLoss', x)
  // As in PyTorch, a target that is neither gets both parts.
  const near = where(equal(target, -1), 0, input)
  const far = where(equal(target, 1), 0, relu(sub(margin, input)))
  return reduceLosses(add(near, far), given.reduction, 'hingeEmbeddingLoss')
}

/**
 * (log v + (x - y)^2 / v) / 2 with v = max(variance, eps), plus log(2 pi) / 2 if `full`. The variance has x's shape, or
 * one element for each of x's rows (last axis 1, or without it), or broadcasts.
 */
export function gaussianNllLoss(
  x: Operand,
  target: Operand,
  variance: Operand,
  options?: LossOptions & { readonly full?: boolean; readonly eps?: number },
): Tensor {
  const settings = optionsOf('gaussianNllLoss', options, { reduction: true, full: true, eps: true })
  const op = 'gaussianNllLoss'
  const [input, aim, spread] = [toFloat(op, x), toFloat(op, target, 'target'), toFloat(op, variance, 'variance')]
  const isByRow = spread.rank === input.rank - 1 && sameShape(spread.shape, input.shape.slice(0, -1))
  const given = isByRow ? unsqueeze(spread, -1) : spread
  const eps = settings.eps ?? 1e-6
  checked(() => requirePositive(op, 'eps', eps))
  const bounded = raised(given, eps)
  const difference = sub(input, aim)
  const losses = mul(add(log(bounded), div(mul(difference, difference), bounded)), 0.5)
  return reduceLosses(settings.full ? add(losses, 0.5 * Math.log(2 * Math.PI)) : losses, settings.reduction, op)
}

/** e^x - y x for log rates x (or x - y log(x + eps) for rates), plus Stirling's term for y > 1 if `full`. */
export function poissonNllLoss(
  x: Operand,
  target: Operand,
  options?: LossOptions & { readonly logInput?: boolean; readonly full?: boolean; readonly eps?: number },
): Tensor {
  const given = optionsOf('poissonNllLoss', options, { reduction: true, logInput: true, full: true, eps: true })
  const { logInput = true, full = false, eps = 1e-8 } = given
  const op = 'poissonNllLoss'
  checked(() => requireAtLeast(op, 'eps', eps, 0))
  const [input, y] = [toFloat(op, x), toFloat(op, target, 'target')]
  const losses = logInput ? sub(exp(input), mul(y, input)) : sub(input, mul(y, log(add(input, eps))))
  if (!full) return reduceLosses(losses, given.reduction, op)
  const stirling = add(sub(xlogy(y, y), y), mul(log(mul(maximum(y, 1), 2 * Math.PI)), 0.5))
  return reduceLosses(
    add(losses, mul(cast(greater(y, 1), 'float32'), where(lessOrEqual(y, 1), 0, stirling))),
    given.reduction,
    op,
  )
}

/** log(1 + e^(-target x)). */
export function softMarginLoss(x: Operand, target: Operand, options?: LossOptions): Tensor {
  const op = 'softMarginLoss'
  return reduceLosses(
    softplus(neg(mul(toFloat(op, target, 'target'), toFloat(op, x)))),
    optionsOf('softMarginLoss', options, { reduction: true }).reduction,
    op,
  )
}

/** Mean over the classes (last axis) of -(y log s(x) + (1 - y) log(1 - s(x))). */
export function multilabelSoftMarginLoss(x: Operand, target: Operand, options?: WeightedLossOptions): Tensor {
  const given = optionsOf('multilabelSoftMarginLoss', options, weightedLossNames)
  const losses = bceWithLogits(x, target, { ...given, reduction: 'none' })
  return reduceLosses(mean(losses, -1), given.reduction, 'multilabelSoftMarginLoss')
}
