/**
 * Unigram language model vocabularies (Kudo 2018, arXiv 1804.10959): start with all frequent substrings, fit their probabilities by
 * expectation maximisation over all segmentations, drop the tokens that the likelihood misses least, and so on until few are left.
 */

/** A word (with its start mark) and how often it occurs. */
export type WordCounts = ReadonlyMap<string, number>

export interface UnigramOptions {
  /** Tokens wanted. All single characters stay, so that any word can be written: more than `size` if there are more characters. */
  readonly size: number
  /** Characters in the longest token. Default 16, as SentencePiece. */
  readonly maxLength?: number
  /** Tokens to start with. Default: 10 times the size. */
  readonly seeds?: number
}

/** Tokens with their log probabilities, most probable first. */
export type UnigramPieces = readonly (readonly [token: string, logProbability: number])[]

/** Share of the tokens kept in a round of pruning, and fits before it: SentencePiece's `shrinking_factor` and `num_sub_iterations`. */
const keptShare = 0.75
const fitsPerRound = 2
/** Tokens expected to occur more rarely are dropped (SentencePiece's M step). */
const leastExpected = 0.5

export function learnUnigram(
  words: WordCounts,
  { size, maxLength = 16, seeds = 10 * size }: UnigramOptions,
): UnigramPieces {
  let model = seedPieces(words, maxLength, Math.max(seeds, size))
  const characters = new Set([...words.keys()].flatMap((word) => [...word]))
  const target = Math.max(size, characters.size)
  for (;;) {
    for (let fit = 0; fit < fitsPerRound; fit++) model = maximise(expectedCounts(words, model, maxLength), characters)
    // Fitting itself drops tokens; a tenth more than wanted is kept until the end, where the probability decides.
    if (model.size <= Math.ceil(1.1 * target)) break
    model = prune(
      words,
      model,
      characters,
      Math.max(Math.ceil(1.1 * target), Math.floor(keptShare * model.size)),
      maxLength,
    )
  }
  const ranked = [...model].sort(byProbability)
  const single = ranked.filter(([token]) => characters.has(token))
  const longer = ranked.filter(([token]) => !characters.has(token)).slice(0, Math.max(0, target - single.length))
  return [...single, ...longer].sort(byProbability)
}

type Model = ReadonlyMap<string, number>

/** Falling probability, then alphabetical. */
function byProbability([a, p]: readonly [string, number], [b, q]: readonly [string, number]): number {
  return q - p || (a < b ? -1 : 1)
}

/** All characters, and the substrings that occur at least twice with the greatest number of characters in all. */
function seedPieces(words: WordCounts, maxLength: number, count: number): Model {
  const single = new Map<string, number>()
  const longer = new Map<string, number>()
  for (const [word, times] of words) {
    const characters = [...word]
    for (let start = 0; start < characters.length; start++) {
      let token = ''
      for (let end = start; end < Math.min(characters.length, start + maxLength); end++) {
        token += characters[end]
        const counts = end === start ? single : longer
        counts.set(token, (counts.get(token) ?? 0) + times)
      }
    }
  }
  const weight = ([token, times]: readonly [string, number]): number => token.length * times
  const chosen = [...longer]
    .filter(([, times]) => times > 1)
    .sort((a, b) => weight(b) - weight(a) || (a[0] < b[0] ? -1 : 1))
    .slice(0, Math.max(0, count - single.size))
  const all = [...single, ...chosen]
  const total = all.reduce((sum, entry) => sum + weight(entry), 0)
  return new Map(all.map((entry) => [entry[0], Math.log(weight(entry) / total)]))
}

/** A token that fits at a place of a word: from `start` to `end`. */
interface Edge {
  readonly token: string
  readonly start: number
  readonly end: number
  readonly score: number
}

/** All tokens of the model in a word, by start; `except` is taken for unknown. */
function lattice(word: string, model: Model, maxLength: number, except?: string): { edges: Edge[]; length: number } {
  const characters = [...word]
  const edges: Edge[] = []
  for (let start = 0; start < characters.length; start++) {
    let token = ''
    for (let end = start; end < Math.min(characters.length, start + maxLength); end++) {
      token += characters[end]
      const score = token === except ? undefined : model.get(token)
      if (score !== undefined) edges.push({ token, start, end: end + 1, score })
    }
  }
  return { edges, length: characters.length }
}

function logAdd(a: number, b: number): number {
  const high = Math.max(a, b)
  return high === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high))
}

/** How often each token occurs, expected over all segmentations of all words (forward-backward). */
function expectedCounts(words: WordCounts, model: Model, maxLength: number): Map<string, number> {
  const expected = new Map<string, number>()
  for (const [word, times] of words) {
    const { edges, length } = lattice(word, model, maxLength)
    const forward = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
    const backward = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
    forward[0] = 0
    backward[length] = 0
    for (const { start, end, score } of edges) {
      forward[end] = logAdd(forward[end] ?? 0, (forward[start] ?? 0) + score)
    }
    for (const { start, end, score } of edges.toReversed()) {
      backward[start] = logAdd(backward[start] ?? 0, (backward[end] ?? 0) + score)
    }
    const whole = forward[length] ?? 0
    for (const { token, start, end, score } of edges) {
      const share = Math.exp((forward[start] ?? 0) + score + (backward[end] ?? 0) - whole)
      expected.set(token, (expected.get(token) ?? 0) + times * share)
    }
  }
  return expected
}

/** The derivative of log Gamma: by its recurrence to x >= 7, then its asymptotic series. */
function digamma(x: number): number {
  let [at, result] = [x, 0]
  for (; at < 7; at++) result -= 1 / at
  const inverse = 1 / (at * at)
  const series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse / 240)))
  return result + Math.log(at) - 1 / (2 * at) - series
}

/** Log probabilities from expected counts, rare tokens pushed down as a sparse Dirichlet prior does (digamma instead of log). */
function maximise(expected: ReadonlyMap<string, number>, characters: ReadonlySet<string>): Model {
  const kept = [...expected].filter(([token, count]) => count >= leastExpected || characters.has(token))
  const total = digamma(kept.reduce((sum, [, count]) => sum + Math.max(count, leastExpected), 0))
  return new Map(kept.map(([token, count]) => [token, digamma(Math.max(count, leastExpected)) - total]))
}

/** The most probable segmentation. */
function viterbi(word: string, model: Model, maxLength: number, except?: string): string[] {
  const { edges, length } = lattice(word, model, maxLength, except)
  const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
  const last = new Array<Edge | undefined>(length + 1)
  best[0] = 0
  for (const edge of edges) {
    const score = (best[edge.start] ?? 0) + edge.score
    if (score > (best[edge.end] ?? 0)) {
      best[edge.end] = score
      last[edge.end] = edge
    }
  }
  const tokens: string[] = []
  for (let edge = last[length]; edge; edge = last[edge.start]) tokens.unshift(edge.token)
  return tokens
}

/**
 * The `size` tokens that the likelihood would miss most. The loss of a token is its share of all tokens times how much less probable
 * its text becomes when it is written by others.
 */
function prune(
  words: WordCounts,
  model: Model,
  characters: ReadonlySet<string>,
  size: number,
  maxLength: number,
): Model {
  const counts = new Map<string, number>()
  let total = 0
  for (const [word, times] of words) {
    for (const token of viterbi(word, model, maxLength)) {
      counts.set(token, (counts.get(token) ?? 0) + times)
      total += times
    }
  }
  const always: string[] = []
  const ranked: { token: string; loss: number }[] = []
  for (const token of model.keys()) {
    if (characters.has(token)) {
      always.push(token)
      continue
    }
    const count = counts.get(token) ?? 0
    const others = viterbi(token, model, maxLength, token)
    // Without the token the total grows by the tokens that stand for it.
    const logTotal = Math.log(total + count * (others.length - 1))
    const without = others.reduce((sum, other) => sum + Math.log((counts.get(other) ?? 0) + count) - logTotal, 0)
    const loss = count === 0 ? 0 : (count / total) * (Math.log(count / total) - without)
    ranked.push({ token, loss })
  }
  ranked.sort((a, b) => b.loss - a.loss || (a.token < b.token ? -1 : 1))
  const kept = [...always, ...ranked.slice(0, Math.max(0, size - always.length)).map(({ token }) => token)]
  return new Map(kept.map((token) => [token, model.get(token) ?? 0]))
}
