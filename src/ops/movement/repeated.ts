/** Elements that stand several times in a row. */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { customGradient } from '../control.ts'
import { sum } from '../reduction/reduce.ts'
import { concat, reshape } from './movement.ts'

/**
 * Every element of the axes after batch and channel `factors[i]` times in a row: as Concat, which takes a fifth of
 * Gather's time. The gradient is one sum over all axes (one for each would take four times as long).
 */
export function repeatElements(x: Tensor, factors: readonly number[]): Tensor {
  const forward = (given: Tensor): Tensor =>
    factors.reduce((result, factor, i) => {
      const [before, after] = [result.shape.slice(0, i + 3), result.shape.slice(i + 3)]
      const single = reshape(result, [...before, 1, ...after])
      const repeated = concat(new Array<Tensor>(factor).fill(single), i + 3)
      return reshape(repeated, [...before.slice(0, -1), sizeOf(before, -1) * factor, ...after])
    }, given)
  const split = [...x.shape.slice(0, 2), ...factors.flatMap((factor, i) => [sizeOf(x.shape, i + 2), factor])]
  const axes = factors.map((_, i) => 2 * i + 3)
  return customGradient(forward, (g) => [sum(reshape(g, split), axes)])(x)
}
