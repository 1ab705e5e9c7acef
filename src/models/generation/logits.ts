/**
 * What is done to the logits of the next token before it is chosen, with the names, the meaning and the order of transformers' logits
 * processors. All of them change the scores in place; a token that must not come gets -inf.
 */

import { requireCount, requirePositive, requireWithin } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'

/** Changes the scores [V] of the token that follows `tokens`, the first `promptLength` of which are the prompt. */
export type LogitsProcessor = (scores: Float32Array, tokens: readonly number[], promptLength: number) => void

const never = Number.NEGATIVE_INFINITY

/** Scores of tokens that were there already: divided by the penalty if above 0, else multiplied with it (Keskar et al. 2019, CTRL). */
export function repetitionPenalty(penalty: number): LogitsProcessor {
  requirePositive('repetitionPenalty', 'penalty', penalty, UsageError)
  return (scores, tokens) => {
    for (const token of new Set(tokens)) {
      const score = scores[token] ?? 0
      scores[token] = score < 0 ? score * penalty : score / penalty
    }
  }
}

/** No sequence of `size` tokens comes twice. */
export function noRepeatNgrams(size: number): LogitsProcessor {
  requireCount('noRepeatNgrams', 'size', size, 1, UsageError)
  return (scores, tokens) => {
    const start = tokens.length + 1 - size
    for (let i = 0; i < start; i++) {
      let isSame = true
      for (let k = 0; k < size - 1 && isSame; k++) isSame = tokens[i + k] === tokens[start + k]
      const banned = tokens[i + size - 1]
      if (isSame && banned !== undefined) scores[banned] = never
    }
  }
}

/** Tokens that never come. */
export function suppressTokens(suppressed: readonly number[]): LogitsProcessor {
  return (scores) => {
    for (const token of suppressed) scores[token] = never
  }
}

/** None of the tokens that end a text before so many new ones. */
export function minNewTokens(count: number, stopTokens: readonly number[]): LogitsProcessor {
  return (scores, tokens, promptLength) => {
    if (tokens.length - promptLength < count) for (const token of stopTokens) scores[token] = never
  }
}

/** Divides the scores: below 1 the likely tokens become likelier. */
export function temperature(value: number): LogitsProcessor {
  requirePositive('temperature', 'value', value, UsageError)
  return (scores) => {
    for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] ?? 0) / value
  }
}

/** The k highest scores stay, and what equals the lowest of them. */
export function topK(k: number): LogitsProcessor {
  requireCount('topK', 'k', k, 1, UsageError)
  return (scores) => {
    const kept = highest(scores, undefined, k)
    if (kept.length >= k) keepFrom(scores, scores[kept.at(-1) ?? 0] ?? never)
  }
}

/**
 * The likeliest tokens stay whose probabilities sum to `mass`, the one that crosses it included, and at least `least` (nucleus sampling,
 * Holtzman et al. 2020). Of equal ones those with the higher index stay.
 */
export function topP(mass: number, least = 1): LogitsProcessor {
  requireWithin('topP', 'mass', mass, [0, 1], UsageError)
  return (scores) => {
    const { weights, total } = exponentials(scores)
    const kept = highest(scores, weights, mass * total, least)
    const saved = kept.map((token) => scores[token] ?? never)
    scores.fill(never)
    for (const [i, token] of kept.entries()) scores[token] = saved[i] ?? never
  }
}

/** Tokens stay whose probability is at least `share` of the likeliest one's, and at least `least` of them. */
export function minP(share: number, least = 1): LogitsProcessor {
  requireWithin('minP', 'share', share, [0, 1], UsageError)
  return (scores) => {
    const lowest = maximumOf(scores) + Math.log(share)
    const kept = least > 1 ? highest(scores, undefined, least) : []
    const saved = kept.map((token) => [token, scores[token] ?? never] as const)
    keepFrom(scores, lowest)
    for (const [token, score] of saved) scores[token] = score
  }
}

function keepFrom(scores: Float32Array, lowest: number): void {
  for (let i = 0; i < scores.length; i++) if ((scores[i] ?? never) < lowest) scores[i] = never
}

/** The highest score. */
export function maximumOf(scores: Float32Array): number {
  let largest = never
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? never
    if (score > largest) largest = score
  }
  return largest
}

const bucketCount = 1024

/**
 * Places of the highest scores, the lowest of them last (of equal ones the last stands first), as many as it takes for their weights
 * (default: 1 each) to reach `limit`, and at least `least`. Scores of -inf are left out. Linear: only scores near the limit are sorted.
 */
export function highest(scores: Float32Array, weights: Float64Array | undefined, limit: number, least = 1): number[] {
  const largest = maximumOf(scores)
  if (largest === never) return []
  const bucketOf = buckets(scores, largest)
  const [masses, counts] = [new Float64Array(bucketCount), new Uint32Array(bucketCount)]
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? never
    if (score === never) continue
    const bucket = bucketOf(score)
    masses[bucket] = (masses[bucket] ?? 0) + (weights ? (weights[i] ?? 0) : 1)
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  const reached = lowestBucket(masses, counts, limit, least)
  // One bucket more on either side is sorted: sums in another order round differently.
  const places: number[] = []
  const near: number[] = []
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? never
    const bucket = score === never ? bucketCount : bucketOf(score)
    if (bucket < reached - 1) places.push(i)
    else if (bucket <= Math.min(reached + 1, bucketCount - 1)) near.push(i)
  }
  near.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a)
  let sum = masses.subarray(0, Math.max(0, reached - 1)).reduce((total, mass) => total + mass, 0)
  for (const place of near) {
    if (sum >= limit && places.length >= least) break
    places.push(place)
    sum += weights ? (weights[place] ?? 0) : 1
  }
  return places
}

/** Tells the bucket of a score: 0 has the highest. */
function buckets(scores: Float32Array, largest: number): (score: number) => number {
  let smallest = largest
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? never
    if (score < smallest && score !== never) smallest = score
  }
  const scale = largest > smallest && Number.isFinite(largest) ? (bucketCount - 1) / (largest - smallest) : 0
  return (score) => Math.floor((largest - score) * scale)
}

/** The first bucket at which both are reached, or the last one. */
function lowestBucket(masses: Float64Array, counts: Uint32Array, limit: number, least: number): number {
  let [mass, count] = [0, 0]
  const found = masses.findIndex((own, bucket) => {
    mass += own
    count += counts[bucket] ?? 0
    return mass >= limit && count >= least
  })
  return found < 0 ? bucketCount - 1 : found
}

/** exp(score - the highest one) in float64, and their sum; scores of -inf get 0. */
export function exponentials(scores: Float32Array): { readonly weights: Float64Array; readonly total: number } {
  const largest = maximumOf(scores)
  const weights = new Float64Array(scores.length)
  let total = 0
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? never
    if (score === never) continue
    const weight = Math.exp(score - largest)
    weights[i] = weight
    total += weight
  }
  return { weights, total }
}

/** log(softmax), in place. */
export function toLogProbabilities(scores: Float32Array): void {
  const shift = maximumOf(scores) + Math.log(exponentials(scores).total)
  for (let i = 0; i < scores.length; i++) scores[i] = (scores[i] ?? 0) - shift
}
