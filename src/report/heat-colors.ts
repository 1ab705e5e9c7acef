/** The colours of matrices: of signed numbers, and of three channels. */
const negative = [33, 102, 188] as const
const positive = [206, 52, 40] as const
const notFinite = [128, 128, 128] as const

/** The largest absolute value that is finite, 0 if there is none. */
export function largestSize(values: ArrayLike<number>): number {
  let largest = 0
  for (const value of Array.from(values)) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value))
  return largest
}

/** RGBA pixels on a scale from -end to end: the colour is the sign, the opacity the size, so that 0 is the paper, light or dark. */
export function divergingPixels(values: readonly number[], end: number): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => {
      if (!Number.isFinite(value)) return [...notFinite, 255]
      return [...(value < 0 ? negative : positive), end > 0 ? Math.round((255 * Math.abs(value)) / end) : 0]
    }),
  )
}

/** `[3, height, width]` floats, the least to the greatest, as RGBA pixels. */
export function colorPixels(values: readonly number[]): Uint8Array {
  const finite = values.filter(Number.isFinite)
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const span = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY) - low
  const byte = (value: number): number => (span > 0 ? Math.round((255 * (value - low)) / span) : 128)
  const area = values.length / 3
  return Uint8Array.from(
    Array.from({ length: area }, (_, i) => {
      const color = [0, 1, 2].map((channel) => values[channel * area + i] ?? 0)
      return color.every(Number.isFinite) ? [...color.map(byte), 255] : [...notFinite, 255]
    }).flat(),
  )
}
