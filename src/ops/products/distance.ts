/** Norms of vectors and distances between them. */
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireNumber } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toFloat } from '../define.ts'
import { sqrtOrZero, square } from '../elementwise/arithmetic.ts'
import { add, equal, pow, sub } from '../elementwise/binary.ts'
import { cast, where } from '../elementwise/choice.ts'
import { abs, relu } from '../elementwise/unary.ts'
import { transpose, unsqueeze } from '../movement/movement.ts'
import { type Axes, countNonzero, max, min, type ReduceOptions, reduceNames, sum } from '../reduction/reduce.ts'
import { matmulWith } from './matmul.ts'

/** |x|^p, whose gradient at 0 is 0 also where the power's own is infinite. */
function absolutePower(x: Tensor, p: number): Tensor {
  if (p >= 1) return pow(abs(x), p)
  const isZero = equal(x, 0)
  return where(isZero, p < 0 ? Number.POSITIVE_INFINITY : 0, pow(where(isZero, 1, abs(x)), p))
}

/** x^(1/p) of a number of at least 0; its gradient at 0 is 0. */
function rootOrZero(x: Tensor, p: number): Tensor {
  const isZero = equal(x, 0)
  return where(isZero, 0, pow(where(isZero, 1, x), 1 / p))
}

/**
 * (sum |x|^order)^(1/order) over axes, all by default. Order 0 counts what is not 0, Infinity and -Infinity take the
 * largest and the smallest |x|. Default: 2. The gradient at a zero vector is 0.
 */
export function vectorNorm(x: Operand, order = 2, axes?: Axes, options?: ReduceOptions): Tensor {
  const given = optionsOf('vectorNorm', options, reduceNames)
  const input = toFloat('vectorNorm', x)
  checked(() => requireNumber('vectorNorm', 'order', order))
  if (order === 0) return cast(countNonzero(input, axes, given), 'float32')
  if (order === 1) return sum(abs(input), axes, given)
  if (order === 2) return sqrtOrZero(sum(square(input), axes, given))
  if (order === Number.POSITIVE_INFINITY) return max(abs(input), axes, given)
  if (order === Number.NEGATIVE_INFINITY) return min(abs(input), axes, given)
  return rootOrZero(sum(absolutePower(input, order), axes, given), order)
}

// Beyond this many rows PyTorch computes Euclidean distances from a matrix product, too.
const directRows = 25

/**
 * Distances between all rows: a [..., m, width], b [..., n, width] give [..., m, n]. The gradient between equal rows is
 * 0. `order` is that of the norm, 2 by default.
 */
export function cdist(a: Operand, b: Operand, options?: { readonly order?: number }): Tensor {
  const { order = 2 } = optionsOf('cdist', options, { order: true })
  const [left, right] = [toFloat('cdist', a, 'a'), toFloat('cdist', b, 'b')]
  return checked(() => {
    if (left.rank < 2 || right.rank < 2 || sizeOf(left.shape, -1) !== sizeOf(right.shape, -1)) {
      throw new ShapeError(
        `cdist: inputs must be [..., rows, width] of one width, found ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
      )
    }
    const differences = sub(unsqueeze(left, -2), unsqueeze(right, -3))
    // Rows of no elements are equal: their largest difference is that of no pair.
    if (sizeOf(left.shape, -1) === 0) return vectorNorm(differences, 1, -1)
    if (order === 2 && Math.max(sizeOf(left.shape, -2), sizeOf(right.shape, -2)) > directRows)
      return euclideanDistances(left, right)
    return vectorNorm(differences, order, -1)
  })
}

/** sqrt(|a|^2 + |b|^2 - 2 a b^T): less exact for almost equal rows, but no [m, n, width] is stored. */
function euclideanDistances(a: Tensor, b: Tensor): Tensor {
  const squares = (x: Tensor): Tensor => sum(square(x), -1, { keepDims: true })
  const lengths = add(squares(a), transpose(squares(b)))
  return sqrtOrZero(relu(add(lengths, matmulWith(a, b, { transposeB: true, scale: -2 }))))
}
