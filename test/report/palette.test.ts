import { expect, test } from 'vitest'
import { colorVariables } from '../../src/report/palette.ts'

/** Relative luminance of `#rrggbb`. Source: WCAG 2.2, "relative luminance". */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(color.slice(start, start + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
  return (lighter + 0.05) / (darker + 0.05)
}

test.each(['light', 'dark'] as const)('%s: words in any colour have a contrast of 4.5 and more', (theme) => {
  const colors = new Map(
    colorVariables(theme)
      .split(';')
      .map((pair) => pair.split(':') as [string, string]),
  )
  const paper = colors.get('--paper') ?? ''
  const inked = [...colors].filter(([name]) => /ink|soft|series/.test(name))
  expect(inked).toHaveLength(8)
  for (const [, color] of inked) expect(contrast(color, paper)).toBeGreaterThanOrEqual(4.5)
})
