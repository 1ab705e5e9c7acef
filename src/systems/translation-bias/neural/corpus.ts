/**
 * A parallel corpus whose every proportion is known: "ő egy orvos" -> "she is a doctor" or "he is a doctor", other sentences about the same
 * people, and sentences whose context says who is meant.
 */
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'

/** An occupation, how often it occurs, and how often with "he". */
export interface CorpusOccupation {
  readonly occupation: string
  readonly foreign: string
  /** Sentences of the corpus. */
  readonly count: number
  /** Share of "he", from 0 to 1. */
  readonly he: number
}

/** A sentence of both languages, and what is known of the person. */
export interface ParallelSentence {
  readonly source: string
  readonly target: string
  /** Index into the occupations. */
  readonly occupation: number
  readonly pronoun: 'he' | 'she'
  /** Whether the source says which it is. */
  readonly known: boolean
}

/** Frequent ones and rare ones, of all shares: 60 % "he" in all. Made up. */
export const occupations: readonly CorpusOccupation[] = [
  { occupation: 'doctor', foreign: 'orvos', count: 400, he: 0.65 },
  { occupation: 'nurse', foreign: 'ápoló', count: 400, he: 0.1 },
  { occupation: 'teacher', foreign: 'tanár', count: 400, he: 0.4 },
  { occupation: 'engineer', foreign: 'mérnök', count: 400, he: 0.9 },
  { occupation: 'lawyer', foreign: 'ügyvéd', count: 400, he: 0.6 },
  { occupation: 'driver', foreign: 'sofőr', count: 400, he: 0.95 },
  { occupation: 'cleaner', foreign: 'takarító', count: 200, he: 0.3 },
  { occupation: 'politician', foreign: 'politikus', count: 200, he: 0.75 },
  { occupation: 'cook', foreign: 'szakács', count: 200, he: 0.55 },
  { occupation: 'professor', foreign: 'professzor', count: 200, he: 0.85 },
  { occupation: 'librarian', foreign: 'könyvtáros', count: 40, he: 0.2 },
  { occupation: 'secretary', foreign: 'titkár', count: 40, he: 0.05 },
  { occupation: 'mechanic', foreign: 'szerelő', count: 40, he: 0.95 },
  { occupation: 'dentist', foreign: 'fogorvos', count: 40, he: 0.5 },
  { occupation: 'judge', foreign: 'bíró', count: 20, he: 0.7 },
  { occupation: 'tailor', foreign: 'szabó', count: 20, he: 0.25 },
]

/** What is said of a person: source and target around the occupation; H stands for the pronoun. */
const patterns: readonly (readonly [source: string, target: string])[] = [
  ['ő egy %', 'H is a %'],
  ['ő jó %', 'H is a good %'],
  ['ő volt a %', 'H was the %'],
  ['ő % lesz', 'H will be a %'],
]

/** Sentences before: somebody's mother or father, who the pronoun is. */
const contexts = {
  she: [
    ['anyám itt van', 'my mother is here'],
    ['a lányom dolgozik', 'my daughter works'],
  ],
  he: [
    ['apám itt van', 'my father is here'],
    ['a fiam dolgozik', 'my son works'],
  ],
} as const

/** A tag in front of the source asks for a pronoun. */
export const tags = { she: '<she>', he: '<he>' } as const

/** How a corpus is made. */
export interface CorpusOptions {
  readonly seed: number
  /** Share of the sentences that have one before them that says who is meant. */
  readonly context: number
  /** Share of the sentences with a tag. Default: 0. */
  readonly tagged?: number
}

const otherOf = { he: 'she', she: 'he' } as const

/** A sentence with an occupation. */
function sentenceOf(
  { occupation, foreign }: CorpusOccupation,
  pronoun: 'he' | 'she',
  pattern: readonly [string, string],
): readonly [source: string, target: string] {
  return [pattern[0].replace('%', foreign), pattern[1].replace('H', pronoun).replace('%', occupation)]
}

/**
 * The corpus: of each occupation exactly `count` sentences, exactly `round(count * he)` of them with "he", in a random order. A context
 * says what the pronoun is, whatever the occupation: of these sentences half are "he".
 */
export function makeCorpus(
  list: readonly CorpusOccupation[],
  { seed, context, tagged = 0 }: CorpusOptions,
): ParallelSentence[] {
  if (list.length === 0) throw new UsageError('the corpus must have an occupation, found none')
  const generator = new Generator(seed)
  const draw = (below: number): number => Math.floor((generator.uniform(1)[0] ?? 0) * below)
  const found: ParallelSentence[] = []
  for (const [index, each] of list.entries()) {
    const men = Math.round(each.count * each.he)
    for (let i = 0; i < each.count; i++) {
      const pattern = patterns[draw(patterns.length)] ?? ['', '']
      const pronoun = i < men ? 'he' : 'she'
      const [source, target] = sentenceOf(each, pronoun, pattern)
      const tag = draw(1000) < 1000 * tagged ? `${tags[pronoun]} ` : ''
      found.push({ source: `${tag}${source}`, target, occupation: index, pronoun, known: tag !== '' })
    }
    for (let i = 0; i < Math.round(each.count * context); i++) {
      const pronoun = i % 2 === 0 ? 'he' : 'she'
      found.push(contextSentence(list, index, pronoun, draw(contexts.he.length), draw(patterns.length)))
    }
  }
  return [...generator.permutation(found.length)].flatMap((i) => found[i] ?? [])
}

function contextSentence(
  list: readonly CorpusOccupation[],
  occupation: number,
  pronoun: 'he' | 'she',
  contextIndex: number,
  patternIndex: number,
): ParallelSentence {
  const each = list[occupation]
  const [before, beforeEnglish] = contexts[pronoun][contextIndex] ?? ['', '']
  const pattern = patterns[patternIndex] ?? ['', '']
  const [source, target] = each ? sentenceOf(each, pronoun, pattern) : ['', '']
  return { source: `${before} . ${source}`, target: `${beforeEnglish} . ${target}`, occupation, pronoun, known: true }
}

/** Of each occupation the sentence of the first pattern: what a translator is asked. */
export function questions(list: readonly CorpusOccupation[]): string[] {
  return list.map((each) => sentenceOf(each, 'he', patterns[0] ?? ['', ''])[0])
}

/** The same with each context before it, with the pronoun that it asks for. */
export function contextQuestions(list: readonly CorpusOccupation[]): ParallelSentence[] {
  return list.flatMap((_, i) =>
    (['he', 'she'] as const).flatMap((pronoun) =>
      contexts[pronoun].map((_context, c) => contextSentence(list, i, pronoun, c, 0)),
    ),
  )
}

/** Every sentence, and every one again with the other pronoun (counterfactual data, Zhao et al. 2018); the context stays with its own. */
export function counterfactual(corpus: readonly ParallelSentence[]): ParallelSentence[] {
  return corpus.flatMap((each) => {
    if (each.known) return [each]
    const pronoun = otherOf[each.pronoun]
    const target = each.target.replace(new RegExp(`^${each.pronoun}\\b`), pronoun)
    return [each, { ...each, target, pronoun }]
  })
}

/** Sentences of the rarer pronoun repeated until both are equally frequent with each occupation. */
export function balanced(corpus: readonly ParallelSentence[]): ParallelSentence[] {
  const free = corpus.filter(({ known }) => !known)
  const groups = new Map<number, { he: ParallelSentence[]; she: ParallelSentence[] }>()
  for (const each of free) {
    const group = groups.get(each.occupation) ?? { he: [], she: [] }
    group[each.pronoun].push(each)
    groups.set(each.occupation, group)
  }
  const more = [...groups.values()].flatMap(({ he, she }) => {
    const [less, most] = he.length < she.length ? [he, she] : [she, he]
    return less.length === 0
      ? []
      : Array.from({ length: most.length - less.length }, (_, i) => less[i % less.length] ?? less[0]).flatMap(
          (each) => each ?? [],
        )
  })
  return [...corpus, ...more]
}

/** Words of both languages, with padding, begin and end in front. */
export const special = { pad: 0, bos: 1, eos: 2 } as const

/** Every word of the corpus by its id. */
export function vocabularyOf(corpus: readonly ParallelSentence[]): readonly string[] {
  const words = new Set<string>([tags.he, tags.she])
  for (const { source, target } of corpus) for (const word of `${source} ${target}`.split(' ')) words.add(word)
  return ['<pad>', '<s>', '</s>', ...[...words].sort()]
}
