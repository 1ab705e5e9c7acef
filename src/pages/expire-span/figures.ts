/** The figures of Expire-Span's page. */
import type { LinePlot } from '../../report/figures.ts'
import type { DistanceBand } from '../../systems/expire-span/tasks/distances.ts'
import type { Kept } from './program.ts'
import { fixedSpan, type MemoryName } from './settings.ts'
import type { Role, Word } from './words.ts'

/** How long each word is remembered by a layer, and how it fades. */
export interface Spans {
  /** e, of each word, in words. */
  readonly spans: readonly number[]
  /** R; 0: a memory is gone at once. */
  readonly ramp: number
}

/** How much of a memory with span e is seen so many words later: clamp(1 + (e - distance) / R, 0, 1). */
export function seenAfter(span: number, distance: number, ramp: number): number {
  if (ramp === 0) return Number(distance <= span)
  return Math.min(1, Math.max(0, 1 + (span - distance) / ramp))
}

/** How much of each word is seen at the word `now`: of its own episode, those before it. */
export function seenAt(words: readonly Word[], { spans, ramp }: Spans, now: number): number[] {
  const start = now - (words[now]?.elapsed ?? 0)
  return words.map((_, i) => (i < start || i >= now ? 0 : seenAfter(spans[i] ?? 0, now - i, ramp)))
}

/** From when to when a word is remembered, as places of the text. */
export interface Life {
  readonly from: number
  /** Until here all of it is seen, */
  readonly whole: number
  /** and until here some of it. */
  readonly to: number
}

/** The lives of the words: at most to the end of the episode. */
export function lives(words: readonly Word[], { spans, ramp }: Spans): Life[] {
  return words.map((_, from) => {
    const next = words.findIndex(({ elapsed }, i) => i > from && elapsed === 0)
    const [end, whole] = [next < 0 ? words.length : next, from + (spans[from] ?? 0)]
    return { from, whole: Math.min(end, whole), to: Math.min(end, whole + ramp) }
  })
}

/** What each layer has kept over the steps of the training. */
export function keptPlot(kept: readonly Kept[], memory: MemoryName): LinePlot {
  const layers = kept[0]?.memories.map((_, layer) => layer) ?? []
  const line = (name: string, value: (at: Kept) => number) => ({
    name,
    points: kept.map((at) => ({ x: at.step, y: value(at) })),
  })
  const of = (layer: number): string => (layers.length > 1 ? `, layer ${layer + 1}` : '')
  const expires = fixedSpan(memory) === undefined
  return {
    kind: 'lines',
    title: 'Memories kept as it trains',
    caption: expires
      ? 'Whole blocks of 16 words are deleted, equally many in each of 16 texts; what has not expired is less.'
      : 'A fixed span always keeps as many.',
    x: { label: 'step of the training' },
    y: { label: 'memories' },
    series: layers.flatMap((layer) => [
      line(`kept${of(layer)}`, ({ memories }) => memories[layer] ?? 0),
      ...(expires ? [line(`not expired${of(layer)}`, ({ alive }) => alive[layer] ?? 0)] : []),
    ]),
  }
}

const roleNames: Readonly<Record<Exclude<Role, 'question'>, string>> = {
  step: 'steps',
  object: 'objects',
  cue: 'what says which matters',
}

/** Mean spans by the role of the words; questions, after which nothing comes, left out. */
export function meanSpans(words: readonly Word[], spans: readonly number[]) {
  return Object.entries(roleNames).flatMap(([role, name]) => {
    const of = words.flatMap((word, i) => (word.role === role ? (spans[i] ?? []) : []))
    return of.length > 0 ? [{ name, span: of.reduce((sum, one) => sum + one, 0) / of.length }] : []
  })
}

/** How memories of mean spans fade with a ramp R; `longest`: S. */
export function rampPlot(
  means: readonly { readonly name: string; readonly span: number }[],
  ramp: number,
  longest: number,
): LinePlot {
  return {
    kind: 'lines',
    title: 'The ramp',
    caption: `How much of a memory is seen: all until its span is over, then less and less over R = ${ramp} words. Only on that slope does a span learn.`,
    x: { label: 'words since it was read' },
    y: { label: 'seen', percent: true },
    series: means.map(({ name, span }) => ({
      name: `${name}: a span of ${Math.round(span)} on average`,
      points: [
        { x: 0, y: 1 },
        { x: span, y: 1 },
        { x: span + ramp, y: 0 },
        { x: longest + 32, y: 0 },
      ],
    })),
  }
}

/** How well a trained memory answers. */
export interface Score {
  readonly name: string
  readonly error: number
  readonly bands: readonly DistanceBand[]
}

const keptScores = 4

/** The scores of other trainings than that of a name. */
export function scoresWithout(scores: readonly Score[], of: string): Score[] {
  return scores.filter(({ name }) => name !== of)
}

/** The scores with another one, which takes the place of that of its name; the last ones. */
export function scoresWith(scores: readonly Score[], score: Score): Score[] {
  return [...scoresWithout(scores, score.name), score].slice(-keptScores)
}

/** The error by distance of some trainings. */
export function errorPlot(scores: readonly Score[]): LinePlot {
  return {
    kind: 'lines',
    title: 'Wrong answers by distance',
    caption: 'Of new texts. Guessing one colour of four is wrong in 75 % of them.',
    x: { label: 'words since the answer was read', log: true },
    y: { label: 'wrong', percent: true },
    series: scores.map(({ name, bands }) => ({
      name,
      points: bands.map(({ from, error }) => ({ x: from, y: error })),
    })),
  }
}
