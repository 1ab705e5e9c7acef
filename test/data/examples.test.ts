import { expect, test } from 'vitest'
import { type Cut, classLabels, exampleDataset, heldExamples, remembered } from '../../src/data/examples.ts'
import { type DecodedKind, type MemberSet, openMemberSet } from '../../src/data/sources/example-files.ts'
import { context, numbers } from './support.ts'

const cut: Cut<number, 'x'> = {
  fields: { x: { dtype: 'float32', shape: [2] } },
  cut: (whole, part) => ({
    x: 'random' in part ? Float32Array.of(whole, part.random.uniform(1)[0] ?? 0) : Float32Array.of(whole, part.window),
  }),
}
const examples = heldExamples([10, 20, 30], classLabels([0, 1, 0]))

test('windows of an example follow each other, with its label', async () => {
  const data = exampleDataset(examples, cut, { windows: 2 })
  expect(data.length).toBe(6)
  const batch = await data.batch([0, 1, 3], context)
  expect(numbers(batch, 'x')).toEqual([10, 0, 10, 1, 20, 1])
  expect(numbers(batch, 'label')).toEqual([0, 0, 1])
})

test('random parts are a function of seed, epoch and example', async () => {
  const data = exampleDataset(examples, cut, { random: true })
  const first = numbers(await data.batch([0, 2], context), 'x')
  expect(numbers(await data.batch([2], context), 'x')).toEqual(first.slice(2))
  expect(numbers(await data.batch([0], { epoch: 1, seed: 0 }), 'x')).not.toEqual(first.slice(0, 2))
})

test('what was read is kept as far as it fits', async () => {
  const reads: number[] = []
  const read = async (index: number): Promise<number> => {
    reads.push(index)
    return 4 * index
  }
  const kept = remembered({ length: 3, labels: classLabels([0, 0, 0]), read }, () => 10, 20)
  for (const index of [0, 1, 2, 0, 1, 2]) expect(await kept.read(index)).toBe(4 * index)
  expect(reads).toEqual([0, 1, 2, 2])
})

const kind: DecodedKind<string> = {
  unit: 'recording',
  endings: [],
  sample: '',
  decode: async (bytes) => new TextDecoder().decode(bytes),
}
const setOf = (members: readonly (readonly [name: string, label: string, group?: string])[]): MemberSet => ({
  title: 'Drums',
  sources: { drums: '1.0' },
  members: members.map(([name, label, group]) => ({
    name,
    label,
    ...(group !== undefined && { group }),
    bytes: async () => new TextEncoder().encode(name),
  })),
})
const options = { testShare: 0.25, seed: 0 }

test('of a set a share of each class is held out, the same for everyone', async () => {
  const set = setOf(Array.from({ length: 16 }, (_, i) => [`${i}`, i % 4 === 0 ? 'rare' : 'often'] as const))
  const { labels, train, test: held, opening } = openMemberSet(set, kind, options)
  expect(labels).toEqual(['often', 'rare'])
  expect([...held.labels.data].sort()).toEqual([0, 0, 0, 1])
  expect(opening.summary).toBe('Drums: 2 classes; 12 recordings to train on, 4 to test with')
  expect(opening.record.sources).toEqual({ drums: '1.0' })
  const names = await Promise.all(Array.from({ length: held.length }, (_, i) => held.read(i)))
  expect(Object.keys(opening.record.test)).toEqual(names)
  const again = openMemberSet(set, kind, { ...options, known: opening.record })
  expect([again.train.length, again.opening.changes]).toEqual([train.length, undefined])
})

test('whole groups are held out', () => {
  const set = setOf(Array.from({ length: 12 }, (_, i) => [`${i}`, `class ${i % 2}`, `kit ${i % 4}`] as const))
  const { record } = openMemberSet(set, kind, options).opening
  const groups = (names: object): Set<number> => new Set(Object.keys(names).map((name) => Number(name) % 4))
  expect(groups(record.test).size).toBe(1)
  expect([...groups(record.train)].some((group) => groups(record.test).has(group))).toBe(false)
})
