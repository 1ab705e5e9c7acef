import { describe, expect, test } from 'vitest'
import {
  escapeHtml,
  fitText,
  formatColumn,
  formatNumber,
  formatPercent,
  slug,
  textWidth,
  withCode,
} from '../../src/report/text.ts'

test('text is escaped, and code spans are escaped inside', () => {
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;')
  expect(withCode('run `a < b` and `c`')).toBe('run <code>a &lt; b</code> and <code>c</code>')
  expect(withCode('a lone ` stays')).toBe('a lone ` stays')
})

test('slugs keep letters and digits of any script', () => {
  expect(slug('What it gets wrong?')).toBe('what-it-gets-wrong')
  expect(slug('Über 10 %')).toBe('über-10')
  expect(slug('…')).toBe('section')
})

describe('numbers', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [4690, '4,690'],
    [-12, '−12'],
    [0.058234, '0.05823'],
    [2739.44, '2,739'],
    [0.00012, '1.2e−4'],
    [-2.5e12, '−2.5e12'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('%f is written %s', (value, text) => {
    expect(formatNumber(value)).toBe(text)
  })

  test('fractions in percent', () => {
    expect([formatPercent(0.98421), formatPercent(1, 0), formatPercent(-0.00001)]).toEqual([
      '98.42 %',
      '100 %',
      '0.00 %',
    ])
  })

  test('a column has one number of decimals', () => {
    expect(formatColumn([38.2, 33.114, 171])).toEqual(['38.20', '33.11', '171.00'])
    expect(formatColumn([2021, 2024])).toEqual(['2021', '2024'])
    expect(formatColumn([4690, 12_345])).toEqual(['4,690', '12,345'])
    expect(formatColumn([1, Number.NaN, -2e-7])).toEqual(['1', 'NaN', '−2e−7'])
    expect(formatColumn([])).toEqual([])
  })
})

test('labels are cut to a width', () => {
  expect(fitText('short', 12, 100)).toBe('short')
  const cut = fitText('a label that is much too long', 12, 60)
  expect(cut).toMatch(/^a label.*…$/)
  expect(textWidth(cut, 12)).toBeLessThanOrEqual(60)
})
