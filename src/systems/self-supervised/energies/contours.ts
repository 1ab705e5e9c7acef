/** Energies of the plane as a picture: bands of colour with lines between, and points over them. Data in, pixels out. */
import type { Picture } from '../../../report/figures.ts'

type Colour = readonly [number, number, number]

/** From the least energy to the greatest. */
const [low, middle, high]: readonly [Colour, Colour, Colour] = [
  [32, 55, 120],
  [120, 170, 205],
  [247, 247, 240],
]
const line: Colour = [90, 90, 90]
const pointColour: Colour = [226, 106, 30]

const mixed = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
]

/** The colour of a place on the scale from 0 to 1. */
const colourOf = (share: number): Colour =>
  share < 0.5 ? mixed(low, middle, 2 * share) : mixed(middle, high, 2 * share - 1)

/** A value between those of a grid, side x side, at the places of `size` pixels: bilinear. */
function enlarged(values: ArrayLike<number>, side: number, size: number): Float64Array {
  const at = (row: number, column: number): number => values[row * side + column] ?? 0
  const place = (pixel: number): readonly [number, number] => {
    const exact = Math.min(side - 1, Math.max(0, ((pixel + 0.5) * side) / size - 0.5))
    const first = Math.min(side - 2, Math.floor(exact))
    return [first, exact - first]
  }
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [row, down] = place(Math.floor(i / size))
    const [column, right] = place(i % size)
    const top = at(row, column) * (1 - right) + at(row, column + 1) * right
    const bottom = at(row + 1, column) * (1 - right) + at(row + 1, column + 1) * right
    return top * (1 - down) + bottom * down
  })
}

/** How a contour plot is drawn. */
export interface ContourOptions {
  /** Side of the picture, in pixels. Default: 168. */
  readonly size?: number
  /** Bands between the least energy and the greatest. Default: 10. */
  readonly bands?: number
  /** Points over it, x and y from -1 to 1: [n, 2]. */
  readonly points?: ArrayLike<number>
  /** A range of energies below which the plane counts as flat and gets one colour. Default: 1e-6. */
  readonly flat?: number
  readonly caption?: string
}

/**
 * Energies of `gridPoints(side)`, at least 2 x 2 of them, as contours. Bands are narrower where the energy is low: by its square root.
 * What is above the 95th hundredth has the last colour.
 */
export function contourPicture(values: ArrayLike<number>, side: number, options: ContourOptions = {}): Picture {
  const { size = 168, bands = 10, points = [], flat = 1e-6, caption } = options
  const energies = enlarged(values, side, size)
  const sorted = Float64Array.from(energies).sort()
  const [least, most] = [sorted[0] ?? 0, sorted[Math.floor(0.95 * sorted.length)] ?? 0]
  const range = most - least
  const bandOf = (i: number): number =>
    range <= flat
      ? 0
      : Math.min(bands - 1, Math.max(0, Math.floor(bands * Math.sqrt(Math.max(0, (energies[i] ?? 0) - least) / range))))
  const pixels = new Uint8Array(3 * size * size)
  const paint = (i: number, colour: Colour): void => pixels.set(colour.map(Math.round), 3 * i)
  for (let i = 0; i < size * size; i++) {
    const band = bandOf(i)
    const isEdge =
      ((i + 1) % size !== 0 && bandOf(i + 1) !== band) || (i + size < size * size && bandOf(i + size) !== band)
    paint(i, isEdge ? line : colourOf(bands > 1 ? band / (bands - 1) : 0))
  }
  for (let p = 0; p + 1 < points.length; p += 2) {
    const column = Math.floor((((points[p] ?? 0) + 1) / 2) * size)
    const row = Math.floor(((1 - (points[p + 1] ?? 0)) / 2) * size)
    if (column >= 0 && column < size && row >= 0 && row < size) paint(row * size + column, pointColour)
  }
  return { pixels, width: size, height: size, channels: 3, ...(caption !== undefined && { caption }) }
}
