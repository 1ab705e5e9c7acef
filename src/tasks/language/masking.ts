/** The masking recipe of masked language models, as the official input pipeline has it (f_net/input_pipeline.py, after BERT). */
import type { SpecialIds } from '../../data/text/special-tokens.ts'
import type { Generator } from '../../util/random.ts'

/** Ids that are never hidden nor put in place of a hidden token; FNet's vocabulary has `bos` and `eos` too. */
export interface MaskingIds extends SpecialIds {
  readonly bos?: number
  readonly eos?: number
}

export interface MaskingOptions {
  readonly ids: MaskingIds
  readonly vocabSize: number
  /** Tokens to predict in one sequence, at most. Official: 80 of 512. */
  readonly maxPredictions: number
  /** Share of the tokens to predict. Official: 0.15. */
  readonly rate: number
  /** Shares of these that become [MASK], and a random token; the rest stays. Official: 0.8 and 0.1. */
  readonly maskShare: number
  readonly randomShare: number
}

/** A sequence with hidden tokens; the lists have `maxPredictions` elements, filled up with position 0, id 0, weight 0. */
export interface MaskedSequence {
  readonly inputIds: readonly number[]
  readonly positions: readonly number[]
  readonly ids: readonly number[]
  readonly weights: readonly number[]
}

/** Positions that may be hidden: all but [CLS], [SEP] and padding. */
export function maskingCandidates(sequence: readonly number[], { cls, sep, pad }: MaskingIds): number[] {
  return sequence.flatMap((id, position) => (id === cls || id === sep || id === pad ? [] : [position]))
}

/** min(maxPredictions, max(1, trunc(rate * tokens))), where [CLS] and [SEP] count as tokens and padding does not. */
export function predictionCount(
  sequence: readonly number[],
  { ids, maxPredictions, rate }: Pick<MaskingOptions, 'ids' | 'maxPredictions' | 'rate'>,
): number {
  const tokens = sequence.filter((id) => id !== ids.pad).length
  return Math.min(maxPredictions, Math.max(1, Math.trunc(tokens * rate)))
}

/** Ids that a hidden token may be replaced by: all but [MASK], [CLS], [SEP], <s>, </s> and padding; <unk> is among them. */
export function replacementVocabulary({ ids, vocabSize }: Pick<MaskingOptions, 'ids' | 'vocabSize'>): number[] {
  const excluded = new Set([ids.mask, ids.cls, ids.sep, ids.bos, ids.eos, ids.pad])
  return Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !excluded.has(id))
}

/** Random choices for one sequence: `uniforms[i]` and `replacements[i]` belong to the i-th of the sorted positions. */
export interface MaskingDraws {
  readonly positions: readonly number[]
  readonly uniforms: ArrayLike<number>
  readonly replacements: ArrayLike<number>
}

/** Hides the drawn positions: by [MASK] where the uniform is below `maskShare`, by a random token in the next `randomShare`. */
export function applyMasking(
  sequence: readonly number[],
  draws: MaskingDraws,
  options: Pick<MaskingOptions, 'ids' | 'maxPredictions' | 'maskShare' | 'randomShare'>,
): MaskedSequence {
  const { ids, maxPredictions, maskShare, randomShare } = options
  const sorted = draws.positions.toSorted((a, b) => a - b)
  const inputIds = [...sequence]
  for (const [i, position] of sorted.entries()) {
    const uniform = draws.uniforms[i] ?? 0
    if (uniform < maskShare) inputIds[position] = ids.mask
    else if (uniform < maskShare + randomShare) inputIds[position] = draws.replacements[i] ?? ids.mask
  }
  const padded = (values: readonly number[]): number[] =>
    Array.from({ length: maxPredictions }, (_, i) => values[i] ?? 0)
  return {
    inputIds,
    positions: padded(sorted),
    ids: padded(sorted.map((position) => sequence[position] ?? 0)),
    weights: padded(sorted.map(() => 1)),
  }
}

/** A masker for one vocabulary: draws positions without replacement, then hides them. */
export function masker(options: MaskingOptions): (sequence: readonly number[], random: Generator) => MaskedSequence {
  const vocabulary = replacementVocabulary(options)
  return (sequence, random) => {
    const candidates = maskingCandidates(sequence, options.ids)
    const count = Math.min(candidates.length, predictionCount(sequence, options))
    const order = random.permutation(candidates.length)
    const positions = Array.from(order.subarray(0, count), (i) => candidates[i] ?? 0)
    const uniforms = random.uniform(count)
    const replacements = Array.from(random.integers(0, vocabulary.length, count), (i) => vocabulary[i] ?? 0)
    return applyMasking(sequence, { positions, uniforms, replacements }, options)
  }
}
