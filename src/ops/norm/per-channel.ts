/** Vectors with one number for each channel, axis 1 of x [N, C, ...]. */
import { formatShape } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { type Operand, toTensor } from '../define.ts'
import { reshape } from '../movement/movement.ts'

/** [1, C, 1, ...] for [N, C, ...]. */
export function channelShape({ shape }: TensorType): number[] {
  return shape.map((size, axis) => (axis === 1 ? size : 1))
}

/** A vector of one number per channel, shaped to broadcast over [N, C, ...]. */
export function perChannel(op: string, argument: string, vector: Operand, x: Tensor): Tensor {
  const tensor = toTensor(op, vector)
  if (tensor.size !== x.shape[1]) {
    throw new ShapeError(
      `${op}: ${argument} must have one element per channel (axis 1) of ${formatShape(x.shape)}, found ${formatShape(tensor.shape)}`,
    )
  }
  return reshape(tensor, channelShape(x))
}
