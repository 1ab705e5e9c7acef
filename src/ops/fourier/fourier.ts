/** Fourier transforms, as products with matrices of cosines and sines: direct, or for long sequences in four steps or by a chirp. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { checked, type Operand, requireDType, toTensor } from '../define.ts'
import { blocksOf, chirpTransform } from './chirp.ts'
import { directTransform, factorsOf, fourStepTransform, fourStepWork } from './forms.ts'

/** A way to compute the transform, and its work: products a number, and what its passes over the data cost in such. */
interface Form {
  readonly work: number
  readonly transform: (x: Tensor) => Tensor
}

// The passes of four steps and of the chirp, in products a number; measured: docs/decisions/012-fourier.md.
const fourStepPasses = 80
const chirpPasses = 512

function formsFor(rows: number, columns: number): readonly Form[] {
  const factors = factorsOf(rows)
  const [blocks, length] = blocksOf(rows)
  return [
    { work: rows > columns ? columns + rows / 2 : rows + columns / 2, transform: directTransform },
    { work: fourStepWork(factors) + columns / 2 + fourStepPasses, transform: (x) => fourStepTransform(x, factors) },
    { work: 6 * blocks + 4 * length + columns + chirpPasses, transform: chirpTransform },
  ]
}

function realTransform(x: Tensor): Tensor {
  const forms = formsFor(sizeOf(x.shape, -2), sizeOf(x.shape, -1))
  const { transform } = forms.reduce((best, form) => (form.work < best.work ? form : best))
  return transform(x)
}

/**
 * Real part of the two-dimensional discrete Fourier transform over the last two axes, unscaled:
 * y[k, l] = sum over m, n of x[m, n] cos(2 pi (k m / M + l n / N)). Any shape [..., M, N]; the mixing of FNet
 * (Lee-Thorp et al. 2021, arXiv 2105.03824, equation 3). The map is its own transpose, so it is its own gradient. The
 * work grows like M^1.5 where M has factors near its root, and for every large M; for primes below some 1,900 like M^2.
 */
export function fft2Real(x: Operand): Tensor {
  const input = toTensor('fft2Real', x)
  return checked(() => {
    requireDType('fft2Real', 'x', input, ['float32'])
    if (input.rank < 2 || elementCount(input.shape.slice(-2)) === 0) {
      throw new ShapeError(
        `fft2Real: needs two axes to transform and at least one element on them, found ${formatShape(input.shape)}`,
      )
    }
    if (input.size === 0) return input
    const [y] = withBackward([realTransform(input)], [input], ([g]) => [g && fft2Real(g)])
    return y ?? input
  })
}
