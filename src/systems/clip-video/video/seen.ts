/** What CLIP sees of a picture: where the cutouts lie that fit the words. */
import type { Picture } from '../../../report/figures.ts'
import type { CutoutBox } from './cutouts.ts'

/** How well cutouts of a picture fit a text: the cosine of each, and where it was cut. */
export interface Scored {
  readonly mean: number
  readonly boxes: readonly CutoutBox[]
  readonly cosines: readonly number[]
}

/** Places of the map of scores, a side. */
const seenGrid = 16

/** For each place of a coarse grid [grid, grid] the mean cosine of all cutouts that show it. */
export function seenMap({ boxes, cosines, mean }: Scored, side: number): number[] {
  return Array.from({ length: seenGrid ** 2 }, (_, at) => {
    const [y, x] = [(Math.floor(at / seenGrid) + 0.5) / seenGrid, ((at % seenGrid) + 0.5) / seenGrid].map(
      (v) => v * side,
    ) as [number, number]
    let [sum, count] = [0, 0]
    for (const [i, { row, column, size }] of boxes.entries()) {
      if (y < row || y >= row + size || x < column || x >= column + size) continue
      sum += cosines[i] ?? 0
      count++
    }
    return count > 0 ? sum / count : mean
  })
}

/** The picture as bright as the map: bright where cutouts fit the words, dark where they do not. */
export function seenOver(picture: Picture, seen: readonly number[]): Picture {
  const [least, most] = [Math.min(...seen), Math.max(...seen)]
  const { width, height } = picture
  const pixels = picture.pixels.map((value, i) => {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width]
    const at = Math.floor((y * seenGrid) / height) * seenGrid + Math.floor((x * seenGrid) / width)
    const share = most > least ? ((seen[at] ?? least) - least) / (most - least) : 1
    return Math.round(value * (0.15 + 0.85 * share))
  })
  return { ...picture, pixels, caption: `${least.toFixed(3)} to ${most.toFixed(3)}` }
}
