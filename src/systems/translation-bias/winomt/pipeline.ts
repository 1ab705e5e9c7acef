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

/**
 * Aligns all sentences with their translations at once, and reads the gender of each person. A translation without words says nothing to the
 * aligner: nobody is found in it, and its person's gender is that of an empty phrase.
 */
export function readGenders(
  sentences: readonly WinoSentence[],
  translations: readonly string[],
  language: string,
): FoundEntity[] {
  if (sentences.length !== translations.length)
    throw new UsageError(
      `there must be a translation for each of ${sentences.length} sentences, found ${translations.length}`,
    )
  const translated = sentences.map((sentence, i) => {
    const target = translations[i] ?? ''
    return { sentence, target, tokens: tokensOf(target) }
  })
  const worded = translated.filter(({ tokens }) => tokens.length > 0)
  const { links } = fastAlign(worded.map(({ sentence, tokens }) => [tokensOf(sentence.text), tokens]))
  const linksOf = new Map(worded.map((each, i) => [each, links[i] ?? []]))
  return translated.map((each) => {
    const { sentence, target, tokens } = each
    const indices = targetIndices(entityTokens(sentence), linksOf.get(each) ?? [])
    const phrase = indices.map((index) => tokens[index]).join(' ')
    const entity = { phrase, profession: sentence.entity, target, indices }
    return { indices, phrase, gender: translatedEntityGender(language, entity) }
  })
}
