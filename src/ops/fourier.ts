/** Fourier transforms, as products with matrices of cosines and sines: direct, or in four steps where sequences are long. */
import { formatShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { withBackward } from './control.ts'
import { checked, type Operand, requireDType, toTensor } from './define.ts'
import { directTransform, factorsOf, fourStepTransform } from './fourier-forms.ts'

// Products a number that four steps must save to be worth their passes over the data: docs/decisions/012-fourier.md.
const leastSaving = 48

function realTransform(x: Tensor): Tensor {
  const rows = sizeOf(x.shape, -2)
  const [first, second] = factorsOf(rows)
  const saving = rows / 2 - (2 * first + second)
  return saving < leastSaving ? directTransform(x) : fourStepTransform(x, [first, second])
}

/**
 * Real part of the two-dimensional discrete Fourier transform over the last two axes, unscaled:
 * y[k, l] = sum over m, n of x[m, n] cos(2 pi (k m / M + l n / N)). Any shape [..., M, N]; the mixing of FNet
 * (Lee-Thorp et al. 2021, arXiv 2105.03824, equation 3). The map is its own transpose, so it is its own gradient. For M that
 * has factors near its root the work grows like M^1.5, for primes like M^2.
 */
export function fft2Real(x: Operand): Tensor {
  const input = toTensor(x)
  return checked(() => {
    requireDType('fft2Real', 'x', input, ['float32'])
    if (input.rank < 2 || input.size === 0) {
      throw new ShapeError(
        `fft2Real: needs two axes to transform and at least one element, found ${formatShape(input.shape)}`,
      )
    }
    const [y] = withBackward([realTransform(input)], [input], ([g]) => [g && fft2Real(g)])
    return y ?? input
  })
}
