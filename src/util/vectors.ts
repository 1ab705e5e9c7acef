/** Lists of numbers as vectors, in float64; sums go in the order of the elements. */

/** Inner product of vectors of one length. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** The mean of numbers; NaN of none. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0
  return sum / values.length
}

/** The mean of numbers; 0 of none. */
export function meanOrZero(values: ArrayLike<number>): number {
  return values.length === 0 ? 0 : meanOf(values)
}

/** The rows, `width` long each, of a matrix whose elements stand one row after the other. */
export function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** The bytes of an array, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  // Also of memory that threads share: it is only read and copied, which the narrower type does not hinder.
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
}
