/** Counts of n-grams, which measures of translations are made of. */

/** How often each n-gram of the items occurs; `separator` joins the items of one. */
export function ngramCounts(items: readonly string[], n: number, separator: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= items.length; i++) {
    const ngram = items.slice(i, i + n).join(separator)
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1)
  }
  return counts
}

/** All counts together. */
export function totalCount(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

/** What both have: each n-gram as often as it occurs in the one that has it less often. */
export function sharedCount(counts: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): number {
  let shared = 0
  for (const [ngram, count] of counts) shared += Math.min(count, others.get(ngram) ?? 0)
  return shared
}
