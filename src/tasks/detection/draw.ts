/** Boxes, masks, names and scores drawn onto a picture. */
import type { Picture } from '../../report/figures.ts'
import type { Box } from './average-precision.ts'
import { glyphHeight, glyphOf, glyphWidth } from './glyphs.ts'
import type { Mask } from './masks.ts'

type Color = readonly [number, number, number]

/** Colours that are told apart, one for each category in turn. */
const colors: readonly Color[] = [
  [230, 60, 60],
  [30, 130, 240],
  [20, 160, 90],
  [240, 150, 20],
  [160, 70, 200],
  [0, 170, 190],
  [220, 70, 150],
  [130, 110, 30],
  [90, 90, 230],
  [110, 160, 20],
]

/** The colour of a category. */
export function categoryColor(category: number): Color {
  return colors[category % colors.length] ?? [0, 0, 0]
}

/** What is drawn. */
export interface Drawn {
  readonly box: Box
  readonly category: number
  /** Written at the box. Default: nothing. */
  readonly label?: string
  readonly mask?: Mask
}

/** Pixels [height, width, 3] to draw on. */
export interface Canvas {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
}

function paint({ pixels, width, height }: Canvas, x: number, y: number, color: Color, share = 1): void {
  if (x < 0 || y < 0 || x >= width || y >= height) return
  for (const [c, value] of color.entries()) {
    const at = 3 * (y * width + x) + c
    pixels[at] = Math.round((pixels[at] ?? 0) * (1 - share) + value * share)
  }
}

function fill(canvas: Canvas, [left, top, width, height]: Box, color: Color): void {
  for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) paint(canvas, x, y, color)
}

function frame(canvas: Canvas, [x, y, w, h]: Box, color: Color, thick: number): void {
  const [left, top, right, bottom] = [Math.round(x), Math.round(y), Math.round(x + w), Math.round(y + h)]
  fill(canvas, [left, top, right - left, thick], color)
  fill(canvas, [left, bottom - thick, right - left, thick], color)
  fill(canvas, [left, top, thick, bottom - top], color)
  fill(canvas, [right - thick, top, thick, bottom - top], color)
}

/** Text in a plain typeface on a coloured ground, `scale` pixels for each dot. */
function write(
  canvas: Canvas,
  text: string,
  [left, top]: readonly [number, number],
  color: Color,
  scale: number,
): void {
  const width = (text.length * (glyphWidth + 1) + 1) * scale
  const [x0, y0] = [
    Math.max(0, Math.min(left, canvas.width - width)),
    Math.max(0, Math.min(top, canvas.height - (glyphHeight + 2) * scale)),
  ]
  fill(canvas, [x0, y0, width, (glyphHeight + 2) * scale], color)
  for (const [i, character] of [...text].entries()) {
    for (const [row, column] of glyphOf(character))
      fill(
        canvas,
        [x0 + (i * (glyphWidth + 1) + 1 + column) * scale, y0 + (1 + row) * scale, scale, scale],
        [255, 255, 255],
      )
  }
}

/** Draws on the canvas: masks first, then boxes, then what is written. */
export function drawObjects(canvas: Canvas, objects: readonly Drawn[]): void {
  const scale = Math.max(1, Math.round(Math.max(canvas.width, canvas.height) / 250))
  for (const { mask, category } of objects) {
    if (!mask) continue
    const color = categoryColor(category)
    for (let y = 0; y < canvas.height; y++)
      for (let x = 0; x < canvas.width; x++) if (mask.pixels[y * mask.width + x]) paint(canvas, x, y, color, 0.45)
  }
  for (const { box, category } of objects) frame(canvas, box, categoryColor(category), scale)
  for (const { box, category, label } of objects) {
    if (label === undefined) continue
    const top = Math.round(box[1]) - (glyphHeight + 2) * scale
    write(canvas, label, [Math.round(box[0]), top], categoryColor(category), scale)
  }
}

/** Planes [3, height, width] as pixels, each enlarged to `times` x `times`. */
export function canvasOf(planes: Uint8Array, width: number, height: number, times = 1): Canvas {
  const [wide, tall] = [width * times, height * times]
  const pixels = new Uint8Array(3 * wide * tall)
  for (let y = 0; y < tall; y++)
    for (let x = 0; x < wide; x++)
      for (let c = 0; c < 3; c++)
        pixels[3 * (y * wide + x) + c] =
          planes[(c * height + Math.floor(y / times)) * width + Math.floor(x / times)] ?? 0
  return { pixels, width: wide, height: tall }
}

/** What is drawn, where each pixel became `times` x `times`. */
export function enlarged({ box, mask, ...rest }: Drawn, times: number): Drawn {
  const [x, y, w, h] = box
  const own = mask && {
    width: mask.width * times,
    height: mask.height * times,
    pixels: Uint8Array.from({ length: mask.pixels.length * times * times }, (_, i) => {
      const wide = mask.width * times
      return mask.pixels[Math.floor(Math.floor(i / wide) / times) * mask.width + Math.floor((i % wide) / times)] ?? 0
    }),
  }
  return { ...rest, box: [x * times, y * times, w * times, h * times], ...(own && { mask: own }) }
}

/** The canvas as a picture of a report. */
export function pictureOf({ pixels, width, height }: Canvas, caption?: string): Picture {
  return { pixels, width, height, channels: 3, ...(caption !== undefined && { caption }) }
}
