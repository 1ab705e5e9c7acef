import { decode } from 'fast-png'
import { describe, expect, test } from 'vitest'
import type { ConfusionMatrix, Matrix, Table } from '../../src/report/figures.ts'
import { renderReport } from '../../src/report/render.ts'
import { ShapeError, UsageError } from '../../src/util/errors.ts'
import { figureOf, pngOf, reportOf, texts } from './page.ts'

function pixelsOf(image: Element | null | undefined): number[] {
  return Array.from(decode(pngOf(image)).data)
}

describe('confusion matrices', () => {
  const counts = [
    [8, 2, 0],
    [1, 9, 0],
    [0, 0, 0],
  ]
  const matrix: ConfusionMatrix = { kind: 'confusion', title: 'Confusion', classes: ['a', 'b', 'c'], counts }

  test('are tables with headers, recall and precision', async () => {
    const figure = await figureOf(matrix)
    expect(texts(figure, 'tbody th')).toEqual(['a', 'b', 'c'])
    expect(texts(figure, 'thead tr:last-child th').slice(1, -1)).toEqual(['a', 'b', 'c'])
    expect(texts(figure, 'tbody tr:first-child td')).toEqual(['8', '2', '', '80.0'])
    expect(texts(figure, 'tbody tr:last-child td.rate')).toEqual(['–'])
    expect(texts(figure, 'tfoot td')).toEqual(['88.9', '81.8', '–', '85.0'])
    for (const head of figure.querySelectorAll('tbody th, tfoot th')) expect(head.getAttribute('scope')).toBe('row')
  })

  test('tell right from wrong, and the commonest mistakes in words', async () => {
    const figure = await figureOf({ ...matrix, caption: 'Rows: actual.' })
    expect(texts(figure, 'td.right')).toEqual(['8', '9'])
    expect(texts(figure, 'td.wrong')).toEqual(['2', '1'])
    expect(texts(figure, 'figcaption p')).toEqual([
      'Rows: actual. Most often mistaken: a for b (2 times), b for a (1).',
    ])
  })

  test('without mistakes have nothing to tell', async () => {
    const figure = await figureOf({ ...matrix, classes: ['a'], counts: [[4]] })
    expect(texts(figure, 'figcaption p')).toEqual([])
  })

  test('of many classes are pictures', async () => {
    const classes = Array.from({ length: 30 }, (_, i) => `class ${i}`)
    const figure = await figureOf({
      ...matrix,
      classes,
      counts: classes.map((_, i) => classes.map((_, j) => +(i === j))),
    })
    expect(figure.querySelector('table')).toBeNull()
    const image = figure.querySelector('img.matrix')
    expect(image?.getAttribute('alt')).toBe('Confusion: 30 classes, rows actual, columns predicted')
    expect(pixelsOf(image).slice(0, 8)).toEqual([27, 98, 173, 255, 206, 80, 20, 0])
  })

  test('must be square', async () => {
    const report = reportOf([
      {
        ...matrix,
        counts: [
          [1, 2, 3],
          [1, 2],
        ],
      },
    ])
    await expect(renderReport(report)).rejects.toThrow(
      new ShapeError('confusion matrix "Confusion": 3 classes need [3, 3] counts, found [2, 3 or 2]', {
        hint: 'counts[label][predicted], a row and a column for every class',
      }),
    )
  })
})

describe('pictures', () => {
  const gray = { pixels: Uint8Array.of(0, 255, 128, 64), width: 2, height: 2, channels: 1 } as const

  test('keep their pixels', async () => {
    const color = { pixels: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 } as const
    const figure = await figureOf({ kind: 'pictures', title: '', pictures: [gray, color] })
    const [first, second] = figure.querySelectorAll('img')
    expect(pixelsOf(first)).toEqual([0, 255, 128, 64])
    expect(pixelsOf(second)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('are scaled by whole factors unless told otherwise', async () => {
    const digit = { pixels: new Uint8Array(784), width: 28, height: 28, channels: 1 } as const
    const sizes = async (size?: number): Promise<string[]> => {
      const figure = await figureOf({ kind: 'pictures', title: '', pictures: [digit], ...(size && { size }) })
      const image = figure.querySelector('img')
      return ['width', 'height'].map((name) => image?.getAttribute(name) ?? '')
    }
    expect([await sizes(), await sizes(50)]).toEqual([
      ['84', '84'],
      ['50', '50'],
    ])
  })

  test('show captions and verdicts, not by colour alone', async () => {
    const figure = await figureOf({
      kind: 'pictures',
      title: '',
      pictures: [{ ...gray, caption: '7', right: true }, { ...gray, right: false }, gray],
    })
    expect([...figure.querySelectorAll('li')].map((item) => item.getAttribute('class') ?? '')).toEqual([
      'right',
      'wrong',
      '',
    ])
    expect(texts(figure, 'li')).toEqual(['✓ 7', '✗', ''])
    expect([...figure.querySelectorAll('img')].map((image) => image.getAttribute('alt'))).toEqual([
      '7',
      'picture 2 of 3',
      'picture 3 of 3',
    ])
  })

  test('must have the pixels of their size', async () => {
    const report = reportOf([{ kind: 'pictures', title: '', pictures: [{ ...gray, width: 3 }] }])
    await expect(renderReport(report)).rejects.toThrow(ShapeError)
  })
})

describe('heatmaps', () => {
  const tile = (values: readonly number[], rest: Partial<Matrix> = {}): Matrix => ({
    values,
    width: values.length,
    height: 1,
    ...rest,
  })

  test('the sign is the colour, the size the opacity, 0 the paper', async () => {
    const figure = await figureOf({ kind: 'heatmaps', title: '', matrices: [tile([-2, 0, 1])] })
    expect(pixelsOf(figure.querySelector('img'))).toEqual([33, 102, 188, 255, 206, 52, 40, 0, 206, 52, 40, 128])
    expect(texts(figure, '.scale span')).toEqual(['−', '+', 'each tile on its own scale'])
  })

  test('share one scale where told', async () => {
    const matrices = [tile([4]), tile([1])]
    const figure = await figureOf({ kind: 'heatmaps', title: '', matrices, scale: 'shared' })
    expect([...figure.querySelectorAll('img')].map((image) => pixelsOf(image)[3])).toEqual([255, 64])
    expect(texts(figure, '.scale span')).toEqual(['−4', '4'])
  })

  test('three channels are colours from the least to the greatest value', async () => {
    const matrices = [tile([-1, 0, 1, 0, 0, 0], { width: 2, channels: 3 })]
    const figure = await figureOf({ kind: 'heatmaps', title: '', matrices })
    expect(pixelsOf(figure.querySelector('img'))).toEqual([0, 255, 128, 255, 128, 128, 128, 255])
    expect(figure.querySelector('.scale')).toBeNull()
  })

  test('equal and not finite values have a colour, too', async () => {
    const matrices = [tile([0, 0]), tile([1, Number.NaN]), tile([5, 5, 5], { width: 1, channels: 3 })]
    const figure = await figureOf({ kind: 'heatmaps', title: '', caption: 'Weights.', matrices })
    const pixels = [...figure.querySelectorAll('img')].map(pixelsOf)
    expect(pixels[0]?.filter((_, i) => i % 4 === 3)).toEqual([0, 0])
    expect(pixels[1]?.slice(4)).toEqual([128, 128, 128, 255])
    expect(pixels[2]).toEqual([128, 128, 128, 255])
    expect(texts(figure, 'figcaption p')).toEqual(['Weights. Gray: 1 value NaN or infinite.'])
  })

  test('are one picture to those who can not see it, unless each has a caption', async () => {
    const grid = async (caption?: string): Promise<Element | null> =>
      (
        await figureOf({ kind: 'heatmaps', title: '', matrices: [tile([1], caption ? { caption } : {})] })
      ).querySelector('ul')
    expect((await grid())?.getAttribute('role')).toBe('img')
    expect((await grid())?.getAttribute('aria-label')).toBe('1 matrix, 1 by 1')
    expect((await grid('unit 3'))?.getAttribute('role')).toBeNull()
    expect(texts((await grid('unit 3')) as Element, 'li span')).toEqual(['unit 3'])
  })

  test('must have the values of their size', async () => {
    const report = reportOf([{ kind: 'heatmaps', title: '', matrices: [tile([1, 2], { width: 3 })] }])
    await expect(renderReport(report)).rejects.toThrow(
      new ShapeError('heatmap 1: 3 x 1 values in 1 channel are 3, found 2', {
        hint: 'values are [height, width], or [3, height, width] with channels: 3',
      }),
    )
  })
})

describe('tables', () => {
  const rows = [
    ['tenfold', 38.2, '98.42 %'],
    ['others', 171, '–'],
  ]
  const table: Table = { kind: 'table', title: 'Times', columns: ['library', 'ms', 'accuracy'], rows }

  test('have headers, and numbers to the right with equal decimals', async () => {
    const figure = await figureOf(table)
    expect(texts(figure, 'thead th[scope=col]')).toEqual(['library', 'ms', 'accuracy'])
    expect(texts(figure, 'tbody th[scope=row]')).toEqual(['tenfold', 'others'])
    expect(texts(figure, 'tbody td.number')).toEqual(['38.2', '98.42 %', '171.0', '–'])
    expect(texts(figure, 'thead th.number')).toEqual(['ms', 'accuracy'])
  })

  test('need a cell for every column', async () => {
    const report = reportOf([{ ...table, rows: [...rows, ['lonely']] }])
    await expect(renderReport(report)).rejects.toThrow(
      new UsageError('table "Times": row 3 must have 3 cells, found 1', { hint: 'columns: library, ms, accuracy' }),
    )
  })
})

test('definitions pair names with values', async () => {
  const items = [
    { name: 'lr', value: '0.001' },
    { name: 'note', value: '' },
  ]
  const figure = await figureOf({ kind: 'definitions', title: 'Configuration', items })
  expect(texts(figure, 'dl dt')).toEqual(['lr', 'note'])
  expect(texts(figure, 'dl dd')).toEqual(['0.001', '–'])
})

test('shaded text keeps its line breaks, and shades by value', async () => {
  const pieces = [
    { text: 'Call ', value: 0 },
    { text: '<me>\n', value: 300 },
    { text: 'Ishmael', value: 600 },
  ]
  const figure = await figureOf({ kind: 'shaded', title: 'Spans', pieces })
  expect(texts(figure, '.shaded span')).toEqual(['Call', '<me>', 'Ishmael'])
  const page = await renderReport({
    title: 'x',
    summary: [],
    sections: [{ title: 'y', figures: [{ kind: 'shaded', title: '', pieces, most: 1200 }] }],
  })
  expect(page).toContain('&lt;me&gt;\n</span>')
  expect([...page.matchAll(/var\(--series-1\) (\d+)%/g)].map(([, percent]) => percent)).toEqual(['0', '14', '28'])
})

test.each([
  ['confusion', { kind: 'confusion', title: '', classes: [], counts: [] }, 'No classes.'],
  ['pictures', { kind: 'pictures', title: '', pictures: [] }, 'No pictures.'],
  ['heatmaps', { kind: 'heatmaps', title: '', matrices: [] }, 'No matrices.'],
  ['table', { kind: 'table', title: '', columns: ['a'], rows: [] }, 'No rows.'],
  ['definitions', { kind: 'definitions', title: '', items: [] }, 'No entries.'],
  ['shaded', { kind: 'shaded', title: '', pieces: [] }, 'No text.'],
] as const)('an empty figure of kind %s says so', async (_, figure, words) => {
  expect(texts(await figureOf(figure), '.empty')).toEqual([words])
})
