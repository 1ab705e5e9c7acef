/** Cross entropy of classes and the negative log likelihood, with PyTorch's reductions and defaults. */
import { isInteger } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireWhole, requireWithin } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { checked, inputAt, type Operand, toFloat, toTensor } from '../define.ts'
import { notEqual } from '../elementwise/arithmetic.ts'
import { add, div, mul } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { exp, neg } from '../elementwise/unary.ts'
import { gather, indexSelect, scatterAdd } from '../indexing/indexing.ts'
import { certainlyWithin, within } from '../indexing/places.ts'
import { reshape, squeeze, unsqueeze } from '../movement/movement.ts'
import { sum } from '../reduction/reduce.ts'
import { logSoftmax } from '../reduction/softmax.ts'
import { type LossOptions, reduceLosses } from './loss.ts'

// N examples, C classes, d... further axes (pixels, tokens); `axis` is that of the classes.

export interface ClassLossOptions extends LossOptions {
  /** A weight per class: [C]. */
  readonly weight?: Operand
  /** Class index whose examples do not count. Default: -100. */
  readonly ignoreIndex?: number
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** Share of the target, 0 to 1, that is spread over all classes. Default: 0. */
  readonly labelSmoothing?: number
}

function classAxis(input: Tensor): number {
  return input.rank === 1 ? 0 : 1
}

const labelHint = "class indices are whole numbers: make them with tensor(labels, 'int32'), or cast(labels, 'int32')"

function checkLabels(op: string, target: Tensor): void {
  if (isInteger(target.dtype)) return
  throw new ShapeError(`${op}: the target must be class indices (int32, int64 or uint8), found ${target}`, {
    hint: labelHint,
  })
}

function checkTarget(op: string, argument: string, input: Tensor, target: Tensor, isIndex: boolean): void {
  const expected = isIndex ? input.shape.filter((_, i) => i !== classAxis(input)) : input.shape
  if (input.rank > 0 && sameShape(target.shape, expected)) return
  throw new ShapeError(
    `${op}: ${argument} ${formatShape(input.shape)} need a target of shape ${formatShape(expected)}${isIndex ? ' (class indices)' : ' (class probabilities)'}, found ${formatShape(target.shape)}`,
    isIndex ? {} : { hint: labelHint },
  )
}

/** The class weights, shaped to broadcast over [N, C, d...]. */
function classWeights(op: string, input: Tensor, weight: Operand | undefined): Tensor | undefined {
  if (weight === undefined) return undefined
  const [weights, axis] = [toFloat(op, weight, 'weight'), classAxis(input)]
  if (weights.size !== sizeOf(input.shape, axis)) {
    throw new ShapeError(
      `${op}: weight must have one element for each of the ${sizeOf(input.shape, axis)} classes, found ${formatShape(weights.shape)}`,
    )
  }
  return reshape(
    weights,
    input.shape.map((size, i) => (i === axis ? size : 1)),
  )
}

/** Targets that are class indices: [N, d...] each. */
interface Labels {
  readonly isCounted: Tensor
  /** The label; some class where it does not count. */
  readonly index: Tensor
  /** What the example weighs in the mean: the weight of its class, 0 where it does not count. */
  readonly counts: Tensor
}

function readLabels(
  op: string,
  target: Tensor,
  classes: number,
  weights: Tensor | undefined,
  ignoreIndex = -100,
): Labels {
  const labels = cast(within(target, { subject: `${op}: label`, size: classes, except: ignoreIndex }), 'int64')
  const isCounted = notEqual(labels, ignoreIndex)
  const index = certainlyWithin(where(isCounted, labels, 0), classes)
  const ownWeights = weights && indexSelect(reshape(weights, [-1]), index, 0)
  return { isCounted, index, counts: ownWeights ? where(isCounted, ownWeights, 0) : cast(isCounted, 'float32') }
}

/** -log p of each label by its weight; 0, whatever p, where the example does not count. */
function labelLosses(logProbability: Tensor, { isCounted, counts }: Labels, weights: Tensor | undefined): Tensor {
  const losses = where(isCounted, neg(logProbability), 0)
  return weights ? mul(losses, counts) : losses
}

function reduceWeighted(op: string, losses: Tensor, { counts }: Labels, { reduction = 'mean' }: LossOptions): Tensor {
  return reduction === 'mean' ? div(sum(losses), sum(counts)) : reduceLosses(losses, reduction, op)
}

/** The element of each label: [N, C, d...] -> [N, d...]. */
function pick(x: Tensor, index: Tensor): Tensor {
  const axis = classAxis(x)
  return squeeze(gather(x, unsqueeze(index, axis), axis), axis)
}

/**
 * log p of each label, and the sum of log p over all classes, [N, d...] each, with p = softmax(x). Gradients a and b of
 * them give dx = a (onehot - p) + b (1 - C p): one scatter into p's multiple. By the chain rule it would be a scatter
 * into zeros, its sum over the classes and a difference: three passes over [N, C, d...] more.
 */
function logLikelihoods(logits: Tensor, labels: Tensor): readonly [Tensor, Tensor] {
  const axis = classAxis(logits)
  const classes = sizeOf(logits.shape, axis)
  const logProbabilities = logSoftmax(logits, axis)
  const outputs = withBackward(
    [pick(logProbabilities, labels), sum(logProbabilities, axis)],
    [logits, labels],
    ([a, b], inputs) => {
      const [x, index] = [inputAt('crossEntropy', inputs, 0), inputAt('crossEntropy', inputs, 1)]
      const [own, all] = [a, b].map((g) => g && unsqueeze(g, axis)) // [N, 1, d...]
      const total = own && all ? add(own, mul(all, classes)) : (own ?? (all && mul(all, classes)))
      if (!total) return [undefined, undefined]
      const share = mul(exp(logSoftmax(x, axis)), neg(total))
      const spread = all ? add(share, all) : share
      return [own ? scatterAdd(spread, unsqueeze(index, axis), own, axis) : spread, undefined]
    },
  )
  return [inputAt('crossEntropy', outputs, 0), inputAt('crossEntropy', outputs, 1)]
}

/** Cross entropy with class indices as the target. */
function labelCrossEntropy(
  logits: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
  options: CrossEntropyOptions,
): Tensor {
  const { labelSmoothing = 0, ignoreIndex } = options
  const axis = classAxis(logits)
  const labels = readLabels('crossEntropy', target, sizeOf(logits.shape, axis), weights, ignoreIndex)
  const [own, all] = logLikelihoods(logits, labels.index)
  const hard = labelLosses(own, labels, weights)
  if (labelSmoothing === 0) return reduceWeighted('crossEntropy', hard, labels, options)
  const spread = weights ? sum(mul(logSoftmax(logits, axis), weights), axis) : all
  const soft = where(labels.isCounted, neg(spread), 0)
  const share = labelSmoothing / sizeOf(logits.shape, axis)
  return reduceWeighted('crossEntropy', add(mul(hard, 1 - labelSmoothing), mul(soft, share)), labels, options)
}

/** Cross entropy with class probabilities as the target: the mean is over the examples, whatever the weights. */
function probabilityCrossEntropy(
  logits: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
  { labelSmoothing = 0, reduction }: CrossEntropyOptions,
): Tensor {
  const axis = classAxis(logits)
  const share = labelSmoothing / sizeOf(logits.shape, axis)
  const smooth = labelSmoothing === 0 ? target : add(mul(target, 1 - labelSmoothing), share)
  const weighted = weights ? mul(smooth, weights) : smooth
  return reduceLosses(neg(sum(mul(weighted, logSoftmax(logits, axis)), axis)), reduction, 'crossEntropy')
}

/**
 * -log of the softmax probability of the target class. logits [N, C, d...] or [C]; target: class indices (whole numbers)
 * of the shape without C, or class probabilities (float32) of the logits' shape. The mean of indices is over the weights
 * of those that count. Label smoothing (Szegedy et al. 2016) gives each class labelSmoothing / C, and the target the rest.
 */
export function crossEntropy(logits: Operand, target: Operand, options?: CrossEntropyOptions): Tensor {
  const settings = optionsOf('crossEntropy', options, {
    labelSmoothing: true,
    weight: true,
    ignoreIndex: true,
    reduction: true,
  })
  const [input, given] = [toFloat('crossEntropy', logits, 'logits'), toTensor('crossEntropy', target)]
  return checked(() => {
    const isIndex = given.dtype !== 'float32'
    if (isIndex) checkLabels('crossEntropy', given)
    checkTarget('crossEntropy', 'logits', input, given, isIndex)
    requireWithin('crossEntropy', 'labelSmoothing', settings.labelSmoothing ?? 0, [0, 1])
    requireWhole('crossEntropy', 'ignoreIndex', settings.ignoreIndex ?? -100)
    const weights = classWeights('crossEntropy', input, settings.weight)
    return isIndex
      ? labelCrossEntropy(input, given, weights, settings)
      : probabilityCrossEntropy(input, given, weights, settings)
  })
}

/** -log p of the target class, from log probabilities [N, C, d...] or [C] and class indices of the shape without C. */
export function nllLoss(logProbabilities: Operand, target: Operand, options?: ClassLossOptions): Tensor {
  const settings = optionsOf('nllLoss', options, { weight: true, ignoreIndex: true, reduction: true })
  const [input, given] = [toFloat('nllLoss', logProbabilities, 'log probabilities'), toTensor('nllLoss', target)]
  return checked(() => {
    checkLabels('nllLoss', given)
    requireWhole('nllLoss', 'ignoreIndex', settings.ignoreIndex ?? -100)
    checkTarget('nllLoss', 'log probabilities', input, given, true)
    const weights = classWeights('nllLoss', input, settings.weight)
    const labels = readLabels('nllLoss', given, sizeOf(input.shape, classAxis(input)), weights, settings.ignoreIndex)
    return reduceWeighted('nllLoss', labelLosses(pick(input, labels.index), labels, weights), labels, settings)
  })
}
