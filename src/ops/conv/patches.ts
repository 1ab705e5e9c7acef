/** Cutting out, adding up and shuffling patches of pictures. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { addAll } from '../elementwise/composite.ts'
import { indexSelect } from '../indexing/indexing.ts'
import { concat, permute, reshape } from '../movement/movement.ts'
import { dilate, padAxis } from '../movement/padding.ts'
import { padded, poolShape } from '../pool/windows.ts'
import { kernelPlaces, kernelWindows, perAxis } from './windows.ts'

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  readonly dilation?: number | readonly number[]
}

const unfoldNames = { stride: true, padding: true, dilation: true } as const

/** The windows of x [N, C, H, W] as columns: [N, C * kernel, positions] (im2col). Defaults: stride 1, padding 0, dilation 1. */
export function unfold(x: Operand, kernelSize: number | readonly number[], options?: UnfoldOptions): Tensor {
  const input = toTensor('unfold', x)
  return checked(() => {
    const shape = poolShape(
      'unfold',
      input.shape,
      kernelSize,
      { stride: 1, ...optionsOf('unfold', options, unfoldNames) },
      2,
    )
    const [n, c] = input.sizes(4)
    const count = elementCount(shape.positions)
    const windows = kernelWindows(padded(input, shape, 0), shape.kernel, shape.positions, shape)
    const columns = concat(
      windows.map((window) => reshape(window, [n, c, 1, count])),
      2,
    )
    return reshape(columns, [n, c * windows.length, count])
  })
}

/** Adds columns [N, C * kernel, positions] up where they came from: [N, C, ...outputSize] (col2im). */
export function fold(
  x: Operand,
  outputSize: number | readonly number[],
  kernelSize: number | readonly number[],
  options?: UnfoldOptions,
): Tensor {
  const input = toTensor('fold', x)
  return checked(() => {
    const sizes = perAxis('fold', 'outputSize', outputSize, 2, 1)
    const area = elementCount(perAxis('fold', 'kernelSize', kernelSize, 2, 1))
    if (input.rank !== 3) {
      throw new ShapeError(`fold: columns must be [N, C * ${area}, positions], found ${formatShape(input.shape)}`)
    }
    const [n, rows, columns] = input.sizes(3)
    const shape = poolShape(
      'fold',
      [n, rows / area, ...sizes],
      kernelSize,
      { stride: 1, ...optionsOf('fold', options, unfoldNames) },
      2,
    )
    if (rows % area !== 0 || columns !== elementCount(shape.positions)) {
      throw new ShapeError(
        `fold: columns must be [N, C * ${area}, ${elementCount(shape.positions)}], found ${formatShape(input.shape)}`,
      )
    }
    const byPlace = reshape(input, [n, rows / area, area, ...shape.positions])
    const parts = kernelPlaces(shape.kernel).map((place, k) => {
      let part = reshape(indexSelect(byPlace, constant(BigInt64Array.of(BigInt(k)), [1], 'int64'), 2), [
        n,
        rows / area,
        ...shape.positions,
      ])
      for (const [i, index] of place.entries()) {
        const spread = dilate(part, i + 2, sizeOf(shape.stride, i))
        const before = index * sizeOf(shape.dilation, i) - sizeOf(shape.padding, i)
        part = padAxis(spread, i + 2, before, sizeOf(sizes, i) - before - sizeOf(spread.shape, i + 2))
      }
      return part
    })
    return addAll(parts)
  })
}

/** [N, C r^2, H, W] -> [N, C, H r, W r] (Shi et al. 2016). */
export function pixelShuffle(x: Operand, factor: number): Tensor {
  const input = toTensor('pixelShuffle', x)
  return checked(() => {
    requireCount('pixelShuffle', 'factor', factor, 1)
    if (input.rank !== 4 || sizeOf(input.shape, 1) % factor ** 2 !== 0)
      throw new ShapeError(
        `pixelShuffle: channels must be a multiple of ${factor ** 2}, found ${formatShape(input.shape)}`,
      )
    const [n, channels, h, w] = input.sizes(4)
    const c = channels / factor ** 2
    const split = permute(reshape(input, [n, c, factor, factor, h, w]), [0, 1, 4, 2, 5, 3])
    return reshape(split, [n, c, h * factor, w * factor])
  })
}

/** [N, C, H r, W r] -> [N, C r^2, H, W]. */
export function pixelUnshuffle(x: Operand, factor: number): Tensor {
  const input = toTensor('pixelUnshuffle', x)
  return checked(() => {
    requireCount('pixelUnshuffle', 'factor', factor, 1)
    if (input.rank !== 4 || input.shape.slice(2).some((size) => size % factor !== 0)) {
      throw new ShapeError(
        `pixelUnshuffle: height and width must be multiples of ${factor}, found ${formatShape(input.shape)}`,
      )
    }
    const [n, c, height, width] = input.sizes(4)
    const [h, w] = [height / factor, width / factor]
    const split = permute(reshape(input, [n, c, h, factor, w, factor]), [0, 1, 3, 5, 2, 4])
    return reshape(split, [n, c * factor ** 2, h, w])
  })
}
