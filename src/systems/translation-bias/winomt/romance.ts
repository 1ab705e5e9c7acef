/**
 * Genders of translated people in Portuguese, Spanish, French and Italian by their articles, and where these say nothing by the ending of
 * the noun. The official code asks taggers of spaCy for three of them; these rules are tenfold's own and need none.
 */
import { smallest } from '../../../util/lists.ts'
import type { Gender } from './sentences.ts'

/** What is known of a language. */
interface Romance {
  /** Articles, contractions with them and demonstratives of one gender. */
  readonly articles: ReadonlyMap<string, Gender>
  /** Endings of nouns, looked for in this order; `none`: either gender has it. */
  readonly endings: readonly (readonly [pattern: RegExp, gender: Gender | 'none'])[]
  /** Words that stand for a person of no gender. */
  readonly indefinite: readonly string[]
}

function articlesOf(male: string, female: string): ReadonlyMap<string, Gender> {
  const entries = (words: string, gender: Gender) => words.split(' ').map((word) => [word, gender] as const)
  return new Map([...entries(male, 'male'), ...entries(female, 'female')])
}

const languages: Readonly<Record<string, Romance>> = {
  pt: {
    articles: articlesOf(
      'o os um uns ao aos do dos no nos pelo pelos num dum este esse aquele neste nesse naquele deste desse daquele àquele nenhum algum outro',
      'a as uma umas à às da das na nas pela pelas numa duma esta essa aquela nesta nessa naquela desta dessa daquela àquela nenhuma alguma outra',
    ),
    endings: [
      [/(?:ista|nte|al|ar|ense|eta|ífice|peuta|atra|arca|guia|guarda|chefe|xerife)s?$/u, 'none'],
      [/(?:ora|eira|ária|ica|esa|essa|triz|inha|ã|ada|ida|óloga|ógrafa|a)s?$/u, 'female'],
      [/(?:or|ores|o|os|ês|eses|ão|ães|ões)$/u, 'male'],
    ],
    indefinite: ['alguém', 'ninguém'],
  },
  es: {
    articles: articlesOf(
      'el los un unos al del este ese aquel ningún algún otro',
      'la las una unas esta esa aquella ninguna alguna otra',
    ),
    endings: [
      [/(?:ista|nte|al|ar|ense|eta|ífice|peuta|atra|arca|guardia|guía)s?$/u, 'none'],
      [/(?:ora|era|aria|ica|esa|triz|ita|a)s?$/u, 'female'],
      [/(?:or|ores|o|os|és|eses|ón|án|ero)$/u, 'male'],
    ],
    indefinite: ['alguien', 'nadie'],
  },
  fr: {
    articles: articlesOf('le un au du ce cet', 'la une cette'),
    endings: [
      [/(?:euse|trice|ère|ière|ienne|esse|ée|ive|ante|onne|euses|trices|ières|iennes)s?$/u, 'female'],
      [/(?:eur|teur|er|ier|ien|ant|ent|if|on|é|u|in|t)s?$/u, 'male'],
    ],
    indefinite: ["quelqu'un", 'quelqu’un', 'personne'],
  },
  it: {
    articles: articlesOf(
      'il lo i gli un uno al allo ai agli del dello dei degli dal dallo nel nello sul sullo quel quello questo',
      "la le una un' alla alle della delle dalla dalle nella sulla quella questa",
    ),
    endings: [
      [/(?:ista|nte|ale|are|eta|peuta|atra|arca|ese|guida)$/u, 'none'],
      [/(?:trice|essa|iera|aia|ora|a|trici|esse|iere)$/u, 'female'],
      [/(?:tore|ore|iere|aio|o|tori|ori|ieri)$/u, 'male'],
    ],
    indefinite: ['qualcuno', 'nessuno'],
  },
}

/** Languages that these rules know. */
export const romanceLanguages: readonly string[] = Object.keys(languages)

/** Words without punctuation, an elided article by itself: "L'avocat," -> l', avocat. */
function wordsOf(token: string): string[] {
  const plain = token
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/^[^\p{L}]+|[^\p{L}']+$/gu, '')
  return plain.split(/(?<=^\p{L}+')(?=\p{L})/u).filter(Boolean)
}

/** The gender that most have; undefined where none has more than the other. */
function majority(found: readonly Gender[]): Gender | undefined {
  const count = (gender: Gender): number => found.filter((each) => each === gender).length
  const difference = count('male') - count('female')
  if (difference === 0) return undefined
  return difference > 0 ? 'male' : 'female'
}

function endingGender({ endings }: Romance, word: string): Gender | undefined {
  const gender = endings.find(([pattern]) => pattern.test(word))?.[1]
  return gender === 'none' ? undefined : gender
}

/**
 * The gender of the person at these tokens of a translation: of the article right before a noun of them; else of the articles among them;
 * else of an article right before the first; else of the nouns' endings; else unknown. "alguém" and its like are neutral.
 */
export function romanceGender(language: string, target: string, indices: readonly number[]): Gender {
  const known = languages[language]
  if (!known) throw new RangeError(`no rules of ${language}`)
  if (indices.length === 0) return 'unknown'
  const tokens = target.split(/\s+/).filter(Boolean).map(wordsOf)
  const wordsAt = (places: readonly number[]): string[] => places.flatMap((place) => tokens[place] ?? [])
  const genders = (words: readonly string[]): Gender[] => words.flatMap((word) => known.articles.get(word) ?? [])
  const isNoun = (word: string): boolean => !known.articles.has(word)
  const own = wordsAt(indices)
  if (own.some((word) => known.indefinite.includes(word))) return 'neutral'
  // An article may be aligned that belongs to another noun; the one before the noun does not.
  const nouns = indices.filter((place) => tokens[place]?.some(isNoun))
  return (
    majority(genders(wordsAt(nouns.map((place) => place - 1)))) ??
    majority(genders(own)) ??
    majority(genders(wordsAt([smallest(indices) - 1]))) ??
    majority(own.filter(isNoun).flatMap((word) => endingGender(known, word) ?? [])) ??
    'unknown'
  )
}
