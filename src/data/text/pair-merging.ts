/** Byte-pair encoding's learning (Sennrich et al. 2016, arXiv 1508.07909): the most frequent pair of neighbours becomes one token. */
import { Heap } from './heap.ts'

/** A word of the training text, already cut into its first tokens (characters), and how often it occurs. */
export interface CountedWord {
  readonly tokens: readonly string[]
  readonly count: number
}

/** Tokens have numbers while pairs are counted: texts as keys of millions of pairs would take most of the time. */
interface Pair {
  readonly left: number
  readonly right: number
  /** Both as text: the order among equally frequent pairs. */
  readonly name: string
  count: number
  /** Numbers of the words it occurs, or once occurred, in. */
  readonly words: Set<number>
}

/** A pair with the count it had when it was put into the queue: stale if the pair's count has changed since. */
interface Candidate {
  readonly pair: Pair
  readonly count: number
}

/** More frequent first; equally frequent in alphabetical order, so that the result does not depend on the order of the text. */
function before(a: Candidate, b: Candidate): boolean {
  return a.count === b.count ? a.pair.name < b.pair.name : a.count > b.count
}

/** Numbers of tokens, in the order in which they appear. */
class TokenNumbers {
  readonly #texts: string[] = []
  readonly #numbers = new Map<string, number>()

  of(text: string): number {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#texts.push(text) - 1
      this.#numbers.set(text, number)
    }
    return number
  }

  text(number: number): string {
    return this.#texts[number] ?? ''
  }
}

/** More tokens than any vocabulary has: the key of a pair is left * this + right, exactly. */
const mostTokens = 2 ** 26

/** The pairs of neighbours in all words, with their counts. */
class PairCounts {
  readonly #numbers: TokenNumbers
  readonly #pairs = new Map<number, Pair>()
  /** Pairs whose count is another one than when this was emptied. */
  readonly changed = new Set<Pair>()

  constructor(numbers: TokenNumbers) {
    this.#numbers = numbers
  }

  /** `by` more occurrences, or fewer, in a word. */
  add(left: number, right: number, word: number, by: number): void {
    const key = left * mostTokens + right
    let pair = this.#pairs.get(key)
    if (!pair) {
      const name = `${this.#numbers.text(left)} ${this.#numbers.text(right)}`
      pair = { left, right, name, count: 0, words: new Set() }
      this.#pairs.set(key, pair)
    }
    pair.count += by
    if (by > 0) pair.words.add(word)
    this.changed.add(pair)
  }

  /** Merges a pair in the tokens of a word, of which there are `count`, and counts the neighbours that change by it. */
  merge(tokens: readonly number[], { left, right }: Pair, merged: number, word: number, count: number): number[] {
    const found: number[] = []
    // Whether the token before was merged, in the old tokens and in the new ones.
    let [wasMerged, isMerged] = [false, false]
    const leave = (i: number, own: boolean): void => {
      if (i > 0 && (wasMerged || own)) this.add(tokens[i - 1] as number, tokens[i] as number, word, -count)
      wasMerged = own
    }
    const enter = (token: number, own: boolean): void => {
      const before = found.at(-1)
      if (before !== undefined && (isMerged || own)) this.add(before, token, word, count)
      found.push(token)
      isMerged = own
    }
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i] as number
      const meets = token === left && tokens[i + 1] === right
      leave(i, meets)
      if (meets) leave(++i, true)
      enter(meets ? merged : token, meets)
    }
    return found
  }
}

/**
 * Up to `count` merges, in the order learned; fewer if no pair occurs at least `minFrequency` times. `join` writes the merged token
 * (default: one after the other).
 */
export function learnMerges(
  words: readonly CountedWord[],
  count: number,
  options: { readonly minFrequency?: number; readonly join?: (left: string, right: string) => string } = {},
): { left: string; right: string; merged: string }[] {
  const { minFrequency = 2, join = (left, right) => left + right } = options
  const numbers = new TokenNumbers()
  const pairs = new PairCounts(numbers)
  const segmented = words.map(({ tokens }) => tokens.map((token) => numbers.of(token)))
  for (const [word, tokens] of segmented.entries())
    for (let i = 0; i + 1 < tokens.length; i++)
      pairs.add(tokens[i] as number, tokens[i + 1] as number, word, words[word]?.count ?? 0)
  const queue = new Heap(before)
  const merges: { left: string; right: string; merged: string }[] = []
  while (merges.length < count) {
    for (const pair of pairs.changed) if (pair.count >= minFrequency) queue.push({ pair, count: pair.count })
    pairs.changed.clear()
    let best = queue.pop()
    while (best && best.count !== best.pair.count) best = queue.pop()
    if (!best) break
    const { pair } = best
    const [left, right] = [numbers.text(pair.left), numbers.text(pair.right)]
    const merged = join(left, right)
    merges.push({ left, right, merged })
    const number = numbers.of(merged)
    for (const word of [...pair.words])
      segmented[word] = pairs.merge(segmented[word] ?? [], pair, number, word, words[word]?.count ?? 0)
  }
  return merges
}

/** The tokens with every `left`, `right` in a row replaced, from the left. */
export function mergeIn(tokens: readonly string[], left: string, right: string, merged: string): string[] {
  const result: string[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? ''
    if (token === left && tokens[i + 1] === right) {
      result.push(merged)
      i++
    } else {
      result.push(token)
    }
  }
  return result
}
