/** Pairs of segments for next sentence prediction and for sentence-pair tasks, as the official input pipeline makes them. */
import type { SpecialIds } from '../../data/index.ts'

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

/** What a pair has beside its tokens: three special ones ([CLS] first [SEP] second [SEP]). */
const specialCount = 3

/**
 * One document (lines of token ids) as cut passages, in order. From each line on, as many lines as fit into `maxLength` - 3 tokens,
 * split at a random line. A line that does not fit together with the next is skipped, a lone last one dropped.
 */
export function* splitPassages(
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
    yield { first: lines.slice(start, pivot).flat(), second: lines.slice(pivot, end).flat(), lines: taken, length }
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

/**
 * The pairs of all documents with BERT's rule (Devlin et al. 2018, section 3.1): in half of the cases the second part is one of another
 * document, cut where it is too long. Where only one document has pairs, it is one of another place in it.
 */
export function randomSecondPairs(
  documents: readonly (readonly (readonly number[])[])[],
  maxLength: number,
  ids: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
  draws: RandomPairDraws,
): SentencePair[] {
  const byDocument = documents.map((lines) => [...splitPassages(lines, maxLength, draws)])
  const all = byDocument.flat()
  let before = 0
  return byDocument.flatMap((own) => {
    const begin = before
    before += own.length
    return own.map(({ first, second, lines, length }, i) => {
      const [from, count] = own.length < all.length ? [begin, own.length] : [begin + i, 1]
      const others = all.length - count
      const label = draws.coin() < 0.5 || others === 0 ? 0 : 1
      if (label === 0) return { ...encodeSegments([first, second], maxLength, ids), label, lines }
      const drawn = draws.other(others)
      const stranger = all[drawn < from ? drawn : drawn + count]?.second ?? []
      const cut = stranger.slice(0, length - specialCount - first.length)
      return { ...encodeSegments([first, cut], maxLength, ids), label, lines }
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
