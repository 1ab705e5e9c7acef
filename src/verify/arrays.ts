/** Arrays as reference cases have them. */
import { type DType, fromNumbers, type NDArray } from '../tensor/dtype.ts'

/** Numbers as an array. Defaults: float32, one axis. */
export function arrayOf(
  values: ArrayLike<number>,
  dtype: DType = 'float32',
  shape: readonly number[] = [values.length],
): NDArray {
  return { dtype, shape, data: fromNumbers(dtype, values) }
}

/** A copy: buffers of compiled functions and variables are written again. */
export function copyOf({ dtype, shape, data }: NDArray): NDArray {
  return { dtype, shape, data: data.slice() }
}
