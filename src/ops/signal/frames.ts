/** Overlapping frames of a signal, and their sum. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { addAll } from '../elementwise/composite.ts'
import { concat, reshape, slice, transpose } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'

/** How many frames of that size lie in a signal of that length. */
export function frameCount(length: number, size: number, hop: number): number {
  return length < size ? 0 : Math.floor((length - size) / hop) + 1
}

/**
 * Frames of x [batch, length] as columns, [batch, size, frames]: element (n, f) is x[n + hop f]. The signal in pieces of one hop,
 * as columns: shifted by one, two, ... pieces they are the next rows of all frames.
 */
export function framesOf(x: Tensor, size: number, hop: number): Tensor {
  const [batch, length] = x.sizes(2)
  const count = frameCount(length, size, hop)
  const shifts = Math.ceil(size / hop)
  const pieces = count + shifts - 1
  const whole = padAxis(x, 1, 0, pieces * hop - length)
  const columns = transpose(reshape(whole, [batch, pieces, hop]))
  const rows = concat(
    Array.from({ length: shifts }, (_, shift) => slice(columns, [shift, shift + count], 2)),
    1,
  )
  return slice(rows, [0, size], 1)
}

/** The transpose of `framesOf`: all frames added up where they were, [batch, size + hop (frames - 1)]. */
export function overlapAdd(frames: Tensor, hop: number): Tensor {
  const [batch, size, count] = frames.sizes(3)
  const shifts = Math.ceil(size / hop)
  const rows = padAxis(frames, 1, 0, shifts * hop - size)
  const columns = addAll(
    Array.from({ length: shifts }, (_, shift) => {
      return padAxis(slice(rows, [shift * hop, (shift + 1) * hop], 1), 2, shift, shifts - 1 - shift)
    }),
  )
  const whole = reshape(transpose(columns), [batch, sizeOf(columns.shape, 2) * hop])
  return slice(whole, [0, size + hop * (count - 1)], 1)
}
