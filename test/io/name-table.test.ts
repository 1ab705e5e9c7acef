import { expect, test } from 'vitest'
import { NameTable } from '../../src/io/name-table.ts'
import { told } from '../data/support.ts'

const table = new NameTable('Net', [
  { official: 'stem/kernel', ours: 'stem.weight' },
  { official: 'block_*/scale', ours: 'blocks.*.norm.weight' },
])

test('names go both ways, with their number', () => {
  expect(table.toOurs('stem/kernel').name).toBe('stem.weight')
  expect(table.toOurs('block_12/scale').name).toBe('blocks.12.norm.weight')
  expect(table.toOfficial('blocks.3.norm.weight').name).toBe('block_3/scale')
  expect(table.hasOfficial('block_x/scale')).toBe(false)
  expect(table.hasOfficial('block_/scale')).toBe(false)
})

test('what is in no row is one clear line', async () => {
  expect(await told(() => table.toOurs('stem/kernle'))).toMatchInlineSnapshot(
    `"FormatError: Net checkpoint: unknown tensor "stem/kernle" | did you mean "stem/kernel"?"`,
  )
  expect(await told(() => table.toOfficial('head.weight'))).toMatchInlineSnapshot(
    `"FormatError: Net: "head.weight" is not a parameter of the official model"`,
  )
})
