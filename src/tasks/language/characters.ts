/** Text as characters: each one that the training text has is a number, all others are one more. */
import { z } from 'zod'

/** The alphabet of a text: `characters[0]`, which stands for all others, is the replacement character. */
export const characterFacts = z.object({ characters: z.array(z.string()).min(2) })

export type CharacterFacts = z.infer<typeof characterFacts>

const unknown = '\ufffd'

/** Numbers of the characters (code points) of a text. */
export function encodeCharacters(text: string, { characters }: CharacterFacts): Int32Array {
  const numbers = new Map(characters.map((character, i) => [character, i]))
  return Int32Array.from([...text], (character) => numbers.get(character) ?? 0)
}

/** One line about the characters of a text that a model does not know, such as "2 of 9 characters are unknown to the model: é, ☃"; undefined: it knows all. */
export function unknownCharacters(text: string, { characters }: CharacterFacts): string | undefined {
  const known = new Set(characters.slice(1))
  const all = [...text]
  const strange = all.filter((character) => !known.has(character))
  if (strange.length === 0) return undefined
  const kinds = [...new Set(strange)]
  const shown = `${kinds.slice(0, 5).join(', ')}${kinds.length > 5 ? ', ...' : ''}`
  return `${strange.length.toLocaleString('en')} of ${all.length.toLocaleString('en')} characters are unknown to the model: ${shown}`
}

/** The text of numbers. */
export function decodeCharacters(numbers: Iterable<number>, { characters }: CharacterFacts): string {
  return Array.from(numbers, (number) => characters[number] ?? unknown).join('')
}

/** The characters of a text, the most frequent first. */
export function alphabetOf(text: string): CharacterFacts {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  counts.delete(unknown)
  const known = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return { characters: [unknown, ...known.map(([character]) => character)] }
}
