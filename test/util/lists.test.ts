import { expect, test } from 'vitest'
import { appendAll, largest, smallest } from '../../src/util/lists.ts'

test('lists that are too long for arguments', () => {
  const list = Array.from({ length: 500_000 }, (_, i) => i - 7)
  expect([smallest(list), largest(list)]).toEqual([-7, 499_992])
  const target = [1]
  appendAll(target, list)
  expect(target).toHaveLength(500_001)
})

test('of none', () => {
  expect([smallest([]), largest([])]).toEqual([Infinity, -Infinity])
})
