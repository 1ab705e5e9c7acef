/** The class of an English translation by its pronoun, as study A reads it. */
import { pythonWords } from '../../../util/python-text.ts'

/** What the tables of the study have in their cells: `?` is what could not be read. */
export type PronounClass = 'Female' | 'Male' | 'Neutral' | '?'

/** The words that decide. */
export interface PronounMarkers {
  readonly female: readonly string[]
  readonly male: readonly string[]
  readonly neuter: readonly string[]
}

const officialMarkers: PronounMarkers = {
  female: ['she', "she's", 'her'],
  male: ['he', "he's", 'his'],
  neuter: ['it', "it's", 'its', 'they', "they're", 'them', 'who', 'this', 'that'],
}

/**
 * The official `get_gender`: lower case, split at white space, no punctuation taken off, so that "she." is not read, and "he or she" is
 * Female because women are looked for first.
 */
export function officialPronounClass(text: string, markers = officialMarkers): PronounClass {
  const lower = text.toLowerCase()
  const words = new Set(pythonWords(lower))
  const has = (list: readonly string[]): boolean => list.some((word) => words.has(word))
  if (has(markers.female) || lower.startsWith('that woman')) return 'Female'
  if (has(markers.male) || lower.startsWith('that man')) return 'Male'
  return has(markers.neuter) ? 'Neutral' : '?'
}

/** A class, or both genders in one answer: "she is a doctor / he is a doctor". */
export type AnswerClass = PronounClass | 'Both'

/** "s/he", "(s)he", "s(he)", "s-he": both pronouns in one word. */
const sheOrHe = /(?<![\p{L}'])(?:s ?\/ ?he|\(s\) ?he|s\(he\)|s[-\u2010\u2011]he)(?!\p{L})/u
const women = /^(?:she|her|hers|herself|she'\p{L}+)$/u
const men = /^(?:he|him|his|himself|he'\p{L}+)$/u
const neither = /^(?:it|its|itself|they|them|their|theirs|themselves|this|that|who|(?:it|they|that|who)'\p{L}+)$/u
const person = /^(?:that|this|the) (?:person (?:is )?(?:a )?)?(woman|girl|lady|man|boy|guy)\b/

/**
 * The class of an answer as a reader sees it: punctuation and the form of the apostrophe do not matter, all forms of a pronoun count,
 * and an answer with both genders is Both.
 */
export function pronounClass(text: string): AnswerClass {
  const lower = text.toLowerCase().replaceAll('’', "'")
  const words = lower.match(/\p{L}+(?:'\p{L}+)?/gu) ?? []
  const noun = person.exec(lower)?.[1]
  const hasBoth = sheOrHe.test(lower)
  const isFemale = hasBoth || words.some((word) => women.test(word)) || /^(?:woman|girl|lady)$/.test(noun ?? '')
  const isMale = hasBoth || words.some((word) => men.test(word)) || /^(?:man|boy|guy)$/.test(noun ?? '')
  if (isFemale && isMale) return 'Both'
  if (isFemale) return 'Female'
  if (isMale) return 'Male'
  return words.some((word) => neither.test(word)) ? 'Neutral' : '?'
}
