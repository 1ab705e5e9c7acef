/** Pairs of segments for next sentence prediction and for sentence-pair tasks, as the official input pipeline makes them. */
import type { SpecialIds } from '../../data/text/special-tokens.ts'
import { appendAll } from '../../util/lists.ts'

/** Token ids and segment numbers, both of the full length. */
export interface EncodedPair {
  readonly inputIds: readonly number[]
  readonly typeIds: readonly number[]
}

/**
 * [CLS] first [SEP], then second [SEP] for each further segment; the type is the segment's number. Cut at `maxLength` whatever is
 * lost, filled up with padding of type 0 (f_net/input_pipeline.py, `glue_inputs`).
 */
export function encodeSegments(
  segments: readonly (readonly number[])[],
  maxLength: number,
  { cls, sep, pad }: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
): EncodedPair {
  const tokens = segments.flatMap((segment, type) => [
    ...(type === 0 ? [{ id: cls, type }] : []),
    ...segment.map((id) => ({ id, type })),
    { id: sep, type },
  ])
  const at = (i: number) => tokens[i] ?? { id: pad, type: 0 }
  return {
    inputIds: Array.from({ length: maxLength }, (_, i) => at(i).id),
    typeIds: Array.from({ length: maxLength }, (_, i) => at(i).type),
  }
}

/** Consecutive lines of a document, cut in two at a line. */
export interface SplitLines {
  readonly first: readonly number[]
  readonly second: readonly number[]
  /** Lines taken: the pivot was drawn from 1 to this number - 1. */
  readonly lines: number
  /** The number of the first line in its document. */
  readonly start: number
  /** Tokens that the pair may have with its special ones. */
  readonly length: number
}

/** The random choices of a cut. */
export interface SplitDraws {
  /** A whole number from 1 to `bound` - 1. */
  readonly pivot: (bound: number) => number
  /** The length that this pair may have with its special tokens, at most `maxLength`. Default: `maxLength`, as the official code. */
  readonly length?: () => number
}

/** What a pair has besides its tokens: three special ones ([CLS] first [SEP] second [SEP]). */
const specialCount = 3

/**
 * One document (lines of token ids) as cut passages, in order. From each line on, as many lines as fit into `maxLength` - 3 tokens,
 * split at a random line. A line that does not fit together with the next is skipped, a lone last one dropped.
 */
function* splitPassages(
  lines: readonly (readonly number[])[],
  maxLength: number,
  draws: SplitDraws,
): Generator<SplitLines> {
  let start = 0
  while (start + 1 < lines.length) {
    const length = draws.length?.() ?? maxLength
    let end = start
    for (let used = 0; end < lines.length; end++) {
      used += lines[end]?.length ?? 0
      if (used > length - specialCount) break
    }
    const taken = end - start
    if (taken < 2) {
      start++
      continue
    }
    const pivot = start + draws.pivot(taken)
    const [first, second] = [lines.slice(start, pivot).flat(), lines.slice(pivot, end).flat()]
    yield { first, second, lines: taken, start, length }
    start = end
  }
}

/** An example of next sentence prediction: label 1 if the second segment does not follow the first. */
export interface SentencePair extends EncodedPair {
  readonly label: 0 | 1
  /** Lines taken: the pivot was drawn from 1 to this number - 1. */
  readonly lines: number
}

/** The random choices of a pair. */
export interface PairDraws extends SplitDraws {
  /** Uniform in [0, 1): below 0.5 the order is kept. */
  readonly coin: () => number
}

/** The pairs of one document, in order, as the official code makes them: in half of the cases the two parts are swapped. */
export function* sentencePairs(
  lines: readonly (readonly number[])[],
  maxLength: number,
  ids: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
  draws: PairDraws,
): Generator<SentencePair> {
  for (const { first, second, lines: taken } of splitPassages(lines, maxLength, draws)) {
    const label = draws.coin() < 0.5 ? 0 : 1
    const parts = label === 0 ? [first, second] : [second, first]
    yield { ...encodeSegments(parts, maxLength, ids), label, lines: taken }
  }
}

/** The random choices of BERT's pairs. */
export interface RandomPairDraws extends PairDraws {
  /** A whole number from 0 to `bound` - 1. */
  readonly other: (bound: number) => number
}

/** Whole lines from `start` on, as many as fit into `room` tokens; of a first one that does not fit, its beginning. */
function linesFrom(lines: readonly (readonly number[])[], start: number, room: number): number[] {
  const taken = lines[start]?.slice(0, room) ?? []
  for (let i = start + 1; i < lines.length && taken.length + (lines[i]?.length ?? 0) <= room; i++) {
    appendAll(taken, lines[i] ?? [])
  }
  return taken
}

/** The document of a line that is counted through all of them, and its number there. */
function locate(line: number, counts: readonly number[]): readonly [document: number, line: number] {
  let [document, rest] = [0, line]
  while (document < counts.length - 1 && rest >= (counts[document] ?? 0)) rest -= counts[document++] ?? 0
  return [document, rest]
}

/**
 * The pairs of all documents with BERT's rule (Devlin et al. 2018, section 3.1): in half of the cases the second part comes from a random
 * line of another document on. It fills the pair as the true one does: otherwise the length alone would distinguish them. Of a single
 * document, other lines serve.
 */
export function randomSecondPairs(
  documents: readonly (readonly (readonly number[])[])[],
  maxLength: number,
  ids: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
  draws: RandomPairDraws,
): SentencePair[] {
  const counts = documents.map((lines) => lines.length)
  const total = counts.reduce((sum, count) => sum + count, 0)
  let before = 0
  return documents.flatMap((lines) => {
    const begin = before
    before += lines.length
    const isAlone = lines.length === total
    return [...splitPassages(lines, maxLength, draws)].map(({ first, second, lines: taken, start, length }) => {
      const [from, excluded] = isAlone ? [begin + start, taken] : [begin, lines.length]
      const label = draws.coin() < 0.5 || excluded === total ? 0 : 1
      if (label === 0) return { ...encodeSegments([first, second], maxLength, ids), label, lines: taken }
      const drawn = draws.other(total - excluded)
      const [document, line] = locate(drawn < from ? drawn : drawn + excluded, counts)
      const stranger = linesFrom(documents[document] ?? [], line, length - specialCount - first.length)
      return { ...encodeSegments([first, stranger], maxLength, ids), label, lines: taken }
    })
  })
}

/** The fields of a GLUE record that are its segments, in the official order. */
const glueFields: Readonly<Record<string, readonly string[]>> = {
  mnli: ['hypothesis', 'premise'],
  qnli: ['question', 'sentence'],
  mrpc: ['sentence1', 'sentence2'],
  stsb: ['sentence1', 'sentence2'],
  rte: ['sentence1', 'sentence2'],
  wnli: ['sentence1', 'sentence2'],
  qqp: ['question1', 'question2'],
  cola: ['sentence'],
  sst2: ['sentence'],
}

/** The names of a GLUE task's segments (`glue/mnli` or `mnli`, also `mnli_matched`); undefined if there is no such task. */
export function glueSegments(dataset: string): readonly string[] | undefined {
  return glueFields[dataset.replace(/^glue\//, '').replace(/[_/].*$/, '')]
}
