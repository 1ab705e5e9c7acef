/** Connectionist temporal classification (Graves et al. 2006), with PyTorch's arguments and reductions. */
import { fromNumbers, isInteger } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFlag, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange, zeros } from '../creation.ts'
import { checked, type Operand, toFloat, toTensor } from '../define.ts'
import { notEqual } from '../elementwise/arithmetic.ts'
import { add, div, equal, less, logicalAnd, logicalOr, maximum, minimum, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { remainder } from '../elementwise/rounding.ts'
import { isInf, neg } from '../elementwise/unary.ts'
import { gather } from '../indexing/indexing.ts'
import { certainlyWithin, within } from '../indexing/places.ts'
import { expand, reshape, slice, squeeze, unsqueeze } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import { stack } from '../movement/rearrange.ts'
import { logSumExp, mean } from '../reduction/reduce.ts'
import { cumsum } from '../reduction/scan.ts'
import { pathScores } from './ctc-scan.ts'
import { type LossOptions, reduceLosses } from './loss.ts'

// T steps, N examples, C classes, L labels of the longest target.

export interface CtcLossOptions extends LossOptions {
  /** The class that stands for no label. Default: 0. */
  readonly blank?: number
  /** Whether targets that do not fit into their input count 0 instead of infinity. Default: false. */
  readonly zeroInfinity?: boolean
}

/** Lengths, one of each example: whole numbers, or integers that only the graph knows. */
export type Lengths = Operand | readonly number[]

/** Lengths as int64 [N]. Numbers are checked; of those of a tensor what is known when the op is called. */
function lengthsOf(argument: string, lengths: Lengths, count: number, most: number | undefined): Tensor {
  const known = knownLengths(lengths)
  const given = known ? numbersOf(argument, known) : toTensor('ctcLoss', lengths as Operand)
  const flat = given.rank === 0 ? reshape(given, [1]) : given
  if (!isInteger(flat.dtype) || !sameShape(flat.shape, [count])) {
    throw new ShapeError(`ctcLoss: ${argument} must be whole numbers of shape ${formatShape([count])}, found ${given}`)
  }
  return cast(most === undefined ? flat : within(flat, { subject: `ctcLoss: ${argument}`, size: most + 1 }), 'int64')
}

/** The lengths that are numbers: of one example one number. */
function knownLengths(lengths: Lengths): readonly number[] | undefined {
  return typeof lengths === 'number' ? [lengths] : Array.isArray(lengths) ? (lengths as readonly number[]) : undefined
}

function numbersOf(argument: string, lengths: readonly number[]): Tensor {
  for (const length of lengths) requireCount('ctcLoss', `a length of ${argument}`, length)
  return constant(fromNumbers('int64', lengths), [lengths.length], 'int64')
}

/** One list of all labels has as many as the lengths say, where these are known. */
function requireLabelsOfAll(target: Tensor, lengths: Lengths, isPadded: boolean): void {
  const known = isPadded ? undefined : knownLengths(lengths)
  const total = known?.reduce((sum, length) => sum + length, 0)
  if (total !== undefined && total !== target.size)
    throw new ShapeError(`ctcLoss: the target lengths sum to ${total}, but there are ${target.size} labels`)
}

/** The largest of lengths that are known when the op is called, else `otherwise`. */
function longest(lengths: Tensor, given: Lengths, otherwise: number): number {
  const known = knownLengths(given)
  return known && lengths.size > 0 ? Math.max(...known) : otherwise
}

/** Targets as [N, L], blank behind their ends. */
function paddedLabels(target: Tensor, lengths: Tensor, longestTarget: number, blank: number): Tensor {
  const count = lengths.size
  const places = expand(reshape(arange(longestTarget), [1, longestTarget]), [count, longestTarget])
  const isLabel = less(places, unsqueeze(lengths, 1))
  if (longestTarget === 0) return cast(zeros([count, 0]), 'int64')
  if (target.rank === 2) return where(isLabel, cast(slice(target, [0, longestTarget], 1), 'int64'), blank)
  // One behind the other: each begins where those before it end.
  const first = sub(cumsum(lengths, 0), lengths)
  const index = minimum(add(unsqueeze(first, 1), places), target.size - 1)
  const labels = gather(target, certainlyWithin(reshape(index, [-1]), target.size), 0)
  return where(isLabel, cast(reshape(labels, [count, longestTarget]), 'int64'), blank)
}

/** blank, label, blank, ..., label, blank: [N, L] -> [N, 2 L + 1]. */
function withBlanks(labels: Tensor, blank: number): Tensor {
  const [count, length] = labels.sizes(2)
  const blanks = where(equal(labels, labels), blank, labels)
  const pairs = reshape(stack([blanks, labels], 2), [count, 2 * length])
  return padAxis(pairs, 1, 0, 1, blank)
}

/** Whether a path may leave out the blank before a state: that is a label, and the label before it is another one. bool. */
function skips(states: Tensor): Tensor {
  const [count, length] = states.sizes(2)
  if (length < 3) return expand(cast(toFloat('ctcLoss', 0), 'bool'), [count, length])
  const isOther = cast(notEqual(slice(states, [2], 1), slice(states, [0, -2], 1)), 'int64')
  const isLabel = remainder(arange(2, length), 2)
  return cast(padAxis(mul(isOther, isLabel), 1, 2, 0), 'bool')
}

/** -log of the probability of each target, [N]. */
function pathLosses(
  logProbabilities: Tensor,
  labels: Tensor,
  inputLengths: Tensor,
  targetLengths: Tensor,
  blank: number,
): Tensor {
  const [steps, count, classes] = logProbabilities.sizes(3)
  const states = withBlanks(labels, blank)
  const width = sizeOf(states.shape, 1)
  const index = expand(certainlyWithin(states, classes), [steps, count, width])
  const [scores] = pathScores(gather(logProbabilities, index, 2), skips(states))
  // A path ends at the last step of its example, in its last label or in the blank after it.
  const isLast = equal(reshape(arange(steps), [steps, 1, 1]), reshape(sub(inputLengths, 1), [1, count, 1]))
  const end = reshape(mul(targetLengths, 2), [1, count, 1])
  const place = reshape(arange(width), [1, 1, width])
  const isEnd = logicalAnd(isLast, logicalOr(equal(place, end), equal(place, sub(end, 1))))
  const losses = neg(logSumExp(where(isEnd, scores ?? 0, Number.NEGATIVE_INFINITY), [0, 2]))
  // No steps at all have one path, that of no labels.
  return where(logicalAnd(equal(inputLengths, 0), equal(targetLengths, 0)), 0, losses)
}

/**
 * -log of the probability that the outputs, without repeats and blanks, are the target. logProbabilities: [T, N, C] of `logSoftmax`, or
 * [T, C] of one example; targets: class indices, [N, L], or one behind the other. The mean is of losses by target length. The
 * gradient is that by logProbabilities themselves; behind `logSoftmax` it is PyTorch's.
 */
export function ctcLoss(
  logProbabilities: Operand,
  targets: Operand,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options?: CtcLossOptions,
): Tensor {
  const {
    blank = 0,
    zeroInfinity = false,
    reduction = 'mean',
  } = optionsOf('ctcLoss', options, { blank: true, zeroInfinity: true, reduction: true })
  const [input, target] = [toFloat('ctcLoss', logProbabilities, 'log probabilities'), toTensor('ctcLoss', targets)]
  return checked(() => {
    requireFlag('ctcLoss', 'zeroInfinity', zeroInfinity)
    requireOneOf('ctcLoss', 'reduction', reduction, ['mean', 'sum', 'none'])
    if (input.rank !== 2 && input.rank !== 3) {
      throw new ShapeError(`ctcLoss: log probabilities must be [T, N, C] or [T, C], found ${formatShape(input.shape)}`)
    }
    const batched = input.rank === 3 ? input : unsqueeze(input, 1)
    const [steps, count, classes] = batched.sizes(3)
    requireCount('ctcLoss', 'blank', blank)
    if (blank >= classes) throw new ShapeError(`ctcLoss: blank must be one of the ${classes} classes, found ${blank}`)
    const isPadded = target.rank === 2 && sizeOf(target.shape, 0) === count
    if (!isInteger(target.dtype) || (target.rank !== 1 && !isPadded)) {
      throw new ShapeError(
        `ctcLoss: targets must be class indices of shape ${formatShape([count])} and the labels of each, or one list of all labels, found ${target}`,
      )
    }
    const most = isPadded ? sizeOf(target.shape, 1) : target.size
    const ofInputs = lengthsOf('input lengths', inputLengths, count, steps)
    const ofTargets = lengthsOf('target lengths', targetLengths, count, most)
    requireLabelsOfAll(target, targetLengths, isPadded)
    const places = within(target, { subject: 'ctcLoss: label', size: classes })
    const labels = paddedLabels(places, ofTargets, longest(ofTargets, targetLengths, most), blank)
    const losses = pathLosses(batched, labels, ofInputs, ofTargets, blank)
    const finite = zeroInfinity ? where(isInf(losses), 0, losses) : losses
    if (reduction === 'mean') return mean(div(finite, cast(maximum(ofTargets, 1), 'float32')))
    return reduceLosses(input.rank === 3 ? finite : squeeze(finite, 0), reduction, 'ctcLoss')
  })
}
