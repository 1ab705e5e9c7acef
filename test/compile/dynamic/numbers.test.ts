import { expect, test } from 'vitest'
import { fitNumber, numberAt } from '../../../src/compile/dynamic/numbers.ts'
import { samplePoints } from '../../../src/compile/dynamic/samples.ts'
import { SizeTable } from '../../../src/compile/dynamic/sizes.ts'

const functions: Readonly<Record<string, (n: number) => number>> = {
  '1 / n': (n) => 1 / n,
  '-2 / (3 n - 1)': (n) => -2 / (3 * n - 1),
  '1 / sqrt(n)': (n) => 1 / Math.sqrt(n),
  'sqrt(n + 2)': (n) => Math.sqrt(n + 2),
  'log(n)': Math.log,
  'n / (n - 1)': (n) => n / (n - 1),
  '0.1 n': (n) => 0.1 * n,
  '0.37 / n': (n) => 0.37 / n,
  '1 / n^2': (n) => 1 / (n * n),
  '5 n': (n) => 5 * n,
}

const points = samplePoints(1)[0] ?? []

function tableWithAxis(): SizeTable {
  const table = new SizeTable(points)
  table.axis(points.map(([n = 0]) => n))
  return table
}

test.each(Object.entries(functions))('%s is found from its values, rounded to float32 or not', (_, of) => {
  const values = points.map(([n = 0]) => of(n))
  for (const round of [Math.fround, (value: number) => value]) {
    const found = fitNumber(tableWithAxis(), values.map(round), round, 2 ** -23)
    for (const n of [2, 7, 1000]) {
      const value = found && numberAt(found, { sizes: [n], axes: [] })
      expect(Math.abs((value ?? Number.NaN) / of(n) - 1)).toBeLessThan(2 ** -22)
    }
  }
})

test('other functions are not taken for one of these', () => {
  for (const of of [
    Math.sin,
    (n: number) => n ** 0.3,
    (n: number) => Math.exp(-n / 100),
    () => Number.NaN,
    (n: number) => n % 3,
  ]) {
    const values = points.map(([n = 0]) => of(n))
    const isFixed = values.every((value) => Object.is(value, values[0]))
    const found = fitNumber(tableWithAxis(), values.map(Math.fround), Math.fround, 2 ** -23)
    expect([String(of), found]).toEqual([String(of), isFixed ? found : undefined])
  }
})
