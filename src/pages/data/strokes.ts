/** A drawn digit: ink on 28 x 28 pixels, with a soft pen, and centred as MNIST's digits are. */
import { side } from './read-digits.ts'

export const blank = (): Uint8Array => new Uint8Array(side * side)

/** Half of the pen's width, in pixels; beyond it the ink fades within a pixel. */
const radius = 0.9

/** Inks the line between two points, in pixels. */
export function ink(pixels: Uint8Array, from: readonly [number, number], to: readonly [number, number]): void {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
  const length = dx * dx + dy * dy
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [px, py] = [x + 0.5 - from[0], y + 0.5 - from[1]]
      const along = length > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0
      const distance = Math.hypot(px - along * dx, py - along * dy)
      const value = 255 * Math.min(1, Math.max(0, 1 + radius - distance))
      pixels[y * side + x] = Math.max(pixels[y * side + x] ?? 0, Math.round(value))
    }
  }
}

/** Moved by whole pixels so that the centre of the ink is in the middle; what leaves the picture is lost. */
export function centred(pixels: Uint8Array): Uint8Array {
  let [sum, sumX, sumY] = [0, 0, 0]
  pixels.forEach((value, i) => {
    sum += value
    sumX += value * (i % side)
    sumY += value * Math.floor(i / side)
  })
  if (sum === 0) return pixels
  const middle = (side - 1) / 2
  const [dx, dy] = [Math.round(middle - sumX / sum), Math.round(middle - sumY / sum)]
  const moved = blank()
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [fromX, fromY] = [x - dx, y - dy]
      if (fromX < 0 || fromY < 0 || fromX >= side || fromY >= side) continue
      moved[y * side + x] = pixels[fromY * side + fromX] ?? 0
    }
  }
  return moved
}

/** What the page begins with: a four. */
export function exampleDigit(): Uint8Array {
  const pixels = blank()
  const line = (points: readonly (readonly [number, number])[]): void => {
    for (const [i, point] of points.entries()) {
      const next = points[i + 1]
      if (next) ink(pixels, point, next)
    }
  }
  line([
    [11, 5],
    [8, 15],
    [20, 15],
  ])
  line([
    [18, 6],
    [17, 23],
  ])
  return pixels
}
