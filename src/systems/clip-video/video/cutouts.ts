/** Random parts of a picture, as CLIP gets to see them: cut out, padded with white, brought to CLIP's size, noisy. */
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { ShapeError } from '../../../util/errors.ts'
import type { Generator } from '../../../util/random.ts'
import { clipNormalized } from '../clip/normalization.ts'

/** A cutout: a square of the picture, and how much white is put around it, in pixels. */
export interface CutoutBox {
  readonly size: number
  readonly row: number
  readonly column: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** How cutouts are drawn; the published numbers are the defaults. */
export interface CutoutOptions {
  /** Share of the side: normal, cut at the least and the greatest. Defaults: mean 0.39, std 0.865, 0.362 to 0.7099. */
  readonly mean?: number
  readonly std?: number
  readonly least?: number
  readonly greatest?: number
  /** Pixels of white in a direction, at most. Default: 50 for a side of 512, in proportion. */
  readonly padding?: number
}

/** Size of a cutout by a normal draw, in single precision. */
export function cutoutSize(
  draw: number,
  side: number,
  { least = 0.362, greatest = 0.7099 }: CutoutOptions = {},
): number {
  const share = Math.min(Math.fround(greatest), Math.max(Math.fround(least), Math.fround(draw)))
  return Math.trunc(Math.fround(side * share))
}

/** How a padding of `total` pixels is divided, by percentages: left, right, top, bottom. */
export function cutoutPads(
  total: number,
  xPercent: number,
  yPercent: number,
): readonly [left: number, right: number, top: number, bottom: number] {
  const [left, top] = [Math.trunc(total * (xPercent / 100)), Math.trunc(total * (yPercent / 100))]
  return [left, total - left, top, total - top]
}

/** Draws a cutout of a picture of `side` pixels. */
export function drawCutout(random: Generator, side: number, options: CutoutOptions = {}): CutoutBox {
  const { mean = 0.39, std = 0.865, padding = Math.max(1, Math.round((50 * side) / 512)) } = options
  const size = cutoutSize(mean + std * (random.normal(1)[0] ?? 0), side, options)
  const whole = (from: number, to: number): number => random.integers(from, to + 1, 1)[0] ?? from
  const [row, column] = [whole(0, Math.max(0, side - size - 1)), whole(0, Math.max(0, side - size - 1))]
  const [left, right, top, bottom] = cutoutPads(whole(1, padding), whole(10, 90), whole(10, 90))
  return { size, row, column, left, right, top, bottom }
}

/** For each of `to` pixels the one of `from` that the nearest neighbour takes, in PyTorch's single precision. */
function nearest(from: number, to: number): number[] {
  const scale = Math.fround(from / to)
  return Array.from({ length: to }, (_, i) => Math.min(from - 1, Math.floor(Math.fround(i * scale))))
}

/** Places of a line of the picture that the cutout's pixels show; undefined: white. */
function line(start: number, size: number, before: number, after: number, to: number): (number | undefined)[] {
  return nearest(before + size + after, to).map((place) => {
    const inside = place - before
    return inside >= 0 && inside < size ? start + inside : undefined
  })
}

/**
 * For each pixel of cutouts of `cutSize` pixels a side the place of the picture that it shows (row by row), side * side for white: int64
 * [N, cutSize cutSize]. This is an input of the step, so that one compiled step serves all cutouts.
 */
export function cutoutPlaces(boxes: readonly CutoutBox[], side: number, cutSize: number): NDArray {
  const area = cutSize ** 2
  const data = new BigInt64Array(boxes.length * area).fill(BigInt(side ** 2))
  for (const [n, { size, row, column, left, right, top, bottom }] of boxes.entries()) {
    if (size < 1 || row < 0 || column < 0 || row + size > side || column + size > side)
      throw new ShapeError(`cutouts: a square of ${size} pixels at ${row}, ${column} is not within ${side} pixels`)
    const columns = line(column, size, left, right, cutSize)
    for (const [i, y] of line(row, size, top, bottom, cutSize).entries()) {
      if (y === undefined) continue
      for (const [j, x] of columns.entries())
        if (x !== undefined) data[n * area + i * cutSize + j] = BigInt(y * side + x)
    }
  }
  return { dtype: 'int64', shape: [boxes.length, area], data }
}

/** Colours -1 to 1 [1, 3, S, S] and places [N, A] -> cutouts [N, 3, a, a], A = a a. */
export function cutOut(picture: Tensor, places: Tensor, white = 1): Tensor {
  const [count, area] = places.sizes(2)
  const side = Math.round(Math.sqrt(area))
  const pixels = ops.reshape(picture, [3, -1]) // [3, S S]
  const padded = ops.concat([pixels, ops.full([3, 1], white)], 1) // [3, S S + 1]
  const shown = ops.reshape(ops.indexSelect(padded, ops.reshape(places, [-1]), 1), [3, count, side, side])
  return ops.permute(shown, [1, 0, 2, 3]) // [N, 3, a, a]
}

/** Cutouts with noise [N, 3, a, a] of the given strength, as CLIP takes them: (x + 1) / 1.8, not 2, is what was published. */
export function clipView(cutouts: Tensor, noise: Tensor, strength = 0.01649): Tensor {
  const noisy = ops.add(cutouts, ops.mul(noise, strength))
  return clipNormalized(ops.div(ops.add(noisy, 1), 1.8))
}
