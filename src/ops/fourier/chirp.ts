/** The real part of a two-dimensional Fourier transform for lengths without useful factors: Bluestein's chirp. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { reshape } from '../movement/movement.ts'
import { pad } from '../movement/padding.ts'
import { moveAxis } from '../movement/rearrange.ts'
import { matmul } from '../products/matmul.ts'
import { completeColumns, halfOf, table, transformColumns, wave } from './forms.ts'

/** A complex number re - i im; the sign is that of exp(-i t) = cos t - i sin t. */
interface Complex {
  readonly re: number
  readonly im: number
}

/** exp(-i pi position^2 / size), the square reduced first. */
function chirp(position: number, size: number): Complex {
  const square = position ** 2 % (2 * size)
  return { re: wave('cos', square, 2 * size), im: wave('sin', square, 2 * size) }
}

/** exp(-2 pi i product / size). */
function turn(product: number, size: number): Complex {
  return { re: wave('cos', product, size), im: wave('sin', product, size) }
}

function times(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.im * b.re + a.re * b.im }
}

/** Tables of complex factors for numbers a - i b whose parts a, b are the slower index of a column: the place of one element. */
function partOf({ re, im }: Complex, from: number, to: number): number {
  if (from === to) return re
  return to === 0 ? -im : im
}

/** Blocks R and rows in a block S with R S >= size and the least work, about 6 R + 4 S products a number. */
export function blocksOf(size: number): readonly [blocks: number, rows: number] {
  const rows = Math.ceil(size / Math.max(1, Math.round(Math.sqrt((2 * size) / 3))))
  return [Math.ceil(size / rows), rows]
}

/** Transforms of length P = 2 R - 1 over the blocks, after the product with the chirp: S matrices, rows (frequency, part), columns (part, block). */
function forwardTable(size: number, [blocks, rows]: readonly [number, number]): Tensor {
  const period = 2 * blocks - 1
  return table(`chirp forward ${size}`, [rows, 2 * period, 2 * blocks], (place, row, column) => {
    const [frequency, to, from, block] = [row >> 1, row % 2, Math.floor(column / blocks), column % blocks]
    return partOf(times(chirp(place + rows * block, size), turn(frequency * block, period)), from, to)
  })
}

/**
 * The convolution with the conjugate chirp within the blocks, P matrices, rows (place, part), columns (part, place): for each
 * distance of two places its transform over the blocks.
 */
function convolutionTable(size: number, [blocks, rows]: readonly [number, number]): Tensor {
  const period = 2 * blocks - 1
  const kernels = Array.from({ length: period }, (_, frequency) =>
    Array.from({ length: 2 * rows - 1 }, (_, i) => {
      const sum = { re: 0, im: 0 }
      for (let block = 1 - blocks; block < blocks; block++) {
        const { re, im } = chirp(i + 1 - rows + rows * block, size)
        const term = times({ re, im: -im }, turn(frequency * (block + period), period))
        sum.re += term.re / period
        sum.im += term.im / period
      }
      return sum
    }),
  )
  return table(`chirp convolution ${size}`, [period, 2 * rows, 2 * rows], (frequency, row, column) => {
    const [place, to, from, other] = [row >> 1, row % 2, Math.floor(column / rows), column % rows]
    return partOf(kernels[frequency]?.[place - other + rows - 1] ?? { re: 0, im: 0 }, from, to)
  })
}

/** The transform back over the blocks and the product with the chirp, real part only: S matrices, rows block, columns (part, frequency). */
function backTable(size: number, [blocks, rows]: readonly [number, number]): Tensor {
  const period = 2 * blocks - 1
  return table(`chirp back ${size}`, [rows, blocks, 2 * period], (place, block, column) => {
    const [from, frequency] = [Math.floor(column / period), column % period]
    const back = turn(frequency * block, period)
    return partOf(times(chirp(place + rows * block, size), { re: back.re, im: -back.im }), from, 0)
  })
}

/**
 * For any number of rows M, primes too (Bluestein 1970): since 2 k m = k^2 + m^2 - (k - m)^2, the transform is a product with the
 * chirp exp(-i pi m^2 / M), a convolution with its conjugate, and a product with the chirp again. The rows lie in R blocks of S. The
 * convolution is a transform over the blocks, of length 2 R - 1 so that nothing wraps around, one matrix in the blocks for each of
 * its frequencies, and the transform back. About M (6 R + 4 S) products a column: with R near S the work grows like M^1.5.
 */
export function chirpTransform(x: Tensor): Tensor {
  const [size, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const [blocks, rows] = blocksOf(size)
  const [width, period] = [halfOf(columns), 2 * blocks - 1]
  const batch = x.shape.slice(0, -2)
  const filled = pad(x, [0, 0, 0, blocks * rows - size])
  const inner = transformColumns(filled) // [..., 2, R S, H]
  const byPlace = moveAxis(reshape(inner, [...batch, 2, blocks, rows, width]), -2, -4) // [..., S, 2, R, H]
  const spectra = matmul(forwardTable(size, [blocks, rows]), reshape(byPlace, [...batch, rows, 2 * blocks, width])) // [..., S, 2 P, H]
  const byFrequency = moveAxis(reshape(spectra, [...batch, rows, period, 2, width]), -4, -2) // [..., P, 2, S, H]
  const convolved = matmul(
    convolutionTable(size, [blocks, rows]),
    reshape(byFrequency, [...batch, period, 2 * rows, width]),
  ) // [..., P, 2 S, H]
  const back = moveAxis(reshape(convolved, [...batch, period, rows, 2, width]), -4, -2) // [..., S, 2, P, H]
  const parts = matmul(backTable(size, [blocks, rows]), reshape(back, [...batch, rows, 2 * period, width])) // [..., S, R, H]
  // Row `place + S block` is the result (place, block).
  const order = Array.from({ length: size }, (_, k) => (k % rows) * blocks + Math.floor(k / rows))
  return completeColumns(reshape(parts, [...batch, rows * blocks, width]), columns, order)
}
