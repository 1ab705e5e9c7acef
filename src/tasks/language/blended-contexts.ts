/** How well counting predicts a text: the symbols that followed the same few symbols before, contexts of several lengths blended. */

/** Counts of what followed a context. */
interface Followers {
  total: number
  readonly counts: Map<number, number>
}

/** Contexts are numbers, so these must stay exact: `symbols ** order` below this. */
const largestContext = 2 ** 53

/**
 * Mean bits of a symbol of `test` by what was counted in `train`, for contexts of 0 (unigram), 1 (bigram), ... `longest` symbols. Each
 * order is blended with the one below by Witten and Bell's rule, as in PPM (method C): a context that was followed by many different symbols is
 * trusted less. `symbols`: how many different ones there are. Orders whose contexts would not be exact are left out.
 */
export function blendedBits(train: Int32Array, test: Int32Array, symbols: number, longest: number): number[] {
  const orders = Array.from({ length: longest + 1 }, (_, order) => order).filter(
    (order) => symbols ** order < largestContext,
  )
  const tables = orders.map((order) => countFollowers(train, test, symbols, order))
  const bits = orders.map(() => 0)
  const contexts = orders.map((order) => contextsOf(test, symbols, order))
  for (let i = 0; i < test.length; i++) {
    let probability = 1 / symbols
    for (const [order, table] of tables.entries()) {
      const followers = i < order ? undefined : table.get(contexts[order]?.[i] ?? 0)
      if (followers) {
        const { total, counts } = followers
        const kinds = counts.size
        probability = ((counts.get(test[i] ?? 0) ?? 0) + kinds * probability) / (total + kinds)
      }
      bits[order] = (bits[order] ?? 0) - Math.log2(probability)
    }
  }
  return bits.map((sum) => sum / Math.max(1, test.length))
}

/** The `order` symbols before each place, as a number. */
function contextsOf(text: Int32Array, symbols: number, order: number): Float64Array {
  const contexts = new Float64Array(text.length)
  const oldest = symbols ** order
  let context = 0
  for (let i = 0; i < text.length; i++) {
    contexts[i] = context
    context = order === 0 ? 0 : (context * symbols + (text[i] ?? 0)) % oldest
  }
  return contexts
}

/** What followed the contexts of `test` in `train`; others are not needed. */
function countFollowers(
  train: Int32Array,
  test: Int32Array,
  symbols: number,
  order: number,
): ReadonlyMap<number, Followers> {
  const found = new Map<number, Followers>()
  for (const context of contextsOf(test, symbols, order).subarray(order)) {
    if (!found.has(context)) found.set(context, { total: 0, counts: new Map() })
  }
  const contexts = contextsOf(train, symbols, order)
  for (let i = order; i < train.length; i++) {
    const followers = found.get(contexts[i] ?? 0)
    if (!followers) continue
    const symbol = train[i] ?? 0
    followers.total++
    followers.counts.set(symbol, (followers.counts.get(symbol) ?? 0) + 1)
  }
  for (const [context, { total }] of found) if (total === 0) found.delete(context)
  return found
}
