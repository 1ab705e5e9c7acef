/** What one gives a BigGAN, and what comes out: truncated noise, class vectors, bytes. */
import { UsageError } from '../../../util/errors.ts'
import { inverseNormal, massWithinTwo } from '../../../util/normal.ts'

/** Uniform numbers from 0 to 1 as normal ones between -2 and 2, times the truncation (the inverse of the distribution function). */
export function truncatedNoise(uniform: ArrayLike<number>, truncation: number): Float32Array {
  return Float32Array.from(uniform, (u) => truncation * inverseNormal((u - 0.5) * massWithinTwo))
}

/** A row of `classes` numbers for each picture, 1 at its class: [batch, classes]. One class alone holds for all. */
export function oneHotRows(labels: number | readonly number[], batch: number, classes = 1000): Float32Array {
  const list = typeof labels === 'number' ? Array.from({ length: batch }, () => labels) : labels
  const each = list.length === 1 ? Array.from({ length: batch }, () => list[0] ?? 0) : list
  if (each.length !== batch)
    throw new UsageError(
      `BigGAN: there must be one class, or one for each of the ${batch} pictures, found ${each.length}`,
    )
  const rows = new Float32Array(batch * classes)
  for (const [i, label] of each.entries()) {
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new UsageError(`BigGAN: classes must be whole numbers from 0 to ${classes - 1}, found ${label}`)
    rows[i * classes + label] = 1
  }
  return rows
}

/** Colours -1 to 1 [3, h, w] as bytes [h, w, 3]: (x + 1) / 2 * 256, cut at 0 and 255, the fraction dropped. */
export function colourBytes(image: ArrayLike<number>, height: number, width: number): Uint8Array {
  const area = height * width
  return Uint8Array.from({ length: 3 * area }, (_, i) => {
    const value = image[(i % 3) * area + Math.floor(i / 3)] ?? 0
    const scaled = Math.fround(Math.fround(Math.fround(value + 1) / 2) * 256)
    return Math.trunc(Math.min(255, Math.max(0, scaled)))
  })
}
