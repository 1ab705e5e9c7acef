import { describe, expect, test } from 'vitest'
import { codecOf, encodeToFit } from '../../../src/tasks/sequences/codec.ts'
import {
  listOpsFault,
  listOpsLength,
  listOpsText,
  listOpsTokens,
  listOpsValue,
} from '../../../src/tasks/sequences/listops.ts'
import { listOpsSettings, makeListOps, openListOps } from '../../../src/tasks/sequences/open-listops.ts'
import { told } from '../../data/support.ts'

describe('ListOps', () => {
  const tree = {
    operator: '[MED',
    values: [{ operator: '[SM', values: [7, 5] }, 9, { operator: '[MIN', values: [3, 1] }, 4],
  }

  test('value, length and both ways to write it', () => {
    expect(listOpsValue(tree)).toBe(3) // of 1 2 4 9: (2 + 4) / 2
    expect(listOpsLength(tree)).toBe(listOpsTokens(tree).length)
    expect(listOpsTokens(tree).join(' ')).toBe('[MED [SM 7 5 X 9 [MIN 3 1 X 4 X')
    expect(listOpsText({ operator: '[MAX', values: [2, 9] })).toBe('( ( ( [MAX 2 ) 9 ) ] )')
  })

  test('expressions are different, and as long as asked for', async () => {
    const trees = await makeListOps(50, 10, 40, { maxDepth: 6, maxArgs: 5, nodeShare: 0.25 }, 1)
    expect(new Set(trees.map(listOpsText)).size).toBe(50)
    for (const made of trees) {
      expect(listOpsLength(made)).toBeGreaterThan(10)
      expect(listOpsLength(made)).toBeLessThan(40)
    }
  })

  test.each([
    ['3', undefined],
    ['[MAX 2 [MIN 4 7 X 0 X', undefined],
    ['', 'there is nothing in it'],
    ['[MAX X', 'a list has no values'],
    ['[MAX 2 [MIN 4 7 X', '1 list does not end'],
    ['[MAX 2 [MIN 4', '2 lists do not end'],
    ['[MAX 2 X [MIN 4 X', 'something follows the end of the expression'],
    ['X 3', 'a list ends that has not begun'],
  ])('%s: %s', (text, fault) => {
    expect(listOpsFault(text.split(' ').filter((word) => word !== ''))).toBe(fault)
  })

  test('a text must be an expression, and fit', async () => {
    const facts = { kind: 'listops', max_seq_length: 8 } as const
    expect(encodeToFit('( ( [MAX 2 ) 9 ) ]', facts)).toHaveLength(4)
    expect(await told(() => codecOf(facts).encode('[MAX 2'))).toBe(
      'UsageError: must be an expression of ListOps, but 1 list does not end | write it like "[MAX 2 9 [MIN 4 7 ] ]"',
    )
    expect(await told(() => encodeToFit('[MAX 1 2 3 4 5 ]', facts))).toBe(
      'UsageError: must have at most 6 tokens, as those of the training, found 7',
    )
  })

  test('lengths that cannot be are refused at once', async () => {
    const opening = () => openListOps(listOpsSettings.parse({ min_length: 50, max_seq_length: 32 }))
    expect(await told(opening)).toContain('data.min_length must be below data.max_seq_length - 2, found 50 and 32')
  })

  test('lengths that do not exist end in an error', async () => {
    const make = () => makeListOps(3, 50, 60, { maxDepth: 2, maxArgs: 3, nodeShare: 0.25 }, 1)
    expect(await told(make)).toMatchInlineSnapshot(
      `"UsageError: no 3 different expressions of 50 to 60 tokens were found | take a wider range of lengths, or more levels"`,
    )
  })
})
