/** Random changes before pictures are judged (Zhao et al. 2020, arXiv 2006.10738): with few pictures a discriminator learns them by heart. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** How much is changed. */
export interface JudgedViewOptions {
  /** Pixels that a picture is moved by, at most, as a share of the side. Default: 1/8. */
  readonly shift?: number
  /** Change of brightness, at most, colours being -1 to 1. Default: 0.3. */
  readonly brightness?: number
}

/** For each picture the matrix that moves its lines: [N, side, side], pixel i shows pixel i + shift, none beyond the edge. */
function moves(count: number, side: number, limit: number): Tensor {
  const shift = ops.randomIntegers([count, 1, 1], -limit, limit + 1)
  const [i, j] = [ops.reshape(ops.arange(side), [1, side, 1]), ops.reshape(ops.arange(side), [1, 1, side])]
  return ops.cast(ops.equal(ops.sub(ops.sub(j, i), ops.cast(shift, j.dtype)), 0), 'float32')
}

/** Pictures [N, 3, S, S], -1 to 1, moved (white comes in from beyond the edge), mirrored, brighter or darker, each in its own way. */
export function judgedViews(images: Tensor, { shift = 1 / 8, brightness = 0.3 }: JudgedViewOptions = {}): Tensor {
  const [count, channels, side] = images.sizes(4)
  const limit = Math.round(shift * side)
  const [rows, columns] = [moves(count, side, limit), moves(count, side, limit)]
  const each = (matrix: Tensor): Tensor =>
    ops.broadcastTo(ops.reshape(matrix, [count, 1, side, side]), [count, channels, side, side])
  const dark = ops.sub(images, 1) // white is 0: what no pixel is moved to stays white
  const moved = ops.matmul(ops.matmul(each(rows), dark), ops.transpose(each(columns)))
  const light = ops.randomUniform([count, 1, 1, 1], { low: -brightness, high: brightness })
  const mirrored = ops.where(ops.randomBernoulli([count, 1, 1, 1], 0.5), ops.flip(moved, 3), moved)
  return ops.add(ops.add(mirrored, 1), light)
}
