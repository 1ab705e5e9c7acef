/** Which kinds of characters are remembered how long: names against spaces. */
import type { Table } from '../../report/figures.ts'
import { meanOf } from '../../util/vectors.ts'

/** Kinds of characters, each with what belongs to it. */
const kinds = [
  ['in a name: a capitalised word inside of a sentence', 'name'],
  ['in a word that occurs once in the passage', 'rare'],
  ['in another word, its last character', 'end'],
  ['in another word, before its last character', 'inside'],
  ['space', 'space'],
  ['line end', 'line'],
  ['digit', 'digit'],
  ['punctuation and other signs', 'other'],
] as const

export type CharacterKind = (typeof kinds)[number][1]

/** The kind of each character. A word is of letters; one after a full stop, or at the beginning, is no name for its capital. */
export function characterKinds(characters: readonly string[]): CharacterKind[] {
  const text = characters.map((character) => (character.length === 1 ? character : '?')).join('')
  const found = characters.map((character): CharacterKind => {
    if (character === ' ') return 'space'
    if (character === '\n' || character === '\r') return 'line'
    return /\d/.test(character) ? 'digit' : 'other'
  })
  const words = [...text.matchAll(/\p{L}+/gu)]
  const times = new Map<string, number>()
  for (const [word] of words) times.set(word.toLowerCase(), (times.get(word.toLowerCase()) ?? 0) + 1)
  for (const { 0: word, index } of words) {
    const isName = /^\p{Lu}\p{Ll}/u.test(word) && /[\p{L},;] *\s?$/u.test(text.slice(Math.max(0, index - 3), index))
    const isRare = (times.get(word.toLowerCase()) ?? 0) === 1
    for (let i = index; i < index + word.length; i++) {
      const inWord = i === index + word.length - 1 ? 'end' : 'inside'
      found[i] = isName ? 'name' : isRare ? 'rare' : inWord
    }
  }
  return found
}

/** The mean span of each kind, over all layers and in each; `spans` [layers][characters]. */
export function kindTable(characters: readonly string[], spans: readonly (readonly number[])[]): Table {
  const found = characterKinds(characters)
  const rows = kinds.flatMap(([title, kind]) => {
    const at = [...found.keys()].filter((i) => found[i] === kind)
    if (at.length === 0) return []
    const layers = spans.map((layer) => at.reduce((sum, i) => sum + (layer[i] ?? 0), 0) / at.length)
    const all = meanOf(layers)
    return [[title, at.length, Math.round(all), ...layers.map(Math.round)]]
  })
  return {
    kind: 'table',
    title: 'Kinds of characters and their spans',
    caption: 'Means over the passage.',
    columns: ['character', 'times', 'all layers', ...spans.map((_, layer) => `layer ${layer}`)],
    rows,
  }
}
