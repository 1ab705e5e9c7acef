/**
 * A drawing as training sees it: moved, larger or smaller, mirrored, in other colours, on any ground; and often only a part of it with white
 * around, because that is how the music video shows pictures to CLIP.
 */
import type { Generator } from '../../../util/random.ts'
import { type CutoutBox, cutoutPads } from '../video/cutouts.ts'

/** How drawings are changed. */
export interface ViewOptions {
  /** Share of the side by which they are moved, at most. */
  readonly shift: number
  /** Largest change of the size: 0.2 is 0.8 to 1.2 times. */
  readonly scale: number
  readonly flip: boolean
  /** Largest change of brightness and of each colour, as a share. */
  readonly colour: number
  /** Share of drawings on a coloured ground; the others are on white. */
  readonly ground: number
  /** Share of drawings of which only a part is seen. */
  readonly cutouts: number
}

interface View {
  readonly box: CutoutBox | undefined
  /** Source pixel = centre + (pixel - centre) / scale + shift, mirrored if so. */
  readonly scale: number
  readonly shift: readonly [x: number, y: number]
  readonly flip: boolean
  /** Factors and offsets of the colours. */
  readonly gains: readonly number[]
  readonly ground: readonly number[]
}

/** A part of .36 to 1 of the side with the published padding: more parts are nearly whole than in the video itself. */
function drawPart(random: Generator, side: number): CutoutBox {
  const whole = (from: number, to: number): number => random.integers(from, to + 1, 1)[0] ?? from
  const size = Math.max(2, Math.round(side * (0.36 + 0.64 * (random.uniform(1)[0] ?? 0))))
  const [row, column] = [whole(0, side - size), whole(0, side - size)]
  const [left, right, top, bottom] = cutoutPads(whole(0, Math.round((50 * side) / 512)), whole(10, 90), whole(10, 90))
  return { size, row, column, left, right, top, bottom }
}

function drawView(random: Generator, side: number, options: ViewOptions): View {
  const u = random.uniform(12)
  const at = (i: number): number => u[i] ?? 0
  const between = (i: number, limit: number): number => limit * (2 * at(i) - 1)
  const light = 1 + between(0, options.colour)
  return {
    box: at(1) < options.cutouts ? drawPart(random, side) : undefined,
    scale: 1 + between(2, options.scale),
    shift: [between(3, options.shift * side), between(4, options.shift * side)],
    flip: options.flip && at(5) < 0.5,
    gains: [6, 7, 8].map((i) => light * (1 + between(i, options.colour / 2))),
    ground: at(9) < options.ground ? Array.from(random.uniform(3), (v) => 255 * v) : [255, 255, 255],
  }
}

/** For each output pixel of an axis the source coordinate; undefined: outside of the part, which is white. */
function axis(side: number, from: number, size: number, before: number, after: number): (number | undefined)[] {
  const total = before + size + after
  return Array.from({ length: side }, (_, i) => {
    const place = ((i + 0.5) * total) / side - 0.5 - before
    return place < -0.5 || place > size - 0.5 ? undefined : from + place
  })
}

/** Writes a changed drawing, uint8 [3, side, side], made of the same drawing on white and on black. */
export function writeView(
  [onWhite, onBlack]: readonly [white: Uint8Array, black: Uint8Array],
  side: number,
  out: Uint8Array,
  random: Generator,
  options: ViewOptions,
): void {
  const view = drawView(random, side, options)
  const { box = { size: side, row: 0, column: 0, left: 0, right: 0, top: 0, bottom: 0 } } = view
  const [rows, columns] = [
    axis(side, box.row, box.size, box.top, box.bottom),
    axis(side, box.column, box.size, box.left, box.right),
  ]
  const [area, centre] = [side * side, (side - 1) / 2]
  const source = (place: number, shift: number): number => centre + (place - centre) / view.scale + shift
  const xs = columns.map((x) => (x === undefined ? x : source(view.flip ? side - 1 - x : x, view.shift[0])))
  const ys = rows.map((y) => (y === undefined ? y : source(y, view.shift[1])))
  for (let c = 0; c < 3; c++) {
    const [gain, ground] = [view.gains[c] ?? 1, view.ground[c] ?? 255]
    const coloured = (place: number): number => {
      const black = onBlack[c * area + place] ?? 0
      return black + (((onWhite[c * area + place] ?? 255) - black) * ground) / 255
    }
    const pixel = (y: number, x: number): number =>
      x < 0 || y < 0 || x >= side || y >= side ? ground : coloured(y * side + x)
    for (const [i, y] of ys.entries()) {
      for (const [j, x] of xs.entries()) {
        const at = c * area + i * side + j
        if (x === undefined || y === undefined) {
          out[at] = 255
          continue
        }
        const [top, left] = [Math.floor(y), Math.floor(x)]
        const [down, right] = [y - top, x - left]
        const upper = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right
        const lower = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right
        out[at] = Math.max(0, Math.min(255, Math.round(gain * (upper * (1 - down) + lower * down))))
      }
    }
  }
}
