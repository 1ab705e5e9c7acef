import { describe, expect, test } from 'vitest'
import { listOpsLength, listOpsText, listOpsTokens, listOpsValue } from '../../../src/tasks/sequences/listops.ts'
import { makeListOps } from '../../../src/tasks/sequences/open-listops.ts'
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

  test('expressions are different, and as long as asked for', () => {
    const trees = makeListOps(50, 10, 40, { maxDepth: 6, maxArgs: 5, nodeShare: 0.25 }, 1)
    expect(new Set(trees.map(listOpsText)).size).toBe(50)
    for (const made of trees) {
      expect(listOpsLength(made)).toBeGreaterThan(10)
      expect(listOpsLength(made)).toBeLessThan(40)
    }
  })

  test('lengths that do not exist end in an error', async () => {
    const make = () => makeListOps(3, 50, 60, { maxDepth: 2, maxArgs: 3, nodeShare: 0.25 }, 1)
    expect(await told(make)).toMatchInlineSnapshot(
      `"UsageError: no 3 different expressions of 50 to 60 tokens were found | take a wider range of lengths, or more levels"`,
    )
  })
})
