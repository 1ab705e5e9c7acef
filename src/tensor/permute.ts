import { allocate, elementCount, type NDArray, setElement } from './dtype.ts'
import { sizeOf, stridesOf } from './shape.ts'

/** A copy of an array with its axes reordered: axis i of the result is axis `axes[i]` of the array. */
export function permuteArray(array: NDArray, axes: readonly number[]): NDArray {
  const shape = axes.map((axis) => sizeOf(array.shape, axis))
  const strides = axes.map((axis) => sizeOf(stridesOf(array.shape), axis))
  const data = allocate(array.dtype, elementCount(shape))
  const index = new Array<number>(shape.length).fill(0)
  let from = 0
  for (let to = 0; to < data.length; to++) {
    setElement(data, to, array.data[from] ?? 0)
    // Counts the index up like an odometer, moving `from` along.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      from += sizeOf(strides, axis)
      if (next < sizeOf(shape, axis)) {
        index[axis] = next
        break
      }
      from -= next * sizeOf(strides, axis)
      index[axis] = 0
    }
  }
  return { dtype: array.dtype, shape, data }
}
