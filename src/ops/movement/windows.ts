/** Windows of one axis. */
import { formatShape, normalizeAxis, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { arange } from '../creation.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { indexSelect } from '../indexing/indexing.ts'
import { concat, reshape, slice, unsqueeze } from './movement.ts'
import { padAxis } from './padding.ts'
import { moveAxis } from './rearrange.ts'

/** More blocks than this in a window are read one by one. */
const mostPieces = 64

/** Windows [..., count, size] of the last axis, made of the blocks of `step` elements that they share: long copies, few ops. */
function windowsOfBlocks(x: Tensor, count: number, size: number, step: number): Tensor {
  const pieces = Math.ceil(size / step)
  const blocks = count - 1 + pieces
  const length = sizeOf(x.shape, -1)
  const axis = x.rank - 1
  const whole =
    length < blocks * step ? padAxis(x, axis, 0, blocks * step - length) : slice(x, [0, blocks * step], axis)
  const split = reshape(whole, [...x.shape.slice(0, -1), blocks, step])
  const shifted = Array.from({ length: pieces }, (_, i) => slice(split, [i, i + count], axis))
  return slice(concat(shifted, axis + 1), [0, size], axis + 1)
}

/** The same by one index for each element. */
function windowsByIndex(x: Tensor, count: number, size: number, step: number): Tensor {
  const starts = mul(arange(count), step)
  return indexSelect(x, add(unsqueeze(starts, 1), arange(size)), -1)
}

/**
 * All windows of `size` elements of one axis, `step` apart: Tensor.unfold of PyTorch (`unfold` here is its function for pictures).
 * The axis counts the windows, floor((length - size) / step) + 1, and a new last one their elements.
 */
export function unfoldAxis(x: Operand, axis: number, size: number, step: number): Tensor {
  const input = toTensor('unfoldAxis', x)
  return checked(() => {
    const at = normalizeAxis('unfoldAxis', axis, input.rank)
    requireCount('unfoldAxis', 'size', size, 1)
    requireCount('unfoldAxis', 'step', step, 1)
    // A scalar has one window, itself.
    const length = input.rank === 0 ? 1 : sizeOf(input.shape, at)
    if (size > length) {
      throw new ShapeError(
        `unfoldAxis: size must be at most the ${length} elements of axis ${at} of ${formatShape(input.shape)}, found ${size}`,
      )
    }
    if (input.rank === 0) return reshape(input, [1])
    const count = Math.floor((length - size) / step) + 1
    const last = moveAxis(input, at, -1)
    const windows = (Math.ceil(size / step) > mostPieces ? windowsByIndex : windowsOfBlocks)(last, count, size, step)
    return moveAxis(windows, -2, at)
  })
}
