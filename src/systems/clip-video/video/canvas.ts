/** Frames of the film: the picture in the middle of a black square, the caption on a dark strip over its lower edge. */
import { join } from 'node:path'
import { dataFolder } from '../../../data/catalog/cache.ts'
import { importPackage } from '../../../data/packages.ts'
import { pillowResize } from '../../../data/pillow.ts'
import { captionOf } from './captions.ts'

/** Sizes in pixels, for the published canvas of 720: others in proportion. */
const published = { canvas: 720, font: 30, bottom: 20, strip: 10, darkness: 0.8 } as const

/** A caption that is drawn: how much of white there is at each place. */
export interface DrawnCaption {
  readonly width: number
  readonly height: number
  /** [height, width], 0 to 255. */
  readonly alpha: Uint8Array
}

/** The font file that `tenfold data caption-font` fetches. Throws a MissingDataError with that command. */
export function captionFont(): string {
  return join(dataFolder('caption-font'), 'ttf', 'DejaVuSans.ttf')
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Control characters but line feeds: they would be drawn as boxes. */
const control = /(?!\n)\p{Cc}/gu

/** Any character that is not white space, a blank pattern of Braille, or one that is never drawn, such as a zero-width space. */
const visible = /[^\s\u2800\ufff9-\ufffc\p{Default_Ignorable_Code_Point}]/u

/** Draws a line of lyrics, wrapped at 35 characters; nothing where there is nothing to see. */
export async function drawCaption(text: string, canvas: number, font: string): Promise<DrawnCaption | undefined> {
  const wrapped = captionOf(text).replace(control, '')
  if (!visible.test(wrapped)) return undefined
  const { default: sharp } = await importPackage('sharp', 'captions', () => import('sharp'))
  const size = (published.font * canvas) / published.canvas
  const drawn = await sharp({
    text: {
      text: `<span foreground="white">${escaped(wrapped)}</span>`,
      font: `DejaVu Sans ${Math.max(1, Math.round(size * 0.75))}`, // points of 1/72 inch at 96 a inch
      fontfile: font,
      dpi: 96,
      align: 'centre',
      rgba: true,
    },
  })
    .extractChannel(3)
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      // All glyphs are blank: those of the font, or of a few pixels.
      if (error instanceof Error && error.message.includes('no text to render')) return undefined
      throw error
    })
  return drawn && { width: drawn.info.width, height: drawn.info.height, alpha: new Uint8Array(drawn.data) }
}

/** A frame [canvas, canvas, 3] of a picture [side, side, 3], which becomes `size` pixels a side (Pillow's bicubic). */
export function composeFrame(
  picture: Uint8Array,
  { side, size, canvas }: { readonly side: number; readonly size: number; readonly canvas: number },
  caption: DrawnCaption | undefined,
): Uint8Array {
  const { data } = pillowResize({ mode: 'RGB', height: side, width: side, data: picture }, size, size)
  const frame = new Uint8Array(3 * canvas * canvas)
  const border = Math.floor((canvas - size) / 2)
  for (let y = 0; y < size; y++) {
    frame.set(data.subarray(3 * y * size, 3 * (y + 1) * size), 3 * ((y + border) * canvas + border))
  }
  if (caption) writeCaption(frame, canvas, caption)
  return frame
}

function writeCaption(frame: Uint8Array, canvas: number, { width, height, alpha }: DrawnCaption): void {
  const scale = canvas / published.canvas
  const [bottom, strip] = [Math.round(published.bottom * scale), Math.round(published.strip * scale)]
  const top = Math.max(0, canvas - bottom - height)
  const margin = Math.floor(strip / 2)
  const from = 3 * canvas * Math.max(0, top - margin)
  const to = 3 * canvas * Math.min(canvas, top + height + margin)
  for (let i = from; i < to; i++) frame[i] = Math.round((frame[i] ?? 0) * (1 - published.darkness))
  const left = Math.floor((canvas - width) / 2)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, share] = [left + x, (alpha[y * width + x] ?? 0) / 255]
      if (column < 0 || column >= canvas || share === 0) continue
      const at = 3 * ((top + y) * canvas + column)
      for (let c = 0; c < 3; c++) frame[at + c] = Math.round((frame[at + c] ?? 0) * (1 - share) + 255 * share)
    }
  }
}
