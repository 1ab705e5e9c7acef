/** The order in which the paper shows weights (Figures 5 and 6): low frequencies first, opposites side by side. */
import { dot } from '../../util/vectors.ts'

interface Grid {
  readonly height: number
  readonly width: number
}

/** cosines[u][i] = cos(pi (i + 1/2) u / size), scaled so that the transform keeps energies. */
function cosines(size: number): number[][] {
  return Array.from({ length: size }, (_, u) =>
    Array.from(
      { length: size },
      (_, i) => Math.sqrt((u === 0 ? 1 : 2) / size) * Math.cos((Math.PI * (i + 0.5) * u) / size),
    ),
  )
}

/** A function that gives the mean frequency of values on the grid; of several grids, one after the other, that of all. */
function frequencyOn({ height, width }: Grid): (values: readonly number[]) => number {
  const [vertical, horizontal] = [cosines(height), cosines(width)]
  return (values) => {
    let [energy, weighted] = [0, 0]
    for (let start = 0; start < values.length; start += height * width) {
      // First along the rows, then along the columns: the two-dimensional cosine transform.
      const rows = Array.from({ length: height }, (_, y) =>
        values.slice(start + y * width, start + (y + 1) * width),
      ).map((row) => horizontal.map((wave) => dot(wave, row)))
      for (let v = 0; v < width; v++) {
        const column = rows.map((row) => row[v] ?? 0)
        for (const [u, wave] of vertical.entries()) {
          const power = dot(wave, column) ** 2
          energy += power
          weighted += power * Math.hypot(u / height, v / width)
        }
      }
    }
    return energy > 0 ? weighted / energy : 0
  }
}

/**
 * Energy-weighted mean frequency of the two-dimensional cosine transform, in half waves per pixel of each axis: 0 for a
 * constant. Several channels count together. values: [..., height, width].
 */
export function meanFrequency(values: readonly number[], grid: Grid): number {
  return frequencyOn(grid)(values)
}

/** Tiles of [..., height, width], low frequencies first. The paper calls its order a heuristic and does not state it. */
export function byFrequency(tiles: readonly (readonly number[])[], grid: Grid): (readonly number[])[] {
  const frequencyOf = frequencyOn(grid)
  return tiles
    .map((tile) => ({ tile, frequency: frequencyOf(tile) }))
    .sort((a, b) => a.frequency - b.frequency)
    .map(({ tile }) => tile)
}

/** Each tile followed by its closest inverse among those still to come: the one with the most negative cosine. */
export function withInverses(tiles: readonly (readonly number[])[]): (readonly number[])[] {
  const left = tiles.map((tile) => ({ tile, norm: Math.sqrt(dot(tile, tile)) || 1 }))
  const ordered: (readonly number[])[] = []
  for (let first = left.shift(); first; first = left.shift()) {
    ordered.push(first.tile)
    let [place, least] = [-1, Number.POSITIVE_INFINITY]
    for (const [i, { tile, norm }] of left.entries()) {
      const cosine = dot(first.tile, tile) / norm
      if (cosine < least) [place, least] = [i, cosine]
    }
    ordered.push(...left.splice(place, place < 0 ? 0 : 1).map(({ tile }) => tile))
  }
  return ordered
}
