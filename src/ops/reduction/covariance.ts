/** Covariance and correlation of variables. */
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { full } from '../creation.ts'
import { checked, type Operand, requireDType, scalar, toFloat, toTensor } from '../define.ts'
import { div, maximum, mul, sub } from '../elementwise/binary.ts'
import { cast } from '../elementwise/choice.ts'
import { clamp } from '../elementwise/rounding.ts'
import { sqrt } from '../elementwise/unary.ts'
import { diagonal } from '../movement/diagonal.ts'
import { reshape, transpose, unsqueeze } from '../movement/movement.ts'
import { matmul } from '../products/matmul.ts'
import { mean, sum } from './reduce.ts'

/** Options of `cov`. */
export interface CovarianceOptions {
  /** What is subtracted from the number of observations: 1 gives the unbiased estimate. Default: 1. */
  readonly correction?: number
  /** How often each observation was made, whole numbers [observations]. Default: once. */
  readonly fweights?: Operand
  /** How important each observation is [observations], at least 0. Default: 1. */
  readonly aweights?: Operand
}

/** The weights of observations, or undefined where there are none. */
function weightsOf(given: Operand | undefined, argument: string, observations: number): Tensor | undefined {
  if (given === undefined) return undefined
  const weights = toTensor('cov', given)
  requireDType('cov', argument, weights, argument === 'fweights' ? ['int64', 'int32'] : ['float32'])
  if (weights.rank > 1 || weights.size !== observations) {
    throw new ShapeError(
      `cov: ${argument} must have one element for each of ${observations} observations, found ${formatShape(weights.shape)}`,
    )
  }
  return cast(reshape(weights, [observations]), 'float32')
}

/** x [variables, observations] from a matrix, a vector of observations of one variable, or a scalar. */
function observed(op: string, x: Tensor): Tensor {
  if (x.rank > 2)
    throw new ShapeError(`${op}: the input must be [variables, observations], found ${formatShape(x.shape)}`)
  return x.rank === 2 ? x : reshape(x, [1, x.size])
}

/**
 * The covariance [variables, variables] of the rows of x [variables, observations]; of one variable its variance, a scalar. The
 * mean and the sums are weighted by the product of the weights.
 */
export function cov(x: Operand, options?: CovarianceOptions): Tensor {
  const {
    correction = 1,
    fweights,
    aweights,
  } = optionsOf('cov', options, { correction: true, fweights: true, aweights: true })
  const input = toFloat('cov', x)
  return checked(() => {
    requireFinite('cov', 'correction', correction)
    const rows = observed('cov', input)
    const [variables, observations] = rows.sizes(2)
    const shape = variables === 1 ? [] : [variables, variables]
    if (observations === 0) return full(shape, Number.NaN)
    const frequencies = weightsOf(fweights, 'fweights', observations)
    const importances = weightsOf(aweights, 'aweights', observations)
    const weights = frequencies && importances ? mul(frequencies, importances) : (frequencies ?? importances)
    const total = weights ? sum(weights) : scalar(observations)
    const centre = weights ? div(sum(mul(rows, weights), 1), total) : mean(rows, 1)
    const centred = sub(rows, unsqueeze(centre, 1))
    const lost =
      weights && importances ? div(mul(sum(mul(weights, importances)), correction), total) : scalar(correction)
    const degrees = maximum(sub(total, lost), 0)
    const weighted = weights ? mul(centred, weights) : centred
    return reshape(div(matmul(weighted, transpose(centred)), degrees), shape)
  })
}

/** The correlation coefficients of the rows of x [variables, observations], within -1 and 1; of one variable a scalar. */
export function corrcoef(x: Operand): Tensor {
  const input = toFloat('corrcoef', x)
  return checked(() => {
    const covariance = cov(observed('corrcoef', input))
    if (covariance.rank === 0) return div(covariance, covariance)
    const deviations = sqrt(diagonal(covariance))
    return clamp(div(div(covariance, unsqueeze(deviations, 1)), deviations), -1, 1)
  })
}
