/** The figures of Involution's page. */
import type { HeatmapGrid, Matrix } from '../../report/figures.ts'
import type { Look } from './program.ts'
import { squares, task } from './sizes.ts'

const { side, kernel_size: kernelSize } = task

/** What each colour means: where a pixel of it finds the value that it is asked for. */
export const colors: readonly { readonly name: string; readonly means: string; readonly rgb: readonly number[] }[] = [
  { name: 'blue', means: 'two pixels to the right', rgb: [0.42, 0.66, 1] },
  { name: 'orange', means: 'two pixels below', rgb: [1, 0.66, 0.3] },
  { name: 'green', means: 'two pixels to the left', rgb: [0.4, 0.85, 0.6] },
  { name: 'pink', means: 'two pixels above', rgb: [1, 0.6, 0.85] },
]

/** Numbers that look like noise, in [0, 1). */
const noise = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const value = 43758.5453 * Math.sin(12.9898 * (i + 1) + seed)
    return value - Math.floor(value)
  })

/** The picture that the page begins with. */
export function firstPicture(): { readonly signal: Float32Array; readonly colors: readonly number[] } {
  // The sum of four has nearly the spread of the normal distribution that it learns from.
  const parts = [1, 2, 3, 4].map((seed) => noise(side * side, seed))
  const signal = Float32Array.from(parts[0] ?? [], (_, i) =>
    parts.reduce((sum, part) => sum + 1.73 * ((part[i] ?? 0) - 0.5), 0),
  )
  return { signal, colors: noise(squares * squares, 5).map((value) => Math.floor(value * task.cues)) }
}

/** The square in which a pixel lies. */
export const squareOf = (pixel: number): number => {
  const width = side / squares
  return Math.floor(Math.floor(pixel / side) / width) * squares + Math.floor((pixel % side) / width)
}

/** The colours, brighter where the signal is larger. */
export function pictureFigure(signal: Float32Array, squareColors: readonly number[]): HeatmapGrid {
  const brightness = (pixel: number): number => 0.62 + 0.19 * Math.max(-2, Math.min(2, signal[pixel] ?? 0))
  const values = [0, 1, 2].flatMap((channel) =>
    Array.from(
      { length: side * side },
      (_, pixel) => (colors[squareColors[squareOf(pixel)] ?? 0]?.rgb[channel] ?? 0) * brightness(pixel),
    ),
  )
  return {
    kind: 'heatmaps',
    title: 'A picture',
    caption: 'Noise, as brightness, in coloured squares. Pick a pixel, with the pointer or the arrow keys.',
    matrices: [{ values, width: side, height: side, channels: 3 }],
    size: 320,
  }
}

/** The kernel at the picked pixel. */
export function kernelFigure({ kernel }: Look, isInvolution: boolean): HeatmapGrid {
  return {
    kind: 'heatmaps',
    title: isInvolution ? 'The kernel at this pixel' : 'The kernel at every pixel',
    caption: 'The middle is the pixel itself; red: added, blue: subtracted.',
    matrices: [{ values: kernel, width: kernelSize, height: kernelSize }],
    size: 180,
  }
}

/** What is asked for and what the layer says. */
export function answerFigure({ wanted, answer, sums }: Look): HeatmapGrid {
  const map = (values: readonly number[], caption: string): Matrix => ({ values, width: side, height: side, caption })
  return {
    kind: 'heatmaps',
    title: 'The whole picture',
    caption: 'What each pixel is asked for, and what the layer answers.',
    matrices: [map(wanted, 'asked for'), map(answer, 'answered'), map(sums, 'sum of the kernel at each pixel')],
    size: 150,
  }
}
