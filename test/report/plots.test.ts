import { describe, expect, test } from 'vitest'
import type { LinePlot, LineSeries, PlotFigure, ScatterPlot } from '../../src/report/figures.ts'
import { renderFigureSvg } from '../../src/report/render.ts'
import { figureOf, texts } from './page.ts'

function lines(series: readonly LineSeries[], rest: Partial<LinePlot> = {}): LinePlot {
  return { kind: 'lines', title: 'Loss', x: { label: 'step' }, y: { label: 'loss' }, series, ...rest }
}

function series(name: string, ys: readonly number[], rest: Partial<LineSeries> = {}): LineSeries {
  return { name, points: ys.map((y, i) => ({ x: 10 * i, y })), ...rest }
}

const falling = Array.from({ length: 200 }, (_, i) => 0.5 + 2 * Math.exp(-i / 20) + (i % 2 ? 0.1 : -0.1))

/** The words that a drawing shows. */
async function wordsOf(figure: PlotFigure, width = 720): Promise<string[]> {
  const svg = await renderFigureSvg(figure, { width })
  return [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text = '']) => text.replace(/<[^>]+>/g, ' ').trim())
}

/** Heights at which series are named, from the top. */
function labelHeights(svg: string): number[] {
  return [...svg.matchAll(/<text [^>]*\by="([\d.]+)"[^>]*><tspan/g)].map(([, y]) => Number(y)).toSorted((a, b) => a - b)
}

async function countOf(figure: PlotFigure, pattern: RegExp): Promise<number> {
  return [...(await renderFigureSvg(figure)).matchAll(pattern)].length
}

describe('line plots', () => {
  test('name their axes, ticks and, at the ends of the lines, the series with the last values', async () => {
    const words = await wordsOf(lines([series('training', [3, 2, 1]), series('test', [4, 3, 2.25])]))
    expect(words).toEqual(expect.arrayContaining(['↑ loss', 'step →', '0', '20', 'training  1', 'test  2.25']))
  })

  test('where it is narrow, names stand in a legend above', async () => {
    const figure = lines([series('training', [3, 2, 1]), series('test', [4, 3, 2])])
    const svg = await renderFigureSvg(figure, { width: 350 })
    expect(labelHeights(svg)).toEqual([12, 12])
    expect(await wordsOf(figure, 350)).toEqual(expect.arrayContaining(['training  1', 'test  2']))
  })

  test('noisy series are drawn twice: pale as they are, and smoothed', async () => {
    const path = /<path d="M[^"]*L/g
    const pale = /stroke-opacity="0.28"/g
    const plain = lines([series('a', falling)])
    const smooth = lines([series('a', falling, { smooth: true })])
    expect(await countOf(smooth, path)).toBe((await countOf(plain, path)) + 1)
    expect([await countOf(plain, pale), await countOf(smooth, pale)]).toEqual([0, 1])
  })

  test('the best point is marked with value and place', async () => {
    expect(await wordsOf(lines([series('test', [0.5, 0.25, 0.75], { best: 'min' })]))).toContain('0.25 at step 10')
    const accuracy = lines([series('test', [0.5, 0.9842, 0.75], { best: 'max' })], {
      y: { label: 'accuracy', percent: true },
    })
    expect(await wordsOf(accuracy)).toContain('98.42 % at step 10')
  })

  test('labels of lines that end together keep apart', async () => {
    const svg = await renderFigureSvg(lines(['a', 'b', 'c', 'd'].map((name) => series(name, [2, 1]))))
    const heights = labelHeights(svg)
    expect(heights).toHaveLength(4)
    for (const [i, y] of heights.entries()) if (i > 0) expect(y - (heights[i - 1] ?? 0)).toBeGreaterThan(15)
  })

  test('a long run makes no long file', async () => {
    const many = series('training', new Array(50).fill(falling).flat(), { smooth: true })
    expect((await renderFigureSvg(lines([many]))).length).toBeLessThan(40_000)
  })
})

describe('degenerate plots', () => {
  const axes = { x: { label: 'x' }, y: { label: 'y' } }

  test.each([
    ['no series', lines([])],
    ['no points', lines([series('a', [])])],
    ['no drawable points', lines([series('a', [Number.NaN, Number.POSITIVE_INFINITY])])],
    ['no dots', { kind: 'scatter', title: 'a', ...axes, series: [] } satisfies ScatterPlot],
    ['no bars', { kind: 'bars', title: 'a', value: { label: 'ms' }, bars: [] } satisfies PlotFigure],
  ])('%s: the drawing says so', async (_, figure) => {
    expect(await wordsOf(figure)).toEqual(['Nothing to draw'])
  })

  test.each([
    ['one point', [3]],
    ['equal values', [1, 1, 1, 1]],
    ['zeros', [0, 0]],
    ['tiny values', [1e-300, 2e-300]],
    ['huge values', [-1e200, 1e200]],
    ['all but equal values', [1, 1 + 1e-15]],
  ])('%s: finite coordinates', async (_, ys) => {
    for (const log of [false, true]) {
      const svg = await renderFigureSvg(
        lines([series('a', ys, { best: 'max', smooth: true })], { y: { label: 'y', log } }),
      )
      expect(svg).not.toMatch(/NaN|Infinity/)
    }
  })

  test('values that are left out are told of behind the caption', async () => {
    const figure = lines([series('a', [1, Number.NaN, 2, Number.NEGATIVE_INFINITY])], { caption: 'Watch it fall.' })
    expect(texts(await figureOf(figure), 'figcaption p')).toEqual([
      'Watch it fall. 2 of 4 points left out: NaN or infinite.',
    ])
  })
})

test('scatter plots label their points and name their series', async () => {
  const points = [
    { x: 1, y: 0.9, label: 'small' },
    { x: 100, y: 0.95, label: 'large' },
  ]
  const figure: ScatterPlot = {
    kind: 'scatter',
    title: 'Compute',
    x: { label: 'FLOP', log: true },
    y: { label: 'accuracy', percent: true },
    series: [
      { name: 'Mixer', points, connected: true },
      { name: 'ViT', points: [{ x: 10, y: 0.92 }] },
    ],
  }
  expect(await wordsOf(figure)).toEqual(expect.arrayContaining(['small', 'large', 'Mixer', 'ViT', '90 %', '100']))
  expect(await countOf(figure, /<circle/g)).toBe(3 + 2)
})

test('crowded labels give way', async () => {
  const points = Array.from({ length: 60 }, (_, i) => ({ x: i % 8, y: (i * 7) % 5, label: `point ${i}` }))
  const words = await wordsOf({
    kind: 'scatter',
    title: '',
    x: { label: 'x' },
    y: { label: 'y' },
    series: [{ name: 'a', points }],
  })
  const labelled = words.filter((word) => word.startsWith('point'))
  expect(labelled.length).toBeGreaterThan(3)
  expect(labelled.length).toBeLessThan(60)
})

test('bars carry their names and values, negative ones to the left', async () => {
  const bars = [
    { label: 'token MLP', value: 0.34 },
    { label: 'the rest', value: -0.025 },
  ]
  const figure: PlotFigure = { kind: 'bars', title: 'Time', value: { label: 'share', percent: true }, bars }
  expect(await wordsOf(figure)).toEqual(['share →', 'token MLP', '34.0 %', 'the rest', '−2.5 %'])
})

describe('on the page', () => {
  test('a plot is drawn for narrow and for usual width, one alone for the whole width too', async () => {
    const classes = [...(await figureOf(lines([series('a', [1, 2])]))).querySelectorAll('svg')].map((svg) =>
      svg.getAttribute('class'),
    )
    expect(classes).toEqual(['narrow', 'medium', 'wide'])
  })

  test('its words tell course and extremes', async () => {
    const plot = (await figureOf(lines([series('test', [3, 1, 2]), series('none', [])]))).querySelector('.plot')
    expect(plot?.getAttribute('aria-label')).toBe(
      'Line plot of loss over step: Loss. test: 3 points, from 3 to 2, lowest 1 at 10, highest 3 at 0. none: no points.',
    )
  })
})

test('a plot alone is a well-formed file with its own colours', async () => {
  const svg = await renderFigureSvg(lines([series('<a> & "b"', [1, 2]), series('c', [2, 3])], { title: '<&>' }))
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" [^<>]*aria-label="Line plot [^<>"]*">/)
  expect(svg).toContain('prefers-color-scheme:dark')
  expect(svg).toContain('--series-0:#')
  expect(svg).toContain('&lt;a&gt; &amp; "b"')
  expect(svg).not.toMatch(/&(?!(amp|lt|gt|quot|#\d+);)/)
  // Every element is closed, in the order in which it was opened.
  const open: string[] = []
  for (const [, end, name = '', closed] of svg.matchAll(/<(\/?)([a-zA-Z]+)[^<>]*?(\/?)>/g)) {
    if (end) expect(open.pop()).toBe(name)
    else if (!closed) open.push(name)
  }
  expect(open).toEqual([])
})
