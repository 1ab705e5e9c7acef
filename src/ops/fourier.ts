/** Fourier transforms, as products with matrices of cosines and sines. */
import { formatShape, sizeOf } from '../tensor/shape.ts'
import { constant, type Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { add, sub } from './binary.ts'
import { withBackward } from './control.ts'
import { checked, inputAt, type Operand, requireDType, toTensor } from './define.ts'
import { matmul } from './matmul.ts'
import { concat, flip, slice } from './movement.ts'

type Wave = 'cos' | 'sin'

// Equal matrices are one tensor, so that a model with many transforms stores each once.
const matrices = new Map<string, Tensor>()

/** The first rows of the matrix wave(2 pi j k / size), [rows, size]. */
function waveMatrix(wave: Wave, rows: number, size: number): Tensor {
  const key = `${wave} ${rows} ${size}`
  const known = matrices.get(key)
  if (known) return known
  const data = new Float32Array(rows * size)
  for (let j = 0; j < rows; j++) {
    // j k is reduced before it becomes an angle: large angles would lose digits.
    for (let k = 0; k < size; k++) data[j * size + k] = Math[wave](((j * k) % size) * ((2 * Math.PI) / size))
  }
  const matrix = constant(data, [rows, size], 'float32')
  matrices.set(key, matrix)
  return matrix
}

/** Real part of F_M X F_N = C_M X C_N - S_M X S_N, with C and S symmetric; x [..., M, N]. */
function realTransform(x: Tensor): Tensor {
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  // Row M - k of C_M is row k, of S_M minus row k: half of the rows make the whole result.
  const half = Math.floor(rows / 2) + 1
  const even = matmul(matmul(waveMatrix('cos', half, rows), x), waveMatrix('cos', columns, columns)) // [..., half, N]
  const odd = matmul(matmul(waveMatrix('sin', half, rows), x), waveMatrix('sin', columns, columns))
  const upper = sub(even, odd)
  if (rows < 3) return upper
  const mirrored = [even, odd].map((part) => slice(part, [1, rows - half + 1], -2))
  const lower = flip(add(inputAt('fft2Real', mirrored, 0), inputAt('fft2Real', mirrored, 1)), -2)
  return concat([upper, lower], -2)
}

/**
 * Real part of the two-dimensional discrete Fourier transform over the last two axes, unscaled:
 * y[k, l] = sum over m, n of x[m, n] cos(2 pi (k m / M + l n / N)). Any shape [..., M, N]; the mixing of FNet
 * (Lee-Thorp et al. 2021, arXiv 2105.03824, equation 3). The map is its own transpose, so it is its own gradient.
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
