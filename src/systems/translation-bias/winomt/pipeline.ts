/** WinoMT from sentences and translations to genders: align, find the person, read the gender. */
import { UsageError } from '../../../util/errors.ts'
import { fastAlign } from '../statistical/alignment.ts'
import { translatedEntityGender } from './gender.ts'
import { entityTokens, type Gender, targetIndices, tokensOf, type WinoSentence } from './sentences.ts'

/** A translated person. */
export interface FoundEntity {
  /** Target tokens aligned to the person. */
  readonly indices: readonly number[]
  readonly phrase: string
  readonly gender: Gender
}

/** Aligns all sentences with their translations at once, and reads the gender of each person. */
export function readGenders(
  sentences: readonly WinoSentence[],
  translations: readonly string[],
  language: string,
): FoundEntity[] {
  if (sentences.length !== translations.length)
    throw new UsageError(
      `there must be a translation for each of ${sentences.length} sentences, found ${translations.length}`,
    )
  const empty = translations.findIndex((text) => text.trim() === '')
  if (empty >= 0) throw new UsageError(`translation ${empty + 1} must have words, found none`)
  const { links } = fastAlign(sentences.map(({ text }, i) => [tokensOf(text), tokensOf(translations[i] ?? '')]))
  return sentences.map((sentence, i) => {
    const target = translations[i] ?? ''
    const indices = targetIndices(entityTokens(sentence), links[i] ?? [])
    const tokens = tokensOf(target)
    const phrase = indices.map((index) => tokens[index]).join(' ')
    const entity = { phrase, profession: sentence.entity, target, indices }
    return { indices, phrase, gender: translatedEntityGender(language, entity) }
  })
}
