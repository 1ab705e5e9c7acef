/** What drawings of the pages share: they follow the page when it turns dark or light. */
import type { Picture } from '../../report/figures.ts'

const darkScheme = '(prefers-color-scheme: dark)'

export function isDark(): boolean {
  return matchMedia(darkScheme).matches
}

/** Calls back whenever the page turns dark or light; returns what ends that. */
export function onScheme(redraw: () => void): () => void {
  const scheme = matchMedia(darkScheme)
  scheme.addEventListener('change', redraw)
  return () => scheme.removeEventListener('change', redraw)
}

/** Reads the page's colours (`--ink`) as they are at an element. */
export function colorsAt(element: Element): (name: string) => string {
  const style = getComputedStyle(element)
  return (name) => style.getPropertyValue(name).trim()
}

/** How axes of plots look. */
export function axisStyle(color: (name: string) => string) {
  return {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui',
  }
}

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
