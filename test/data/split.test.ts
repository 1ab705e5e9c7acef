import { expect, test } from 'vitest'
import { nameHashes, splitByName, splitCorpus, splitRandomly } from '../../src/data/split.ts'

const names = Array.from({ length: 1000 }, (_, i) => `class-${i % 10}/${i}.png`)
const nameHash = (name: string) => nameHashes([name], 0)[0] ?? 0
const held = (list: readonly string[], seed = 0) => splitByName(list, 0.2, seed).test.map((row) => list[row])

test('about the share is held out; the parts are disjoint, complete, in order', () => {
  const { train, test: rows } = splitByName(names, 0.2, 0)
  expect(rows.length).toBeGreaterThan(160)
  expect(rows.length).toBeLessThan(240)
  expect([...train, ...rows].sort((a, b) => a - b)).toEqual([...names.keys()])
  expect(rows).toEqual(rows.toSorted((a, b) => a - b))
  expect(held(names, 1)).not.toEqual(held(names))
})

test('deleting and adding moves no other', () => {
  const before = new Set(held(names))
  const rest = names.filter((_, i) => i % 7 !== 3)
  expect(held(rest)).toEqual(rest.filter((name) => before.has(name)))
  const more = [...names, ...Array.from({ length: 500 }, (_, i) => `new/${i}.png`)]
  expect(held(more).filter((name) => name && names.includes(name))).toEqual([...before])
})

test('a name in the form that macOS writes it is the same name', () => {
  expect(nameHash('grün/ä.png'.normalize('NFD'))).toBe(nameHash('grün/ä.png'.normalize('NFC')))
})

test('tiny sets: none is held out, unless the share is about one example', () => {
  // None of these has a hash below the share.
  const few = names.filter((name) => nameHash(name) > 0.5).slice(0, 4)
  expect(held(few.slice(0, 2))).toEqual([])
  const lowest = few.toSorted((a, b) => nameHash(a) - nameHash(b))[0]
  expect(held(few)).toEqual([lowest])
  expect(held([...few, ...few])).toEqual([lowest, lowest])
  expect(splitByName([], 0.2, 0)).toEqual({ train: [], test: [] })
})

test('a random draw of so many', () => {
  const { train, test: rows } = splitRandomly(10, 3, 4)
  expect(rows).toHaveLength(3)
  expect([...train, ...rows].sort((a, b) => a - b)).toEqual([...Array(10).keys()])
})

test('a corpus is split into disjoint parts that keep their order', () => {
  const { test: held, train } = splitCorpus(0.25, 5)(Array.from({ length: 20 }, (_, i) => String(i)))
  expect(held).toHaveLength(5)
  expect([...held, ...train].sort((a, b) => a - b)).toEqual([...Array(20).keys()])
  expect(held).toEqual(held.toSorted((a, b) => a - b))
})
