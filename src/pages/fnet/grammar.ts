/** A small language whose hidden words follow from others far away: number and gender go from the subject to verbs and pronouns. */
import type { Generator } from '../../util/random.ts'

const people = [
  { one: 'man', many: 'men', pronoun: 'he' },
  { one: 'boy', many: 'boys', pronoun: 'he' },
  { one: 'king', many: 'kings', pronoun: 'he' },
  { one: 'woman', many: 'women', pronoun: 'she' },
  { one: 'girl', many: 'girls', pronoun: 'she' },
  { one: 'queen', many: 'queens', pronoun: 'she' },
] as const
const deeds = [
  { one: 'drinks', many: 'drink', objects: ['water', 'tea', 'milk'] },
  { one: 'reads', many: 'read', objects: ['books', 'letters', 'poems'] },
  { one: 'sails', many: 'sail', objects: ['ships', 'boats', 'rafts'] },
  { one: 'eats', many: 'eat', objects: ['bread', 'fish', 'cake'] },
] as const
const moods = [
  { one: 'smiles', many: 'smile' },
  { one: 'sleeps', many: 'sleep' },
  { one: 'sings', many: 'sing' },
] as const
const places = ['river', 'rivers', 'house', 'houses', 'tree', 'trees'] as const
const adjectives = ['old', 'young', 'tall'] as const
const adverbs = ['often', 'never', 'always'] as const
const conjunctions = ['and', 'but'] as const

/** Ids are places in this list: padding, the hidden word, and the words. */
export const vocabulary: readonly string[] = [
  ...new Set([
    ...['[PAD]', '[MASK]', '.', 'the', 'near', 'he', 'she', 'they'],
    ...people.flatMap(({ one, many }) => [one, many]),
    ...deeds.flatMap(({ one, many, objects }) => [one, many, ...objects]),
    ...moods.flatMap(({ one, many }) => [one, many]),
    ...[...places, ...adjectives, ...adverbs, ...conjunctions],
  ]),
]
export const ids = { pad: 0, mask: 1 } as const
export const pronouns: readonly string[] = ['he', 'she', 'they']

/** Words of the longest sentence. */
export const longest = 14

/** A sentence: the old men near the river often drink tea but they smile . */
export function randomSentence(random: Generator): string[] {
  const draws = random.uniform(12)
  let drawn = 0
  const chance = (): number => draws[drawn++] ?? 0
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T
  const person = pick(people)
  const number = chance() < 0.5 ? 'one' : 'many'
  const deed = pick(deeds)
  const adjective = chance() < 0.5 ? [pick(adjectives)] : []
  const place = chance() < 0.6 ? ['near', 'the', pick(places)] : []
  const adverb = chance() < 0.4 ? [pick(adverbs)] : []
  const pronoun = number === 'many' ? 'they' : person.pronoun
  return [
    ...['the', ...adjective, person[number], ...place, ...adverb, deed[number], pick(deed.objects)],
    ...[pick(conjunctions), pronoun, pick(moods)[number], '.'],
  ]
}

/** The words of a line in the vocabulary's spelling, a point at the end; `unknown`: those that are not in it. */
export function wordsOf(line: string): { readonly words: readonly string[]; readonly unknown: readonly string[] } {
  const found = line.toLowerCase().match(/[a-z]+/g) ?? []
  const unknown = [...new Set(found.filter((word) => !vocabulary.includes(word)))]
  return { words: [...found.filter((word) => vocabulary.includes(word)).slice(0, longest - 1), '.'], unknown }
}

/** Ids of the words, filled up to the length of the longest sentence. */
export function encode(words: readonly string[]): number[] {
  return Array.from({ length: longest }, (_, i) => (i < words.length ? vocabulary.indexOf(words[i] ?? '') : ids.pad))
}
