/** Finding the name of a picture among many: by the largest cosine. */
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { dot } from '../../../util/vectors.ts'

/** Rows of length 1. */
export function unitRows({ shape, data }: NDArray): Float64Array[] {
  const [count, width] = sizes(shape, 2)
  const values = toNumbers(data)
  return Array.from({ length: count }, (_, row) => {
    const vector = Float64Array.from(values.slice(row * width, (row + 1) * width))
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  })
}

/** The mean of unit vectors, brought to length 1 again: how the paper makes one vector of several prompts. */
export function meanDirection(vectors: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) for (const [i, value] of vector.entries()) sum[i] = (sum[i] ?? 0) + value
  const length = Math.hypot(...sum)
  return sum.map((value) => value / length)
}

/** For each picture the place of its name among all names, 0 the best; names that fit equally well count before it. */
export function ranksOf(
  pictures: readonly Float64Array[],
  names: readonly Float64Array[],
  labels: ArrayLike<number>,
): number[] {
  return pictures.map((picture, i) => {
    const label = labels[i] ?? 0
    const own = dot(picture, names[label] ?? picture)
    return names.reduce((rank, name, other) => rank + (other !== label && dot(picture, name) >= own ? 1 : 0), 0)
  })
}

/** Share of ranks below k. */
export function within(ranks: readonly number[], k: number): number {
  return ranks.filter((rank) => rank < k).length / Math.max(1, ranks.length)
}
