import { expect, test } from 'vitest'
import { type DataRecord, divide, recordWhole } from '../../src/data/record.ts'
import { dataRecord } from '../../src/data/record-file.ts'

const example = (name: string, digest = `of ${name}`) => ({ name, digest })
const many = Array.from({ length: 50 }, (_, i) => example(`${i}.png`))
const options = { unit: 'picture', share: 0.3, seed: 0 }

test('a record has every example on its side, and nothing changes when it is opened again', () => {
  const first = divide(many, undefined, options)
  expect(Object.keys({ ...first.record.train, ...first.record.test })).toHaveLength(50)
  expect(dataRecord.parse(JSON.parse(JSON.stringify(first.record)))).toEqual(first.record)
  const again = divide(many, undefined, { ...options, known: first.record })
  expect(again).toEqual(first)
})

test('what is known stays on its side whatever was deleted, added or changed, and the changes are told', () => {
  const { record } = divide(many, undefined, options)
  const now = [
    ...many.filter(({ name }) => !['1.png', '2.png', '3.png', '4.png'].includes(name)),
    example('new.png'),
  ].map((each) => (each.name === '7.png' ? example('7.png', 'other') : each))
  // Other settings do not matter any more.
  const { sides, changes } = divide(now, undefined, { ...options, share: 0.9, seed: 5, known: record })
  for (const row of sides.test) expect(record.train).not.toHaveProperty([now[row]?.name ?? ''])
  for (const row of sides.train) expect(record.test).not.toHaveProperty([now[row]?.name ?? ''])
  expect(sides.train.length + sides.test.length).toBe(46)
  expect(changes).toMatch(
    /^1 picture changed \(7\.png\); 4 pictures missing \(\d\.png, \d\.png, \d\.png and 1 more\); 1 picture new, left out \(new\.png\)$/,
  )
})

test('what was trained on is never tested with, nor the reverse, under whatever name it comes', () => {
  const { record } = divide([example('a'), example('b'), example('e')], [example('c'), example('d')], options)
  const known = { ...options, known: record }
  // Swapped between the folders.
  const swapped = divide(
    [example('a', 'of c'), example('b'), example('e')],
    [example('c', 'of a'), example('d')],
    known,
  )
  expect(swapped.sides).toEqual({ train: [1, 2], test: [1] })
  expect(swapped.changes).toBe(
    '1 test picture replaced by what was trained on, left out (c); 1 training picture replaced by what is tested with, left out (a)',
  )
  // Numbered anew after one was deleted, in one folder.
  const one: DataRecord = { ...record, train: { 1: 'x', 3: 'z' }, test: { 2: 'y' } }
  const renumbered = divide([example('1', 'y'), example('2', 'z')], undefined, { ...options, known: one })
  expect(renumbered.sides).toEqual({ train: [], test: [] })
  expect(renumbered.changes).toContain('; 1 picture missing (3)')
})

test('equal content on both sides is told, of a run too', () => {
  const [train, held] = [
    [example('a', 'same'), example('b')],
    [example('c', 'same'), example('d')],
  ]
  const first = divide(train, held, options)
  expect(first.shared).toEqual(['c'])
  const known = { ...options, known: first.record }
  expect(divide(train, held, known).shared).toEqual(['c'])
  // It was trained on, though it is there no more.
  expect(divide(train.slice(1), held, known).shared).toEqual(['c'])
  const changed = divide(
    [train[0] ?? example(''), example('b', 'new')],
    [held[0] ?? example(''), example('d', 'new')],
    known,
  )
  expect(changed.shared).toEqual(['c', 'd'])
})

test('a test set of its own; examples of one name', () => {
  const twice = [example('a', '1'), example('a', '2'), example('b')]
  const { sides, record } = divide(twice, [example('a')], options)
  expect(sides).toEqual({ train: [0, 1, 2], test: [0] })
  expect(record.train).toEqual({ a: '1', 'a#2': '2', b: 'of b' })
  expect(record.test).toEqual({ a: 'of a' })
  const equal = Array.from({ length: 40 }, () => example('same'))
  const one = divide(equal, undefined, { ...options, split: () => ({ train: [...equal.keys()], test: [] }) })
  expect(Object.keys(one.record.train)).toHaveLength(40)
  const missing = divide(twice.slice(1), [], { ...options, unit: 'row', known: record })
  expect(missing.changes).toBe('1 picture changed (a); 2 pictures missing (a#2, a)')
})

test('names that objects have of their own', () => {
  const { record } = divide([example('constructor'), example('__proto__')], [example('x')], options)
  const { sides, changes } = divide([example('constructor'), example('toString')], [example('x')], {
    ...options,
    known: record,
  })
  expect(sides.train).toEqual([0])
  expect(changes).toContain('1 picture new, left out (toString)')
})

test('sources that only change as a whole', () => {
  const { record } = recordWhole('picture', { mnist: '1.2.6' })
  expect(recordWhole('picture', { mnist: '1.2.6' }, record).changes).toBeUndefined()
  expect(recordWhole('picture', { mnist: '2.0.0' }, record).changes).toBe('mnist is 2.0.0 instead of 1.2.6')
})
