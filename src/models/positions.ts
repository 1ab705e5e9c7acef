/** Encodings of positions: learned vectors, fixed tables of sines and cosines, Fourier features. */
import { Embedding, type init } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'

/** A learned vector for each position: `weight` [numEmbeddings, embeddingDim]. */
export class LearnedPositions extends Embedding {
  /** The vectors of the first `length` positions, [length, embeddingDim]. Throws a ShapeError if there are fewer. */
  first(length: number): Tensor {
    if (length > this.numEmbeddings) {
      throw new ShapeError(`LearnedPositions: at most ${this.numEmbeddings} tokens fit, found ${length}`)
    }
    return ops.slice(this.weight, [0, length], 0)
  }
}

/** The longest wave of a table of sines and cosines has a period of nearly 2 pi times this many positions. */
const longest = 10_000

/** Writes [sin(p w_0), sin(p w_1), ..., cos(p w_0), ...] of position p into `target`, with w_i = 10000^(-2i / size). */
function writeWaves(target: Float32Array, position: number): void {
  const half = target.length / 2
  for (let i = 0; i < half; i++) {
    const angle = position / longest ** (i / half)
    target[i] = Math.sin(angle)
    target[half + i] = Math.cos(angle)
  }
}

/** Rows and width of a table [..., rows, width] whose width must be a multiple of `parts`. */
function tableSizes(name: string, shape: Shape, parts: number): readonly [rows: number, width: number] {
  if (shape.length < 2 || sizeOf(shape, -1) % parts !== 0) {
    throw new ShapeError(
      `${name}: the table must be [rows, width] with a width that is a multiple of ${parts}, found ${formatShape(shape)}`,
    )
  }
  return [elementCount(shape.slice(0, -1)), sizeOf(shape, -1)]
}

/**
 * First values of a fixed table [..., length, width]: sines of the position in the first half of the width, cosines in the second
 * (Vaswani et al. 2017, section 3.5; the halves as in its code).
 */
export const sinCos1d: init.Initializer = (shape) => {
  const [rows, width] = tableSizes('sinCos1d', shape, 2)
  const table = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) writeWaves(table.subarray(row * width, (row + 1) * width), row)
  return table
}

/**
 * First values of a fixed table [..., tokens, width] for a grid of h x w patches, row by row: the column in the first half of the
 * width, the row in the second, each as in `sinCos1d` (He et al. 2021, MAE). Extra tokens in front, such as a class token, get zeros.
 */
export function sinCos2d([h, w]: readonly [h: number, w: number]): init.Initializer {
  return (shape) => {
    const [rows, width] = tableSizes('sinCos2d', shape, 4)
    const extra = rows - h * w
    if (extra < 0)
      throw new ShapeError(`sinCos2d: a grid of ${h}x${w} needs ${h * w} rows, found ${formatShape(shape)}`)
    const table = new Float32Array(rows * width)
    for (let token = 0; token < h * w; token++) {
      const start = (extra + token) * width
      writeWaves(table.subarray(start, start + width / 2), token % w)
      writeWaves(table.subarray(start + width / 2, start + width), Math.floor(token / w))
    }
    return table
  }
}

/**
 * Coordinates of the points of a grid, the first axis changing slowest: [product of sizes, axes]. Each axis goes from -1 to 1
 * inclusive; of size 1 it is -1.
 */
export function gridPositions(sizes: readonly number[]): Tensor {
  const axes = ops.meshgrid(sizes.map((size) => ops.linspace(-1, 1, size)))
  return ops.stack(
    axes.map((axis) => ops.flatten(axis)),
    -1,
  )
}

/** Options of `fourierFeatures`. */
export interface FourierFeatureOptions {
  /** K: the number of frequencies for each axis. */
  readonly bands: number
  /** mu: the highest frequency is mu / 2, the Nyquist frequency of a grid of mu points. One number for all axes, or one for each. */
  readonly maxResolution: number | readonly number[]
  /**
   * `axes`: sines, cosines and position of an axis, then of the next (perceiver-pytorch); `functions`: all positions, all sines, all
   * cosines (DeepMind's code, transformers). Default: functions.
   */
  readonly order?: 'axes' | 'functions'
  /** Whether the features include the positions themselves. Default: true. */
  readonly concatPos?: boolean
  /** Whether the cosines are left out. Default: false. */
  readonly sineOnly?: boolean
}

/**
 * Fourier features of positions in [-1, 1] (Perceiver, arXiv 2103.03206, section 3.2): the position, sin(pi f x) and cos(pi f x) for K
 * frequencies f evenly spaced from 1 to mu / 2. positions [..., d] -> [..., d (2 K + 1)], less what the options leave out.
 */
export function fourierFeatures(positions: Tensor, options: FourierFeatureOptions): Tensor {
  const { bands, maxResolution, order = 'functions', concatPos = true, sineOnly = false } = options
  const axes = sizeOf(positions.shape, -1)
  const resolutions = typeof maxResolution === 'number' ? new Array<number>(axes).fill(maxResolution) : maxResolution
  if (resolutions.length !== axes) {
    throw new ShapeError(
      `fourierFeatures: there must be one maxResolution, or one for each of ${axes} axes, found [${resolutions}]`,
    )
  }
  const frequencies = ops.stack(resolutions.map((resolution) => ops.linspace(1, resolution / 2, bands))) // [d, K]
  const x = ops.unsqueeze(positions, -1) // [..., d, 1]
  // In this order, as the official code rounds it: angles reach hundreds of turns.
  const angles = ops.mul(ops.mul(x, frequencies), Math.PI) // [..., d, K]
  const waves = sineOnly ? [ops.sin(angles)] : [ops.sin(angles), ops.cos(angles)]
  if (order === 'axes') return ops.flatten(ops.concat([...waves, ...(concatPos ? [x] : [])], -1), -2)
  return ops.concat([...(concatPos ? [positions] : []), ...waves.map((wave) => ops.flatten(wave, -2))], -1)
}
