/** The sentences of WinoMT (Stanovsky, Smith and Zettlemoyer 2019) and their translations. */
import { FormatError } from '../../../util/errors.ts'
import { pythonWords } from '../../../util/python-text.ts'

/** Genders in the order of the official tables. */
export const genders = ['male', 'female', 'neutral', 'unknown'] as const
export type Gender = (typeof genders)[number]

/** A sentence: the person in question, the gender that the sentence says, and where the person stands. */
export interface WinoSentence {
  readonly gold: Gender
  /** Index of the person's token, from 0, where white space separates. */
  readonly entityIndex: number
  readonly text: string
  readonly entity: string
  /** Whether an adjective stands between the article and the person. Default: false. */
  readonly described?: boolean
}

/** The words of a text. */
export const tokensOf = pythonWords

/** Lines of a file, the last one without an empty rest. */
export const linesOf = (text: string): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/)

/** Reads lines of gold, index, sentence, entity, separated by tabs. Throws a FormatError that names the line. */
export function parseSentences(text: string, name: string): WinoSentence[] {
  return linesOf(text).map((line, i) => {
    const [gold = '', index = '', sentence = '', entity] = line.split('\t')
    const gender = genders.find((each) => each === gold)
    if (entity === undefined || !gender || gender === 'unknown' || !/^\d+$/.test(index))
      throw new FormatError(
        `${name}: line ${i + 1} must be male, female or neutral, an index, a sentence and an entity, separated by tabs`,
      )
    const entityIndex = Number(index)
    const words = tokensOf(sentence).length
    if (entityIndex >= words)
      throw new FormatError(
        `${name}: line ${i + 1}: the entity's index must be below the ${words} words of the sentence, found ${index}`,
      )
    return { gold: gender, entityIndex, text: sentence, entity }
  })
}

const articles = new Set(['the', 'a', 'an'])

/** The source tokens that are the person: the article in front, if there is one, and the person's token. */
export function entityTokens({
  text,
  entityIndex,
  described = false,
}: Pick<WinoSentence, 'text' | 'entityIndex' | 'described'>): number[] {
  const article = entityIndex - (described ? 2 : 1)
  const before = tokensOf(text)[article]?.toLowerCase()
  return before !== undefined && articles.has(before) ? [article, entityIndex] : [entityIndex]
}

/** The target tokens that are aligned to the person: those of the article first. */
export function targetIndices(source: readonly number[], links: readonly (readonly [number, number])[]): number[] {
  return source.flatMap((token) => links.filter(([from]) => from === token).map(([, to]) => to))
}
