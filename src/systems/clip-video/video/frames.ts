/** Pictures as the frames of a film. */

/**
 * Which of `count` pictures, each shown seconds / count long, each frame shows (-1: none, black), as moviepy 1.0.3 decides in double
 * precision: sums of durations and multiples of 1 / fps differ by their rounding, so a picture may come one frame late.
 */
export function officialFrames(count: number, seconds: number, fps: number): number[] {
  const duration = seconds / count
  const starts = [0]
  for (let i = 0; i < count; i++) starts.push((starts[i] ?? 0) + duration)
  const [step, end] = [1 / fps, starts[count] ?? 0]
  return Array.from({ length: Math.ceil(end / step) }, (_, k) => {
    const time = k * step
    for (let i = count - 1; i >= 0; i--) {
      const start = starts[i] ?? 0
      if (start <= time && time < start + duration) return i
    }
    return -1
  })
}

/**
 * Colours [3, h, w] as bytes [h, w, 3] by imageio 2.9's rule for floats: within 0 to 1 times 255, else the picture's own least and greatest
 * value become 0 and 255 (so that the contrast of a film flickers).
 */
export function stretchedBytes(image: ArrayLike<number>, height: number, width: number): Uint8Array {
  const area = height * width
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < 3 * area; i++) {
    const value = image[i] ?? 0
    least = Math.min(least, value)
    greatest = Math.max(greatest, value)
  }
  const isWithin = least >= 0 && greatest <= 1
  const range = Math.fround(greatest - least) // in single precision, all else in double
  return Uint8Array.from({ length: 3 * area }, (_, i) => {
    const value = image[(i % 3) * area + Math.floor(i / 3)] ?? 0
    if (!isWithin && range === 0) return Math.trunc(value) // one colour is taken as bytes
    return Math.trunc((isWithin ? value : (value - least) / range) * 255 + 0.499999999)
  })
}
