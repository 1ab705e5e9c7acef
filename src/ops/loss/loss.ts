/** Losses of numbers and probabilities, with PyTorch's reductions and defaults. Those of classes: `cross-entropy.ts`. */

import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireOneOf, requirePositive } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { customGradient } from '../control.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { softplus } from '../elementwise/activation.ts'
import { add, div, equal, mul, sub } from '../elementwise/binary.ts'
import { where } from '../elementwise/choice.ts'
import { clamp } from '../elementwise/rounding.ts'
import { abs, exp, log, neg } from '../elementwise/unary.ts'
import { mean, sum, sumTo } from '../reduction/reduce.ts'

const reductions = ['mean', 'sum', 'none'] as const
export type Reduction = (typeof reductions)[number]

/** Options that every loss has. */
export interface LossOptions {
  /** Default: mean. */
  readonly reduction?: Reduction
}

/** Losses reduced as asked. Default: mean. */
export function reduceLosses(losses: Tensor, reduction: Reduction = 'mean', op = 'reduceLosses'): Tensor {
  checked(() => requireOneOf(op, 'reduction', reduction, reductions))
  if (reduction === 'none') return losses
  return reduction === 'sum' ? sum(losses) : mean(losses)
}

export interface WeightedLossOptions extends LossOptions {
  /** A factor on each loss. */
  readonly weight?: Operand
}

/** The names of its options. */
export const weightedLossNames = { weight: true, reduction: true } as const

/** Of probabilities, targets have the same shape (PyTorch refuses others, too), or are one number for all. */
function requireTargets(op: string, x: Tensor, target: Tensor): void {
  if (target.rank === 0 || sameShape(x.shape, target.shape)) return
  throw new ShapeError(
    `${op}: target must have the input's shape, ${formatShape(x.shape)}, found ${formatShape(target.shape)}`,
    { hint: 'squeeze or unsqueeze one of them' },
  )
}

function weightedReduction(op: string, losses: Tensor, { weight, reduction }: WeightedLossOptions): Tensor {
  return reduceLosses(weight === undefined ? losses : mul(losses, weight), reduction, op)
}

/** Of losses with weights, which have their shape, the mean is a weighted one: divided by the sum of the weights. */
function weightedMean(op: string, losses: Tensor, { weight, reduction = 'mean' }: WeightedLossOptions): Tensor {
  if (weight === undefined) return reduceLosses(losses, reduction, op)
  const factors = toFloat(op, weight, 'weight')
  checked(() => {
    if (!sameShape(losses.shape, factors.shape))
      throw new ShapeError(
        `${op}: weight must have the shape of the losses, ${formatShape(losses.shape)}, found ${formatShape(factors.shape)}`,
      )
  })
  const weighted = mul(losses, factors)
  return reduction === 'mean' ? div(sum(weighted), sum(factors)) : reduceLosses(weighted, reduction, op)
}

/** -(y log s(x) + (1 - y) log(1 - s(x))) without overflow, y of x's shape or one number; posWeight: a factor on the positive part. */
export function bceWithLogits(
  logits: Operand,
  target: Operand,
  options?: WeightedLossOptions & { readonly posWeight?: Operand },
): Tensor {
  const given = optionsOf('bceWithLogits', options, { weight: true, reduction: true, posWeight: true })
  const [x, y] = [toFloat('bceWithLogits', logits, 'logits'), toFloat('bceWithLogits', target, 'target')]
  checked(() => requireTargets('bceWithLogits', x, y))
  // -log s(x) = log(1 + e^-x), -log(1 - s(x)) = log(1 + e^x): of targets 0 and 1 nothing cancels.
  const { posWeight } = given
  const positive = mul(softplus(neg(x)), posWeight === undefined ? y : mul(y, posWeight))
  return weightedReduction('bceWithLogits', add(mul(softplus(x), sub(1, y)), positive), given)
}

/** -(y log p + (1 - y) log(1 - p)), y of p's shape or one number; logarithms bounded below by -100 and gradients likewise, as in PyTorch. */
export function binaryCrossEntropy(probability: Operand, target: Operand, options?: WeightedLossOptions): Tensor {
  const losses = customGradient(
    (p: Tensor, y: Tensor) => {
      const bounded = (t: Tensor): Tensor => clamp(log(t), -100)
      return neg(add(mul(y, bounded(p)), mul(sub(1, y), bounded(sub(1, p)))))
    },
    (g, { inputs: [p, y] }) => {
      const rest = sub(1, p)
      const byProbability = div(sub(p, y), clamp(mul(p, rest), 1e-12))
      return [sumTo(mul(g, byProbability), p.shape), sumTo(mul(g, sub(log(rest), log(p))), y.shape)]
    },
  )
  const op = 'binaryCrossEntropy'
  const [p, y] = [toFloat(op, probability, 'probability'), toFloat(op, target, 'target')]
  checked(() => requireTargets(op, p, y))
  return weightedReduction(op, losses(p, y), optionsOf(op, options, weightedLossNames))
}

/** (x - y)^2. */
export function mseLoss(x: Operand, y: Operand, options?: WeightedLossOptions): Tensor {
  const difference = sub(toFloat('mseLoss', x, 'x'), toFloat('mseLoss', y, 'y'))
  return weightedMean('mseLoss', mul(difference, difference), optionsOf('mseLoss', options, weightedLossNames))
}

/** |x - y|. */
export function l1Loss(x: Operand, y: Operand, options?: WeightedLossOptions): Tensor {
  const losses = abs(sub(toFloat('l1Loss', x, 'x'), toFloat('l1Loss', y, 'y')))
  return weightedMean('l1Loss', losses, optionsOf('l1Loss', options, weightedLossNames))
}

/** d^2 / 2 where |d| < delta, else delta (|d| - delta / 2); its derivative is d, bounded by delta. */
function huber(difference: Tensor, delta: number): Tensor {
  const loss = customGradient(
    (d: Tensor) => {
      const bounded = clamp(d, -delta, delta)
      return mul(bounded, sub(d, mul(bounded, 0.5)))
    },
    (g, { inputs: [d] }) => [mul(g, clamp(d, -delta, delta))],
  )
  return loss(difference)
}

/** d^2 / (2 beta) where d = |x - y| < beta, else d - beta / 2. Default beta: 1; with 0 it is |x - y|. */
export function smoothL1Loss(x: Operand, y: Operand, options?: LossOptions & { readonly beta?: number }): Tensor {
  const { beta = 1, reduction } = optionsOf('smoothL1Loss', options, { reduction: true, beta: true })
  checked(() => requireAtLeast('smoothL1Loss', 'beta', beta, 0))
  const difference = sub(toFloat('smoothL1Loss', x, 'x'), toFloat('smoothL1Loss', y, 'y'))
  const losses = beta === 0 ? abs(difference) : mul(huber(difference, beta), 1 / beta)
  return reduceLosses(losses, reduction, 'smoothL1Loss')
}

/** d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2). Default delta: 1. Of weighted losses the mean is that of all. */
export function huberLoss(x: Operand, y: Operand, options?: WeightedLossOptions & { readonly delta?: number }): Tensor {
  const { delta = 1, ...given } = optionsOf('huberLoss', options, { weight: true, reduction: true, delta: true })
  checked(() => requirePositive('huberLoss', 'delta', delta))
  const difference = sub(toFloat('huberLoss', x, 'x'), toFloat('huberLoss', y, 'y'))
  return weightedReduction('huberLoss', huber(difference, delta), given)
}

/** sum of y (log y - x) for log probabilities x. `batchmean` divides by the size of axis 0, if there is one. */
export function klDiv(
  input: Operand,
  target: Operand,
  options?: { readonly reduction?: Reduction | 'batchmean'; readonly logTarget?: boolean },
): Tensor {
  const given = optionsOf('klDiv', options, { reduction: true, logTarget: true })
  const { reduction = 'mean' } = given
  checked(() => requireOneOf('klDiv', 'reduction', reduction, [...reductions, 'batchmean']))
  const [x, y] = [toFloat('klDiv', input, 'input'), toFloat('klDiv', target, 'target')]
  // y log y is 0 at y = 0.
  const losses = given.logTarget ? mul(exp(y), sub(y, x)) : mul(y, sub(log(where(equal(y, 0), 1, y)), x))
  if (reduction !== 'batchmean') return reduceLosses(losses, reduction, 'klDiv')
  return x.rank === 0 ? sum(losses) : div(sum(losses), sizeOf(x.shape, 0))
}
