/** Batches of random numbers, the same in every run. */
import { elementCount, type NDArray } from '../../src/tensor/dtype.ts'
import { RandomStream } from '../../src/util/random.ts'

/** Uniform in [-1, 1). */
export function randomFloats(shape: readonly number[], seed: number): NDArray {
  const data = new RandomStream(seed).uniform(0, 0, elementCount(shape)).map((value) => 2 * value - 1)
  return { dtype: 'float32', shape, data }
}

/** Whole numbers in [0, below). */
export function randomIndices(shape: readonly number[], below: number, seed: number): NDArray {
  const uniform = new RandomStream(seed).uniform(0, 0, elementCount(shape))
  return { dtype: 'int64', shape, data: BigInt64Array.from(uniform, (value) => BigInt(Math.floor(value * below))) }
}
