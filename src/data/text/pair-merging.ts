/** Byte-pair encoding's learning (Sennrich et al. 2016, arXiv 1508.07909): the most frequent pair of neighbours becomes one token. */

/** A word of the training text, already cut into its first tokens (characters), and how often it occurs. */
export interface CountedWord {
  readonly tokens: readonly string[]
  readonly count: number
}

interface Pair {
  readonly left: string
  readonly right: string
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
  if (a.count !== b.count) return a.count > b.count
  const [x, y] = [`${a.pair.left} ${a.pair.right}`, `${b.pair.left} ${b.pair.right}`]
  return x < y
}

/** A binary heap with the best candidate first. */
class Queue {
  readonly #heap: Candidate[] = []

  push(candidate: Candidate): void {
    const heap = this.#heap
    let place = heap.push(candidate) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !before(candidate, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = candidate
  }

  pop(): Candidate | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const [a, b] = [heap[left], heap[left + 1]]
      const [better, next] = a && b && before(b, a) ? [b, left + 1] : [a, left]
      if (better === undefined || !before(better, last)) break
      heap[place] = better
      place = next
    }
    heap[place] = last
    return first
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
  const segmented = words.map(({ tokens }) => [...tokens])
  const pairs = new Map<string, Pair>()
  const changed = new Set<Pair>()
  const add = (left: string, right: string, word: number, by: number): void => {
    const key = `${left} ${right}`
    let pair = pairs.get(key)
    if (!pair) {
      pair = { left, right, count: 0, words: new Set() }
      pairs.set(key, pair)
    }
    pair.count += by
    if (by > 0) pair.words.add(word)
    changed.add(pair)
  }
  const addAll = (word: number, sign: 1 | -1): void => {
    const tokens = segmented[word] ?? []
    const by = sign * (words[word]?.count ?? 0)
    for (let i = 0; i + 1 < tokens.length; i++) add(tokens[i] ?? '', tokens[i + 1] ?? '', word, by)
  }
  for (const word of words.keys()) addAll(word, 1)
  const queue = new Queue()
  const merges: { left: string; right: string; merged: string }[] = []
  while (merges.length < count) {
    for (const pair of changed) if (pair.count >= minFrequency) queue.push({ pair, count: pair.count })
    changed.clear()
    let best = queue.pop()
    while (best && best.count !== best.pair.count) best = queue.pop()
    if (!best) break
    const { left, right, words: places } = best.pair
    const merged = join(left, right)
    merges.push({ left, right, merged })
    for (const word of [...places]) {
      addAll(word, -1)
      segmented[word] = mergeIn(segmented[word] ?? [], left, right, merged)
      addAll(word, 1)
    }
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
