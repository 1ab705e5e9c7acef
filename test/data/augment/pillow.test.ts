import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as color from '../../../src/data/augment/color.ts'
import * as geometry from '../../../src/data/augment/geometry.ts'
import type { Picture } from '../../../src/data/augment/index.ts'

interface Fixture {
  readonly height: number
  readonly width: number
  readonly input: number[]
  readonly outputs: Record<string, number[]>
  readonly equalize: { readonly side: number; readonly output: number[] }
}

/** A small picture changed by Pillow 's ImageOps, ImageEnhance and Image.transform. */
const { height, width, input, outputs, equalize }: Fixture = JSON.parse(
  readFileSync(new URL('./pillow.json', import.meta.url), 'utf8'),
)
const picture: Picture = { pixels: Uint8Array.from(input), channels: 3, height, width }

// Pillow rounds where it blends, TensorFlow (and so big_vision) cuts off: one apart. The rest is exact.
const changes: Record<string, [(picture: Picture) => Picture, tolerance: 0 | 1]> = {
  autocontrast: [color.autoContrast, 0],
  posterize3: [(p) => color.posterize(p, 3), 0],
  solarize100: [(p) => color.solarize(p, 100), 0],
  color: [(p) => color.color(p, 1.7), 1],
  contrast: [(p) => color.contrast(p, 0.4), 0],
  brightness: [(p) => color.brightness(p, 1.3), 1],
  sharpness: [(p) => color.sharpness(p, 1.9), 1],
  rotate30: [(p) => geometry.rotate(p, 30), 0],
  shearx: [(p) => geometry.shearX(p, 0.3), 0],
  translatex: [(p) => geometry.translateX(p, 2), 0],
}

const furthest = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((value, i) => Math.abs(value - (a[i] ?? Number.NaN))))

describe('the operations agree with Pillow', () => {
  test.each(Object.keys(outputs))('%s', (name) => {
    const [change, tolerance] = changes[name] ?? []
    expect(furthest(change?.(picture).pixels ?? [], outputs[name] ?? [])).toBeLessThanOrEqual(tolerance ?? 0)
  })

  test('equalize, where there are enough pixels to spread', () => {
    const { side, output } = equalize
    const pixels = Uint8Array.from(output, (_, i) => ((i * i * 37 + i * 11) % 97) + (i % 61))
    const spread = color.equalize({ pixels, channels: 3, height: side, width: side }).pixels
    expect([...spread]).toEqual(output)
    expect([...spread]).not.toEqual([...pixels])
  })
})
