import { expect, test } from 'vitest'
import type { Figure } from '../../src/report/figures.ts'
import { layoutRows } from '../../src/report/layout.ts'

const axis = { label: '' }
const figures = {
  plot: { kind: 'lines', title: 'plot', x: axis, y: axis, series: [] },
  tiles: { kind: 'heatmaps', title: 'tiles', matrices: [] },
  matrix: { kind: 'confusion', title: 'matrix', classes: [], counts: [] },
  pictures: { kind: 'pictures', title: 'pictures', pictures: [] },
  text: { kind: 'text', title: 'text', paragraphs: [] },
} as const satisfies Record<string, Figure>

type Name = keyof typeof figures

function rows(...names: readonly Name[]): string[] {
  return layoutRows(names.map((name) => figures[name])).map((row) => row.map(({ title }) => title).join(' '))
}

test('plots stand in pairs; where they are odd, the first has a row of its own', () => {
  expect(rows('plot')).toEqual(['plot'])
  expect(rows('plot', 'plot')).toEqual(['plot plot'])
  expect(rows('plot', 'plot', 'plot')).toEqual(['plot', 'plot plot'])
})

test('tiles stand by three, and never one alone behind others', () => {
  const sizes = (count: number): number[] =>
    layoutRows(new Array<Figure>(count).fill(figures.tiles)).map((row) => row.length)
  expect([1, 2, 3, 4, 5, 7, 9].map(sizes)).toEqual([[1], [2], [3], [2, 2], [3, 2], [3, 2, 2], [3, 3, 3]])
})

test('a matrix and its pictures share a row, a text has its own', () => {
  expect(rows('matrix', 'pictures', 'text', 'matrix')).toEqual(['matrix pictures', 'text', 'matrix'])
})

test('no figure is lost, whatever the order', () => {
  const names: Name[] = ['plot', 'text', 'tiles', 'plot', 'matrix', 'text', 'text', 'pictures', 'tiles', 'tiles']
  expect(rows(...names).join(' ')).toBe(names.join(' '))
  expect(layoutRows([])).toEqual([])
})

test('many tiles have the width of the page', () => {
  const matrices = new Array(101).fill({ values: [1], width: 1, height: 1 })
  const many: Figure = { kind: 'heatmaps', title: 'many', matrices }
  expect(layoutRows([figures.tiles, many, figures.tiles]).map((row) => row.length)).toEqual([1, 1, 1])
})
