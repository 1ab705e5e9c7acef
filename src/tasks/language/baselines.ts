import { largest } from '../../util/lists.ts'
/** Counting baselines for masked tokens: the frequencies of words, and of words after their left neighbour. */

/** Accuracy and mean loss (nats) at masked tokens. */
export interface BaselineScore {
  readonly accuracy: number
  readonly loss: number
}

/** A masked token as the baselines see it: the visible token on its left, and what it is. */
export interface MaskedToken {
  readonly left: number
  readonly token: number
}

/** Counts of tokens and of neighbours, from sequences of token ids. */
export class NgramCounts {
  readonly #vocabSize: number
  readonly #single: Float64Array
  readonly #total: number
  readonly #after = new Map<number, Map<number, number>>()

  constructor(sequences: Iterable<readonly number[]>, vocabSize: number) {
    this.#vocabSize = vocabSize
    this.#single = new Float64Array(vocabSize)
    let total = 0
    for (const sequence of sequences) {
      for (const [i, token] of sequence.entries()) {
        this.#single[token] = (this.#single[token] ?? 0) + 1
        total++
        const next = sequence[i + 1]
        if (next === undefined) continue
        const after = this.#after.get(token) ?? new Map<number, number>()
        after.set(next, (after.get(next) ?? 0) + 1)
        this.#after.set(token, after)
      }
    }
    this.#total = total
  }

  /** P(token), one added to each count. */
  #unigram(token: number): number {
    return ((this.#single[token] ?? 0) + 1) / (this.#total + this.#vocabSize)
  }

  /** P(token | left), mixed with P(token) by Witten and Bell: the more kinds of followers, the less the bigram is trusted. */
  #bigram({ left, token }: MaskedToken): number {
    const after = this.#after.get(left)
    if (!after) return this.#unigram(token)
    const seen = [...after.values()].reduce((sum, count) => sum + count, 0)
    const trust = seen / (seen + after.size)
    return (trust * (after.get(token) ?? 0)) / seen + (1 - trust) * this.#unigram(token)
  }

  /** Always the most frequent token. */
  unigram(masked: readonly MaskedToken[]): BaselineScore {
    const best = this.#single.indexOf(largest(this.#single))
    return score(
      masked,
      () => best,
      ({ token }) => this.#unigram(token),
    )
  }

  /** The most frequent follower of the visible token on the left; the most frequent token where that was never followed. */
  bigram(masked: readonly MaskedToken[]): BaselineScore {
    const best = this.#single.indexOf(largest(this.#single))
    const followers = new Map([...this.#after].map(([left, after]) => [left, mostFrequent(after)]))
    return score(
      masked,
      ({ left }) => followers.get(left) ?? best,
      (place) => this.#bigram(place),
    )
  }
}

function mostFrequent(counts: ReadonlyMap<number, number>): number | undefined {
  let best: readonly [token: number, count: number] | undefined
  for (const entry of counts) if (!best || entry[1] > best[1]) best = entry
  return best?.[0]
}

function score(
  masked: readonly MaskedToken[],
  guess: (place: MaskedToken) => number,
  probability: (place: MaskedToken) => number,
): BaselineScore {
  let [right, loss] = [0, 0]
  for (const place of masked) {
    if (guess(place) === place.token) right++
    loss -= Math.log(probability(place))
  }
  return { accuracy: right / Math.max(masked.length, 1), loss: loss / Math.max(masked.length, 1) }
}
