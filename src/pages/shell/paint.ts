import type { Picture } from '../../report/figures.ts'

/** Puts a picture on a canvas, a pixel on a pixel. */
export function paintPicture(canvas: HTMLCanvasElement, { pixels, width, height, channels }: Picture): void {
  canvas.width = width
  canvas.height = height
  const colors = new Uint8ClampedArray(width * height * 4)
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) colors[4 * i + c] = pixels[channels === 3 ? 3 * i + c : i] ?? 0
    colors[4 * i + 3] = 255
  }
  canvas.getContext('2d')?.putImageData(new ImageData(colors, width, height), 0, 0)
}
