/** Draws from finitely many classes: in the graph, whose weights or logits the function itself may compute. */
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFinite, requireFlag, requirePositive } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { stopGradient } from '../control.ts'
import { arange, requireElements } from '../creation.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { add, div, equal, greater, greaterOrEqual, less, logicalAnd, mul, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { log } from '../elementwise/unary.ts'
import { within } from '../indexing/places.ts'
import { searchsorted } from '../indexing/selection.ts'
import { reshape, slice } from '../movement/movement.ts'
import { argmax, topk } from '../reduction/order.ts'
import { all } from '../reduction/reduce.ts'
import { cumsum } from '../reduction/scan.ts'
import { softmax } from '../reduction/softmax.ts'
import { type RandomOptions, randomGumbel, randomUniform } from './random.ts'

/** Options of `categorical`. */
export interface CategoricalOptions extends RandomOptions {
  /** The axis of the classes. Default: the last. */
  readonly axis?: number
}

/**
 * One draw for each row of logits: int64, the logits' shape without the axis. Class i is drawn with probability softmax(logits)_i
 * (the largest of logits and Gumbel noise); a logit of -inf never is. No gradient: see `gumbelSoftmax`.
 */
export function categorical(logits: Operand, options?: CategoricalOptions): Tensor {
  const { axis = -1, ...random } = optionsOf('categorical', options, { axis: true, state: true })
  const input = toFloat('categorical', logits, 'logits')
  return checked(() => argmax(add(input, randomGumbel(input.shape, random)), classAxis('categorical', input, axis)))
}

/** The axis of the classes, of which there must be some. */
function classAxis(op: string, logits: Tensor, axis: number): number {
  const at = normalizeAxis(op, axis, logits.rank)
  if (logits.rank === 0 || sizeOf(logits.shape, at) === 0)
    throw new ShapeError(`${op}: logits must have at least one class on axis ${at}, found ${formatShape(logits.shape)}`)
  return at
}

/** Options of `multinomial`. */
export interface MultinomialOptions extends RandomOptions {
  /** Whether a class may be drawn several times. Default: false. */
  readonly replacement?: boolean
}

/**
 * Draws `samples` classes of each row of weights [classes] or [rows, classes], which need not sum to 1: int64 [samples] or
 * [rows, samples], in the order of drawing. A row with a weight that is negative or not finite, or with too few above 0, is an
 * IndexError when the graph runs.
 */
export function multinomial(weights: Operand, samples: number, options?: MultinomialOptions): Tensor {
  const { replacement = false, ...random } = optionsOf('multinomial', options, { replacement: true, state: true })
  const input = toFloat('multinomial', weights, 'weights')
  return checked(() => {
    requireCount('multinomial', 'samples', samples, 1)
    requireFlag('multinomial', 'replacement', replacement)
    if (input.rank < 1 || input.rank > 2 || sizeOf(input.shape, -1) === 0) {
      throw new ShapeError(
        `multinomial: weights must be [classes] or [rows, classes], found ${formatShape(input.shape)}`,
      )
    }
    const classes = sizeOf(input.shape, -1)
    if (!replacement && samples > classes) {
      throw new ShapeError(`multinomial: samples must be at most the ${classes} classes, found ${samples}`, {
        hint: '{ replacement: true } draws a class several times',
      })
    }
    const rows = stopGradient(reshape(input, [-1, classes]))
    requireElements('multinomial', [sizeOf(rows.shape, 0), samples])
    const drawn = (replacement ? withReplacement : withoutReplacement)(rows, samples, random)
    const places = within(drawn, {
      subject: 'multinomial: weights above 0 are too few, or one is no weight: class',
      size: classes,
    })
    return reshape(places, [...input.shape.slice(0, -1), samples])
  })
}

/** The classes with the largest sums of log weight and Gumbel noise, in their order (Vieira 2014); -1 where there is none. */
function withoutReplacement(rows: Tensor, samples: number, random: RandomOptions): Tensor {
  const [scores, classes] = topk(add(log(rows), randomGumbel(rows.shape, random)), samples, -1)
  const isDrawn = logicalAnd(greater(scores, Number.NEGATIVE_INFINITY), less(scores, Number.POSITIVE_INFINITY))
  return where(isDrawn, classes, -1)
}

/** Where uniform parts of the sum of all weights lie among the running sums; -1 where these do not ascend to a number. */
function withReplacement(rows: Tensor, samples: number, random: RandomOptions): Tensor {
  const sums = cumsum(rows, 1)
  const total = slice(sums, [-1], 1)
  const share = mul(randomUniform([sizeOf(rows.shape, 0), samples], random), total)
  const areWeights = reshape(all(greaterOrEqual(rows, 0), 1), total.shape)
  const isValid = logicalAnd(areWeights, logicalAnd(greater(total, 0), less(total, Number.POSITIVE_INFINITY)))
  return where(isValid, searchsorted(sums, share, { right: true }), -1)
}

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions extends RandomOptions {
  /** The temperature: the smaller, the nearer to one class. Default: 1. */
  readonly tau?: number
  /** Whether the result is the drawn class as a one-hot vector, with the gradient of the soft one. Default: false. */
  readonly hard?: boolean
  /** The axis of the classes. Default: the last. */
  readonly axis?: number
}

/** softmax((logits + Gumbel noise) / tau): a draw of a class that has a gradient (Jang et al. 2017, Maddison et al. 2017). */
export function gumbelSoftmax(logits: Operand, options?: GumbelSoftmaxOptions): Tensor {
  const {
    tau = 1,
    hard = false,
    axis = -1,
    ...random
  } = optionsOf('gumbelSoftmax', options, { tau: true, hard: true, axis: true, state: true })
  const input = toFloat('gumbelSoftmax', logits, 'logits')
  return checked(() => {
    requirePositive('gumbelSoftmax', 'tau', tau)
    requireFinite('gumbelSoftmax', 'tau', tau)
    requireFlag('gumbelSoftmax', 'hard', hard)
    const at = classAxis('gumbelSoftmax', input, axis)
    const soft = softmax(div(add(input, randomGumbel(input.shape, random)), tau), at)
    if (!hard) return soft
    const along = input.shape.map((size, i) => (i === at ? size : 1))
    const classes = reshape(arange(sizeOf(input.shape, at)), along)
    const drawn = cast(equal(argmax(soft, at, { keepDims: true }), classes), 'float32')
    return add(stopGradient(sub(drawn, soft)), soft)
  })
}
