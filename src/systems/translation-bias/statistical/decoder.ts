/** Phrase-based stack decoding (Koehn 2010, chapter 6), as NLTK's StackDecoder: the most probable translation, and nothing but it. */
import { requireCount, requireWithin } from '../../../util/check.ts'
import { UsageError } from '../../../util/errors.ts'

/** A translation of a phrase. */
export interface PhraseOption {
  readonly target: readonly string[]
  readonly logProbability: number
}

/** What a phrase may become, the most probable first. */
export class PhraseTable {
  readonly #options = new Map<string, PhraseOption[]>()

  /** Adds p(target | source). */
  add(source: readonly string[], target: readonly string[], probability: number): void {
    const key = source.join(' ')
    const options = this.#options.get(key) ?? []
    options.push({ target, logProbability: Math.log(probability) })
    options.sort((a, b) => b.logProbability - a.logProbability)
    this.#options.set(key, options)
  }

  of(source: readonly string[]): readonly PhraseOption[] {
    return this.#options.get(source.join(' ')) ?? []
  }
}

/** What the decoder asks of a language model, as logarithms. */
export interface DecoderLanguageModel {
  /** Of words alone, without what stands before them. */
  readonly logProbability: (words: readonly string[]) => number
  /** Of words after a history that begins with the sentence. */
  readonly logChange: (history: readonly string[], words: readonly string[]) => number
}

/** Bigram probabilities by "previous word": `<s>` before a sentence, `*` before words taken alone. */
export function bigramLanguageModel(
  probabilities: ReadonlyMap<string, number>,
  fallback: number,
): DecoderLanguageModel {
  const from = (first: string, words: readonly string[]): number =>
    words.reduce(
      (sum, word, i) => sum + Math.log(probabilities.get(`${i === 0 ? first : words[i - 1]} ${word}`) ?? fallback),
      0,
    )
  return {
    logProbability: (words) => from('*', words),
    logChange: (history, words) => from(history.at(-1) ?? '<s>', words),
  }
}

/** Settings of the search, by NLTK's names and with its defaults. */
export interface DecoderOptions {
  /** Hypotheses that a stack keeps. Default 100. */
  readonly stackSize?: number
  /** Hypotheses less probable than this share of the best are dropped. Default 0: none. */
  readonly beamThreshold?: number
  /** Taken off for each word of the translation. Default 0. */
  readonly wordPenalty?: number
  /** The factor for each place that a phrase is moved by. Default 0.5. */
  readonly distortionFactor?: number
  /**
   * The words by which the language model estimates what is still to translate: of the phrase's best translation, or, as NLTK has it,
   * of the source. Default 'target'.
   */
  readonly futureWords?: 'target' | 'source'
}

interface Hypothesis {
  readonly score: number
  readonly total: number
  readonly words: readonly string[]
  readonly covered: readonly boolean[]
  /** Exclusive end of the last phrase; undefined before the first. */
  readonly end: number | undefined
}

/** Hypotheses of equally many translated words, the best first. */
class Stack {
  items: Hypothesis[] = []
  readonly #size: number
  readonly #margin: number

  constructor(size: number, threshold: number) {
    this.#size = size
    this.#margin = Math.log(threshold)
  }

  push(hypothesis: Hypothesis): void {
    this.items.push(hypothesis)
    this.items.sort((a, b) => b.total - a.total)
    this.items.length = Math.min(this.items.length, this.#size)
    const limit = (this.items[0]?.total ?? 0) + this.#margin
    this.items = this.items.filter(({ total }) => total >= limit)
  }
}

// Nearly impossible, where the factor is 0.
const leastFactor = 1e-9

/** Best scores of translating [start, end) taken alone: key "start end". */
function futureScores(
  source: readonly string[],
  table: PhraseTable,
  model: DecoderLanguageModel,
  words: 'target' | 'source',
): (start: number, end: number) => number {
  const scores = new Map<string, number>()
  const of = (start: number, end: number): number => scores.get(`${start} ${end}`) ?? Number.NEGATIVE_INFINITY
  for (let length = 1; length <= source.length; length++) {
    for (let start = 0; start + length <= source.length; start++) {
      const end = start + length
      const phrase = source.slice(start, end)
      const [best] = table.of(phrase)
      let score = best
        ? best.logProbability + model.logProbability(words === 'source' ? phrase : best.target)
        : Number.NEGATIVE_INFINITY
      for (let middle = start + 1; middle < end; middle++) score = Math.max(score, of(start, middle) + of(middle, end))
      scores.set(`${start} ${end}`, score)
    }
  }
  return of
}

/** Maximal runs of what is not translated. */
function gaps(covered: readonly boolean[]): (readonly [start: number, end: number])[] {
  const found: [number, number][] = []
  for (const [i, isCovered] of covered.entries()) {
    if (isCovered) continue
    const last = found.at(-1)
    if (last && last[1] === i) last[1] = i + 1
    else found.push([i, i + 1])
  }
  return found
}

/** The best translation of a sentence; undefined where the phrase table cannot cover it. */
export function decode(
  source: readonly string[],
  table: PhraseTable,
  model: DecoderLanguageModel,
  options: DecoderOptions = {},
): readonly string[] | undefined {
  const { stackSize = 100, beamThreshold = 0, wordPenalty = 0, distortionFactor = 0.5 } = options
  requireCount('decode', 'stackSize', stackSize, 1, UsageError)
  requireWithin('decode', 'beamThreshold', beamThreshold, [0, 1], UsageError)
  requireWithin('decode', 'distortionFactor', distortionFactor, [0, 1], UsageError)
  const future = futureScores(source, table, model, options.futureWords ?? 'target')
  const perPlace = Math.log(distortionFactor || leastFactor)
  const stacks = Array.from({ length: source.length + 1 }, () => new Stack(stackSize, beamThreshold))
  stacks[0]?.push({ score: 0, total: 0, words: [], covered: source.map(() => false), end: undefined })
  for (const [translated, stack] of stacks.entries()) {
    for (const hypothesis of stack.items) {
      for (const [start, end] of phrasesIn(hypothesis.covered)) {
        for (const { target, logProbability } of table.of(source.slice(start, end))) {
          const distance = hypothesis.end === undefined ? 0 : Math.abs(start - hypothesis.end)
          const score =
            hypothesis.score +
            logProbability +
            model.logChange(hypothesis.words, target) +
            distance * perPlace -
            wordPenalty * target.length
          const covered = hypothesis.covered.map((was, i) => was || (i >= start && i < end))
          const rest = gaps(covered).reduce((sum, [from, to]) => sum + future(from, to), 0)
          const words = [...hypothesis.words, ...target]
          stacks[translated + end - start]?.push({ score, total: score + rest, words, covered, end })
        }
      }
    }
  }
  return stacks.at(-1)?.items[0]?.words
}

/** Every span of words that are still to translate, by start and length. */
function phrasesIn(covered: readonly boolean[]): (readonly [start: number, end: number])[] {
  return gaps(covered).flatMap(([from, to]) => {
    const spans: [number, number][] = []
    for (let start = from; start < to; start++) for (let end = start + 1; end <= to; end++) spans.push([start, end])
    return spans
  })
}
