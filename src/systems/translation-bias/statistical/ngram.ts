/** N-gram language models: counts of word sequences and their smoothing, with NLTK's definitions. */
import { requireCount } from '../../../util/check.ts'

/** Words of sentences that stand for what is not a word. */
const marks = { start: '<s>', end: '</s>', unknown: '<UNK>' } as const

/** The ways to give unseen sequences a probability. */
export type Smoothing =
  /** Relative frequencies: nothing unseen is possible. */
  | { readonly kind: 'mle' }
  /** gamma more of every word; 1 is Laplace's. */
  | { readonly kind: 'lidstone'; readonly gamma: number }
  /** What is unseen has alpha times the score of the shorter context; no probabilities (Brants et al. 2007). */
  | { readonly kind: 'stupid-backoff'; readonly alpha: number }
  /** Mixed with the shorter context by how many different words follow this one. */
  | { readonly kind: 'witten-bell' }
  | { readonly kind: 'absolute-discounting'; readonly discount: number }
  /** As absolute discounting, but shorter contexts count in how many different ones a word occurs. */
  | { readonly kind: 'kneser-ney'; readonly discount: number }

/** How sentences are padded: n - 1 marks in front, and behind n - 1 (NLTK) or one. Default: NLTK's. */
export interface NgramOptions {
  readonly endMarks?: number
  /** Whether the vocabulary has an unknown word and the start. Default true; a model of closed vocabulary has neither. */
  readonly open?: boolean
}

/** Counts of the words that follow a context. */
class Followers {
  readonly counts = new Map<string, number>()
  total = 0

  add(word: string, count: number): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + count)
    this.total += count
  }

  share(word: string): number {
    return this.total === 0 ? 0 : (this.counts.get(word) ?? 0) / this.total
  }
}

const separator = '\u0000'
const keyOf = (words: readonly string[]): string => words.join(separator)

/** Counts of all sequences of 1 to n words, and scores of words after a context. */
export class NgramModel {
  readonly order: number
  readonly #endMarks: number
  readonly #open: boolean
  readonly #words = new Set<string>()
  // By the number of words of the context.
  readonly #contexts: Map<string, Followers>[]
  #continuations: Map<string, Followers>[] | undefined

  constructor(order: number, options: NgramOptions = {}) {
    requireCount('NgramModel', 'order', order, 1)
    this.order = order
    this.#endMarks = options.endMarks ?? order - 1
    this.#open = options.open ?? true
    this.#contexts = Array.from({ length: order }, () => new Map())
  }

  /** All words, sorted by their code points; with the marks that scores may be asked of. */
  get vocabulary(): string[] {
    const words = new Set(this.#words)
    if (this.#open) words.add(marks.unknown)
    else words.delete(marks.start)
    return [...words].sort()
  }

  /** A sentence between its marks. */
  padded(sentence: readonly string[], endMarks = this.#endMarks): string[] {
    return [
      ...new Array<string>(this.order - 1).fill(marks.start),
      ...sentence,
      ...new Array<string>(endMarks).fill(marks.end),
    ]
  }

  /** Adds a sentence that occurs `count` times. */
  add(sentence: readonly string[], count = 1): void {
    const words = this.padded(sentence)
    this.#continuations = undefined
    for (const [i, word] of words.entries()) {
      this.#words.add(word)
      for (let length = 0; length < Math.min(this.order, i + 1); length++) {
        const key = keyOf(words.slice(i - length, i))
        const followers = this.#contexts[length]?.get(key) ?? new Followers()
        followers.add(word, count)
        this.#contexts[length]?.set(key, followers)
      }
    }
  }

  /** What follows a context, and, for contexts shorter than n - 1, in how many different longer ones. */
  #followers(context: readonly string[]): Followers {
    return this.#contexts[context.length]?.get(keyOf(context)) ?? new Followers()
  }

  #continuationsOf(context: readonly string[]): Followers {
    this.#continuations ??= this.#contexts.slice(1).map((longer) => {
      const byContext = new Map<string, Followers>()
      for (const [key, { counts }] of longer) {
        const shorter = keyOf(key.split(separator).slice(1))
        const followers = byContext.get(shorter) ?? new Followers()
        for (const word of counts.keys()) followers.add(word, 1)
        byContext.set(shorter, followers)
      }
      return byContext
    })
    return this.#continuations[context.length]?.get(keyOf(context)) ?? new Followers()
  }

  /** score(word | the last n - 1 words of the context). Words that were never seen are one unknown word. */
  score(word: string, context: readonly string[], smoothing: Smoothing): number {
    const known = (text: string): string => (this.#words.has(text) ? text : marks.unknown)
    const last = this.order === 1 ? [] : context.slice(1 - this.order)
    return this.#score(known(word), last.map(known), smoothing)
  }

  #score(word: string, context: readonly string[], smoothing: Smoothing): number {
    const seen = this.#followers(context)
    switch (smoothing.kind) {
      case 'mle':
        return seen.share(word)
      case 'lidstone': {
        const size = this.vocabularySize
        return ((seen.counts.get(word) ?? 0) + smoothing.gamma) / (seen.total + size * smoothing.gamma)
      }
      case 'stupid-backoff':
        if (context.length === 0 || seen.counts.has(word)) return seen.share(word)
        return smoothing.alpha * this.#score(word, context.slice(1), smoothing)
      default:
        return this.#interpolated(word, context, smoothing, seen)
    }
  }

  #interpolated(
    word: string,
    context: readonly string[],
    smoothing: Extract<Smoothing, { kind: 'witten-bell' | 'absolute-discounting' | 'kneser-ney' }>,
    seen: Followers,
  ): number {
    const isKneserNey = smoothing.kind === 'kneser-ney'
    if (context.length === 0) return (isKneserNey ? this.#continuationsOf(context) : seen).share(word)
    const shorter = this.#score(word, context.slice(1), smoothing)
    if (seen.total === 0) return shorter
    const different = seen.counts.size
    if (smoothing.kind === 'witten-bell') {
      const rest = different / (different + seen.total)
      return (1 - rest) * seen.share(word) + rest * shorter
    }
    const { discount } = smoothing
    const counted = isKneserNey && context.length + 1 < this.order ? this.#continuationsOf(context) : seen
    const own = Math.max((counted.counts.get(word) ?? 0) - discount, 0)
    return (own + discount * different * shorter) / counted.total
  }

  /** How many words there are, marks included. */
  get vocabularySize(): number {
    if (this.#open) return this.#words.size + (this.#words.has(marks.unknown) ? 0 : 1)
    return this.#words.size - Number(this.#words.has(marks.start))
  }

  /** log p of a sentence with one mark at its end (base e). */
  logProbability(sentence: readonly string[], smoothing: Smoothing): number {
    return this.#logScores(sentence, smoothing).reduce((sum, score) => sum + score, 0)
  }

  /** Bits per word of a sentence with one mark at its end. */
  entropy(sentence: readonly string[], smoothing: Smoothing): number {
    const scores = this.#logScores(sentence, smoothing)
    return -scores.reduce((sum, score) => sum + score, 0) / scores.length / Math.LN2
  }

  #logScores(sentence: readonly string[], smoothing: Smoothing): number[] {
    const words = this.padded(sentence, 1)
    return words
      .slice(this.order - 1)
      .map((word, i) => Math.log(this.score(word, words.slice(i, i + this.order - 1), smoothing)))
  }
}
