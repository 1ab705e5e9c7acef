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

/** An example of order prediction: label 1 if the two parts were swapped. */
export interface SentencePair extends EncodedPair {
  readonly label: 0 | 1
  /** Lines taken: the pivot was drawn from 1 to this number - 1. */
  readonly lines: number
}

/** The random choices of a pair. */
export interface PairDraws {
  /** A whole number from 1 to `bound` - 1. */
  readonly pivot: (bound: number) => number
  /** Uniform in [0, 1): below 0.5 the order is kept. */
  readonly coin: () => number
  /** The length that this pair may have with its special tokens, at most `maxLength`. Default: `maxLength`, as the official code. */
  readonly length?: () => number
}

/**
 * The pairs of one document (lines of token ids), in order. From each line on, as many lines as fit into `maxLength` - 3 tokens,
 * split at a random line; in half of the cases the parts are swapped. A line that does not fit together with the next is skipped,
 * a lone last one dropped.
 */
export function* sentencePairs(
  lines: readonly (readonly number[])[],
  maxLength: number,
  ids: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
  draws: PairDraws,
): Generator<SentencePair> {
  let start = 0
  while (start + 1 < lines.length) {
    const room = (draws.length?.() ?? maxLength) - 3
    let end = start
    for (let used = 0; end < lines.length; end++) {
      used += lines[end]?.length ?? 0
      if (used > room) break
    }
    const taken = end - start
    if (taken < 2) {
      start++
      continue
    }
    const pivot = start + draws.pivot(taken)
    const parts = [lines.slice(start, pivot).flat(), lines.slice(pivot, end).flat()]
    const label = draws.coin() < 0.5 ? 0 : 1
    yield { ...encodeSegments(label === 0 ? parts : parts.reverse(), maxLength, ids), label, lines: taken }
    start = end
  }
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
