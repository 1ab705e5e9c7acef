import { describe, expect, test } from 'vitest'
import type { Figure, Report } from '../../src/report/figures.ts'
import { renderReport } from '../../src/report/render.ts'
import { pageOf, reportOf, texts } from './page.ts'

const nasty = `<script>alert("1")</script> & 'more'`

/** One figure of each kind, `word` wherever there are words. */
function everyKind(word: string): Figure[] {
  const titled = { title: word, caption: word }
  const series = [
    { name: word, points: [0, 1, 2].map((x) => ({ x, y: x + 1, label: word })) },
    { name: `${word} 2`, points: [{ x: 0, y: 1 }] },
  ]
  const axes = { x: { label: word }, y: { label: word } }
  const picture = { pixels: new Uint8Array(4), width: 2, height: 2, channels: 1, caption: word, right: true } as const
  return [
    { ...titled, kind: 'lines', ...axes, series },
    { ...titled, kind: 'scatter', ...axes, series },
    { ...titled, kind: 'bars', value: { label: word }, bars: [{ label: word, value: 1 }] },
    {
      ...titled,
      kind: 'confusion',
      classes: [word, 'b'],
      counts: [
        [3, 1],
        [0, 2],
      ],
    },
    { ...titled, kind: 'pictures', pictures: [picture] },
    { ...titled, kind: 'heatmaps', matrices: [{ values: [1, -1], width: 2, height: 1, caption: word }] },
    { ...titled, kind: 'table', columns: [word, 'b'], rows: [[word, 1]] },
    { ...titled, kind: 'definitions', items: [{ name: word, value: word }] },
    { ...titled, kind: 'text', paragraphs: [word] },
    { ...titled, kind: 'shaded', pieces: [{ text: word, value: 1 }] },
  ]
}

function fullReport(word: string): Report {
  const figures = everyKind(word)
  return {
    title: word,
    subtitle: word,
    summary: [
      { label: word, value: word, note: word },
      { label: 'b', value: '1' },
    ],
    sections: [
      { title: word, intro: word, figures },
      { title: word, figures: [] },
      { title: 'third', figures: [] },
    ],
    footer: word,
  }
}

describe('the page', () => {
  test('has a title, its key numbers, its sections, and a footer', async () => {
    const page = await pageOf(fullReport('word'))
    expect(page.title).toBe('word')
    expect(texts(page, 'h1')).toEqual(['word'])
    expect(texts(page, '.summary dt')).toEqual(['word', 'b'])
    expect(texts(page, '.summary .value')).toEqual(['word', '1'])
    expect(texts(page, '.summary .note')).toEqual(['word'])
    expect(texts(page, 'h2')).toEqual(['word', 'word', 'third'])
    expect(texts(page, 'main > footer')).toEqual(['word'])
    expect(page.documentElement.getAttribute('lang')).toBe('en')
  })

  test('links to its sections, each by a name of its own', async () => {
    const page = await pageOf(fullReport('word'))
    const targets = [...page.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))
    expect(targets).toEqual(['#word', '#word--2', '#third'])
    for (const target of targets) expect(page.querySelectorAll(`section[id="${target?.slice(1)}"]`)).toHaveLength(1)
  })

  test('has no contents for one or two sections, and no empty parts', async () => {
    const page = await pageOf(reportOf([]))
    for (const part of ['nav', '.summary', '.subtitle', 'footer', 'figure']) expect(page.querySelector(part)).toBeNull()
  })

  test('draws every kind of figure with title and caption', async () => {
    const page = await pageOf(fullReport('word'))
    const kinds = [...page.querySelectorAll('figure')].map((figure) => figure.getAttribute('data-kind'))
    expect(kinds).toEqual(everyKind('').map(({ kind }) => kind))
    expect(texts(page, 'figcaption h3')).toEqual(kinds.map(() => 'word'))
    for (const caption of texts(page, 'figcaption p')) expect(caption).toMatch(/^word/)
  })

  test('is the same text for the same report', async () => {
    expect(await renderReport(fullReport('word'))).toBe(await renderReport(fullReport('word')))
  })
})

describe('whatever its words are', () => {
  test('they stay words', async () => {
    const html = await renderReport(fullReport(nasty))
    expect(html).not.toContain('<script')
    const page = await pageOf(fullReport(nasty))
    expect(page.querySelector('script')).toBeNull()
    expect(texts(page, 'h1')).toEqual([nasty])
    expect(texts(page, 'figcaption h3')[0]).toBe(nasty)
    expect(page.querySelector('.pictures img')?.getAttribute('alt')).toBe(nasty)
    expect(texts(page, 'table.confusion tbody th')).toEqual([nasty, 'b'])
    expect(texts(page, '.definitions dd')).toEqual([nasty])
    expect(texts(page, '.prose p')).toEqual([nasty])
    expect(page.querySelector('.plot')?.getAttribute('aria-label')).toContain(nasty)
  })

  test('code stands between backticks', async () => {
    const page = await pageOf(reportOf([{ kind: 'text', title: '', paragraphs: ['run `a < b`', 'then'] }]))
    expect(texts(page, '.prose p')).toEqual(['run a < b', 'then'])
    expect(texts(page, '.prose code')).toEqual(['a < b'])
  })
})

describe('self-containedness', () => {
  test('no address but that of SVG, no script, no file', async () => {
    const html = await renderReport(fullReport('word'))
    const addresses = [...html.matchAll(/[a-z]+:\/\/[^\s"'<)]+/g)].map(([address]) => address)
    expect(addresses.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([])
    expect(html).not.toMatch(/@import|url\(/)
    const page = await pageOf(fullReport('word'))
    for (const element of page.querySelectorAll('[src], link')) {
      expect(element.getAttribute('src') ?? element.getAttribute('href')).toMatch(/^data:/)
    }
    for (const name of ['script', 'iframe', 'object', 'form']) expect(page.querySelector(name)).toBeNull()
  })

  test('the page itself forbids what it does without', async () => {
    const page = await pageOf(reportOf([]))
    const policy = page.querySelector('meta[http-equiv="Content-Security-Policy"]')?.getAttribute('content')
    expect(policy).toBe("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
  })

  test('light, dark, narrow and printed are provided for', async () => {
    const [style = ''] = texts(await pageOf(reportOf([])), 'head style')
    for (const media of ['prefers-color-scheme:dark', '@container', '@media print', 'image-rendering:pixelated'])
      expect(style).toContain(media)
  })
})

test('every picture and plot says in words what it shows', async () => {
  const page = await pageOf(fullReport('word'))
  for (const image of page.querySelectorAll('.pictures img')) expect(image.getAttribute('alt')).toBeTruthy()
  for (const plot of page.querySelectorAll('.plot')) {
    expect(plot.getAttribute('role')).toBe('img')
    expect(plot.getAttribute('aria-label')).toMatch(/^(Line|Scatter|Bar) plot of word/)
  }
})
