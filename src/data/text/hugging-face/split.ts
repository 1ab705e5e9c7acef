/** Cutting a text at what a pattern finds. */

/** What becomes of the matches. */
export const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const

export type Behavior = (typeof behaviors)[number]

/** A part of a text: a match, or what stands between two. */
interface Span {
  start: number
  end: number
  readonly isMatch: boolean
}

/** All of a text: matches and what stands between. `invert`: the other way round. */
function spansOf(text: string, pattern: RegExp, invert: boolean): Span[] {
  const spans: Span[] = []
  let last = 0
  for (const { index, 0: found } of text.matchAll(pattern)) {
    if (index > last) spans.push({ start: last, end: index, isMatch: invert })
    last = index + found.length
    spans.push({ start: index, end: last, isMatch: !invert })
  }
  if (last < text.length) spans.push({ start: last, end: text.length, isMatch: invert })
  return spans
}

/** Neighbours that belong together become one: `joins` says so of a span and the one before it. */
function joined(spans: readonly Span[], joins: (span: Span, before: Span) => boolean): Span[] {
  const result: Span[] = []
  let before: Span | undefined
  for (const span of spans) {
    const last = result.at(-1)
    if (last && before && joins(span, before)) last.end = span.end
    else result.push({ ...span })
    before = span
  }
  return result
}

/** A match, but not a second one, joins what is before it. */
const firstMatch = (span: Span, before: Span): boolean => span.isMatch && !before.isMatch
const ways: Readonly<Record<Behavior, (spans: readonly Span[]) => readonly Span[]>> = {
  Removed: (spans) => spans.filter(({ isMatch }) => !isMatch),
  Isolated: (spans) => spans,
  MergedWithPrevious: (spans) => joined(spans, firstMatch),
  MergedWithNext: (spans) => joined(spans, (span, before) => firstMatch(before, span)),
  Contiguous: (spans) => joined(spans, (span, before) => span.isMatch === before.isMatch),
}

/** The parts of a text, none of them empty. `invert`: what stands between two matches is cut at. Default: false. */
export function splitBy(pattern: RegExp, behavior: Behavior, invert = false): (text: string) => string[] {
  const way = ways[behavior]
  return (text) =>
    way(spansOf(text, pattern, invert))
      .filter(({ start, end }) => end > start)
      .map(({ start, end }) => text.slice(start, end))
}
