/** The gender of a translated person by the rules of WinoMT, a rule for each target language. */
import { UsageError } from '../../../util/errors.ts'
import { smallest } from '../../../util/lists.ts'
import { romanceGender, romanceLanguages } from './romance.ts'
import type { Gender } from './sentences.ts'
import { spacyTokens } from './tokens.ts'

/** What a rule sees of a translation. */
export interface TranslatedEntity {
  /** The target tokens aligned to the person, in the order of its source tokens; empty if there are none. */
  readonly phrase: string
  /** The English word. */
  readonly profession: string
  readonly target: string
  /** The aligned tokens among those that white space separates, in any order. */
  readonly indices: readonly number[]
}

type GenderRule = (entity: TranslatedEntity) => Gender

/** Determiners and pronouns by what the official rule takes them for; "den" is left out on purpose: it has both. */
const germanDeterminers: ReadonlyMap<string, Gender> = new Map([
  ...[
    'der',
    'ein',
    'dem',
    'einen',
    'des',
    'er',
    'seiner',
    'ihn',
    'seinen',
    'ihm',
    'ihren',
    'seinem',
    'ihrem',
    'sein',
  ].map((word) => [word, 'male'] as const),
  ...['die', 'eine', 'einer', 'sie', 'seine', 'ihrer'].map((word) => [word, 'female'] as const),
  ...['ihr', 'ihre', 'das', 'jemanden'].map((word) => [word, 'neutral'] as const),
])

/** "-in" is a woman (and so is the preposition "in"); else the nearest determiner of the sentence; else a man. */
const german: GenderRule = ({ phrase, profession, target, indices }) => {
  if (/^(the )?nurse$/i.test(profession.trim())) return 'female'
  if (phrase.trim() === '') return 'male'
  if (spacyTokens(phrase, 'de').some((token) => token.endsWith('in'))) return 'female'
  const firstIndex = smallest(indices)
  let [nearest, gender]: [number, Gender] = [Number.POSITIVE_INFINITY, 'male']
  for (const [i, token] of spacyTokens(target, 'de').entries()) {
    const found = germanDeterminers.get(token.toLowerCase())
    const distance = Math.abs(i - firstIndex)
    if (found && distance < nearest) [nearest, gender] = [distance, found]
  }
  return gender
}

/** The marker of the object, which ends like a woman's word. */
const objectMarker = 'את'

const hebrew: GenderRule = ({ phrase }) => {
  if (phrase.trim() === '') return 'unknown'
  const tokens = spacyTokens(phrase, 'he').filter((token) => token !== objectMarker)
  return tokens.some((token) => /[הת]$/u.test(token)) ? 'female' : 'male'
}

/** Ta marbuta in either of its forms, anywhere in a word. */
const arabic: GenderRule = ({ phrase }) => {
  if (phrase.trim() === '') return 'unknown'
  return /[\u0629\uFE94]/u.test(phrase) ? 'female' : 'male'
}

const romance = romanceLanguages.map((language): [string, GenderRule] => [
  language,
  ({ target, indices }) => romanceGender(language, target, indices),
])

const rules: Readonly<Record<string, GenderRule>> = {
  ar: arabic,
  de: german,
  he: hebrew,
  ...Object.fromEntries(romance),
}

/** Languages that have a rule. */
export const ruledLanguages: readonly string[] = Object.keys(rules)

/** The gender of a translated person. Throws a UsageError for a language without a rule. */
export function translatedEntityGender(language: string, entity: TranslatedEntity): Gender {
  const rule = Object.hasOwn(rules, language) ? rules[language] : undefined
  if (!rule)
    throw new UsageError(`language must be one of ${ruledLanguages.join(', ')}, found "${language}"`, {
      hint: 'the rules of the other languages of WinoMT need taggers that tenfold does not have',
    })
  return rule(entity)
}
