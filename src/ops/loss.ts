/** Losses of numbers and probabilities, with PyTorch's reductions and defaults. Those of classes: `cross-entropy.ts`. */
import type { Tensor } from '../tensor/tensor.ts'
import { softplus } from './activation.ts'
import { add, div, equal, mul, sub } from './binary.ts'
import { where } from './choice.ts'
import { customGradient } from './control.ts'
import { type Operand, toTensor, toTensorPair } from './define.ts'
import { mean, sum, sumTo } from './reduce.ts'
import { clamp } from './rounding.ts'
import { abs, exp, log, neg } from './unary.ts'

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
  // -log s(x) = log(1 + e^-x), -log(1 - s(x)) = x + log(1 + e^-x)
  const negativeLog = softplus(neg(x))
  const rest = mul(sub(1, target), x)
  const { posWeight } = options
  const positive = posWeight === undefined ? negativeLog : mul(negativeLog, add(mul(sub(posWeight, 1), target), 1))
  return weightedReduction(add(rest, positive), options)
}

/** -(y log p + (1 - y) log(1 - p)), logarithms bounded below by -100 and gradients likewise, as in PyTorch. */
export function binaryCrossEntropy(probability: Operand, target: Operand, options: BinaryLossOptions = {}): Tensor {
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
  return weightedReduction(losses(...toTensorPair(probability, target)), options)
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
export function smoothL1Loss(x: Operand, y: Operand, options: LossOptions & { readonly beta?: number } = {}): Tensor {
  const { beta = 1, reduction } = options
  return beta === 0 ? l1Loss(x, y, options) : reduceLosses(mul(huber(sub(x, y), beta), 1 / beta), reduction)
}

/** d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2). Default delta: 1. */
export function huberLoss(x: Operand, y: Operand, options: LossOptions & { readonly delta?: number } = {}): Tensor {
  return reduceLosses(huber(sub(x, y), options.delta ?? 1), options.reduction)
}

/** sum of y (log y - x) for log probabilities x. `batchmean` divides by the size of axis 0. */
export function klDiv(
  input: Operand,
  target: Operand,
  options: { readonly reduction?: Reduction | 'batchmean'; readonly logTarget?: boolean } = {},
): Tensor {
  const [x, y] = [toTensor(input), toTensor(target)]
  // y log y is 0 at y = 0.
  const losses = options.logTarget ? mul(exp(y), sub(y, x)) : mul(y, sub(log(where(equal(y, 0), 1, y)), x))
  const { reduction = 'mean' } = options
  return reduction === 'batchmean' ? div(sum(losses), x.shape[0] ?? 1) : reduceLosses(losses, reduction)
}
