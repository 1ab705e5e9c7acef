/** Trains small translators that differ in one thing each, and asks all of them the same. */
import { z } from 'zod'
import { deriveSeed } from '../../../util/random.ts'
import { type RewriteTarget, rewritePronouns } from '../mitigation/rewriting.ts'
import { genderDirection, normalized } from '../mitigation/vectors.ts'
import {
  balanced,
  contextQuestions,
  counterfactual,
  makeCorpus,
  occupations,
  type ParallelSentence,
  questions,
  tags,
  vocabularyOf,
} from './corpus.ts'
import { calibratedTemperature, type NeuralShares, qualityOf, type Shown, shownShare } from './measure.ts'
import { NeuralTranslator, type TranslatorOptions } from './translator.ts'

/** The corpora and what is asked. */
export interface StudyData {
  readonly train: readonly ParallelSentence[]
  readonly test: readonly ParallelSentence[]
  readonly words: readonly string[]
}

/** Share of the corpus with a sentence before that says who is meant. */
const contextShare = 0.15
/** Of the sentences of a tagged corpus. */
const taggedShare = 0.5

/** A corpus and a test set that shares no draw with it; `tagged`: half of the sentences say the pronoun in front. */
export function studyData(seed: number, { tagged = false } = {}): StudyData {
  const train = makeCorpus(occupations, { seed, context: contextShare, tagged: tagged ? taggedShare : 0 })
  const few = occupations.map((each) => ({ ...each, count: Math.max(10, Math.round(each.count / 10)) }))
  const test = makeCorpus(few, { seed: Number(BigInt.asUintN(32, deriveSeed(seed, 'test'))), context: contextShare })
  return { train, test, words: vocabularyOf([...train, ...test]) }
}

/** Shares of "he" by occupation in the sentences that do not say who is meant. */
export function corpusShares(corpus: readonly ParallelSentence[]): { count: number; he: number }[] {
  return occupations.map((_, index) => {
    const own = corpus.filter(({ occupation, known }) => occupation === index && !known)
    return { count: own.length, he: own.filter(({ pronoun }) => pronoun === 'he').length / own.length }
  })
}

export const answersSchema = z.object({
  /** What is shown of each question to each of some readers: [questions][readers][translations]. */
  questions: z.array(z.array(z.array(z.string()))),
  /** Share of the context sentences with the pronoun that the context asks for. */
  context: z.number(),
  quality: z.object({ bleu: z.number(), chrf: z.number(), withoutPronoun: z.number() }),
})
/** What one way of translating gives. */
export type Answers = z.infer<typeof answersSchema>

/** Translates texts: what is shown of each. */
export type Show = (texts: readonly string[]) => Promise<readonly Shown[]>

/** Readers who ask each question: what is drawn differs from one to the next. */
const readers = 20

/** Asks the questions, the sentences with a context, and the test set. */
export async function ask(show: Show, test: readonly ParallelSentence[]): Promise<Answers> {
  const asked = await show(questions(occupations).flatMap((text) => Array.from({ length: readers }, () => text)))
  const contexts = contextQuestions(occupations)
  const inContext = await show(contexts.map(({ source }) => source))
  const right = inContext.filter((shown, i) => {
    const share = shownShare(shown)
    return share === (contexts[i]?.pronoun === 'he' ? 1 : 0)
  })
  const translated = await show(test.map(({ source }) => source))
  return {
    questions: occupations.map((_, i) => asked.slice(i * readers, (i + 1) * readers).map((shown) => [...shown])),
    context: right.length / contexts.length,
    quality: qualityOf(
      translated,
      test.map(({ target }) => target),
    ),
  }
}

/** Learnt shares beside those of a corpus; `shown` of the answers where there are any. */
export async function sharesOf(
  translator: NeuralTranslator,
  corpus: readonly ParallelSentence[],
  shown?: readonly Shown[],
): Promise<NeuralShares[]> {
  const learnt = await translator.pronouns(questions(occupations))
  const data = corpusShares(corpus)
  return occupations.map(({ occupation }, i) => {
    const { he = 0, she = 0 } = learnt[i] ?? {}
    return {
      occupation,
      count: data[i]?.count ?? 0,
      data: data[i]?.he ?? 0,
      learnt: he / (he + she),
      shown: shown && shownShare(shown[i] ?? []),
    }
  })
}

/** The likeliest translation. */
export const showBest =
  (translator: NeuralTranslator): Show =>
  (texts) =>
    translator.translate(texts)

/** One that is drawn. */
export const showDrawn =
  (translator: NeuralTranslator, seed: number, temperature = 1): Show =>
  (texts) =>
    translator.translate(texts, { doSample: true, temperature, seed })

/** The n best of a beam. */
export const showSeveral =
  (translator: NeuralTranslator, n: number): Show =>
  (texts) =>
    translator.translate(texts, { numBeams: Math.max(4, n), numReturnSequences: n })

/** With each tag in front; she first, as in the alphabet. Sentences with a context say it themselves. */
export const showTagged =
  (translator: NeuralTranslator): Show =>
  async (texts) => {
    const asks = texts.map((text) => !text.includes(' . '))
    const [she, he, plain] = [
      await translator.translate(texts.map((text, i) => (asks[i] ? `${tags.she} ${text}` : text))),
      await translator.translate(texts.map((text, i) => (asks[i] ? `${tags.he} ${text}` : text))),
      await translator.translate(texts),
    ]
    return texts.map((_, i) => (asks[i] ? [...(she[i] ?? []), ...(he[i] ?? [])] : (plain[i] ?? [])))
  }

const otherPronoun = (text: string): RewriteTarget => (text.split(' ').includes('he') ? 'she' : 'he')

/** The likeliest and the same in the other gender, where the source does not say which it is; `they`: only a neutral one. */
export const showRewritten =
  (translator: NeuralTranslator, target: 'other' | 'they'): Show =>
  async (texts) => {
    const found = await translator.translate(texts)
    return found.map(([text = ''], i) => {
      if (texts[i]?.includes(' . ')) return [text]
      return target === 'they' ? [rewritePronouns(text, 'they')] : [text, rewritePronouns(text, otherPronoun(text))]
    })
  }

/** Pairs that differ in gender only. */
const genderPairs = [
  ['he', 'she'],
  [tags.he, tags.she],
  ['apám', 'anyám'],
  ['fiam', 'lányom'],
  ['father', 'mother'],
  ['son', 'daughter'],
] as const

/** Takes the gender direction out of the vectors of the source's occupations (Bolukbasi et al. 2016: neutralise); lengths stay. */
export function neutralizeOccupations(translator: NeuralTranslator): void {
  const paired = new Map(genderPairs.flat().map((word) => [word, translator.vector(word)]))
  const direction = genderDirection(normalized(paired), genderPairs)
  const size = direction.reduce((sum, x) => sum + x * x, 0)
  translator.setVectors(
    new Map(
      occupations.map(({ foreign }) => {
        const vector = translator.vector(foreign)
        const along = vector.reduce((sum, x, i) => sum + x * (direction[i] ?? 0), 0) / size
        return [foreign, vector.map((x, i) => x - along * (direction[i] ?? 0))]
      }),
    ),
  )
}

/** The corpus with the translator's own translations as targets: what the web becomes when it is translated. */
export async function feedback(
  translator: NeuralTranslator,
  corpus: readonly ParallelSentence[],
  how: 'best' | 'drawn',
  seed: number,
): Promise<ParallelSentence[]> {
  const show = how === 'best' ? showBest(translator) : showDrawn(translator, seed)
  const translated = await show(corpus.map(({ source }) => source))
  return corpus.map((each, i) => {
    const [target = each.target] = translated[i] ?? []
    const isFemale = target.split(' ').includes('she')
    return { ...each, target, pronoun: each.known ? each.pronoun : isFemale ? 'she' : 'he' }
  })
}

/** Other data for the same translator. */
export const otherData = { balanced, counterfactual } as const

/** The temperature that fits the learnt shares to those of a part of the data. */
export async function fittedTemperature(
  translator: NeuralTranslator,
  corpus: readonly ParallelSentence[],
): Promise<number> {
  return calibratedTemperature(await sharesOf(translator, corpus))
}

/** Trains one on a corpus. */
export function trainOn(
  { test, words }: StudyData,
  corpus: readonly ParallelSentence[],
  options: TranslatorOptions,
): Promise<NeuralTranslator> {
  return NeuralTranslator.train(corpus, test, words, options)
}
