/** The table of docs/ops.md, which scripts/check_ops reads: its rows must name ops that exist, in words that the check knows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as ops from '../../src/ops/index.ts'

const root = new URL('../..', import.meta.url).pathname
const head = ['op', 'difference', 'inputs', 'within', 'what tenfold does, and why']
const lines = readFileSync(join(root, 'docs/ops.md'), 'utf8').split('\n')
const script = readFileSync(join(root, 'scripts/check_ops/differences.py'), 'utf8')

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim())
const wordsOf = (cell: string): string[] => cell.split(',').map((word) => word.trim())

/** The words of a Python set. */
function setOf(name: string): string[] {
  const [, body = ''] = script.match(new RegExp(`^${name} = \\{([^}]*)\\}`, 'm')) ?? []
  return [...body.matchAll(/"([^"]+)"/g)].map(([, word = '']) => word)
}

const start = lines.findIndex((line) => cellsOf(line).join() === head.join())
const rows = lines.slice(start + 2).filter((line) => line.startsWith('|'))

test('the document has one table of differences', () => {
  expect(start).toBeGreaterThan(0)
  expect(rows.length).toBeGreaterThan(10)
  expect(setOf('KINDS')).toContain('gradient')
  expect(setOf('INPUTS')).toContain('non-finite')
})

test.each(rows)('%s', (row) => {
  const [names = '', kinds = '', inputs = '', within = '', reason = '', ...more] = cellsOf(row)
  expect(more).toEqual([])
  for (const name of wordsOf(names)) expect(ops).toHaveProperty(name)
  expect(setOf('KINDS')).toEqual(expect.arrayContaining(wordsOf(kinds)))
  expect(setOf('INPUTS')).toEqual(expect.arrayContaining(wordsOf(inputs)))
  expect(Number(within)).toBeGreaterThanOrEqual(0)
  expect(reason.length).toBeGreaterThan(10)
})
