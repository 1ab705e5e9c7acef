/** Sentence pairs with hidden words: what a masked language model trains on. */
import { arrayDataset, type Dataset } from '../../data/dataset.ts'
import { sentencesOf } from '../../data/text/sentences.ts'
import { type SpecialIds, specialTokens } from '../../data/text/special-tokens.ts'
import type { TextTokenizer } from '../../data/text/tokenizer.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { turns } from '../../util/turn.ts'
import { int32Rows, int32Vector, segmentRows } from '../rows.ts'
import type { MaskedSequence, MaskingIds } from './masking.ts'
import { randomSecondPairs, type SentencePair, sentencePairs } from './sentence-pairs.ts'

/** The special ids of a tokenizer, with <s> and </s> where they are tokens of their own. */
export function maskingIds(tokenizer: TextTokenizer): MaskingIds {
  const [bos, eos] = [tokenizer.id(specialTokens[1]), tokenizer.id(specialTokens[2])]
  return { ...tokenizer.specialIds(), ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }) }
}

/** Documents as lists of sentences as lists of token ids. */
export async function tokenizeDocuments(
  documents: readonly { readonly text: string }[],
  tokenizer: TextTokenizer,
): Promise<number[][][]> {
  const pause = turns()
  const found: number[][][] = []
  for (const { text } of documents) {
    await pause()
    found.push(sentencesOf(text).map((sentence) => tokenizer.encode(sentence)))
  }
  return found
}

export interface PairOptions {
  readonly maxLength: number
  /** Share of the pairs that are made for a random shorter length (BERT's `short_seq_prob`), so that short texts are known too. */
  readonly shortShare: number
  readonly ids: SpecialIds
  /** The second segment where it does not follow: a passage of another document (BERT), or the first part (the official code). */
  readonly nextSentence: 'random' | 'swapped'
  readonly seed: number | bigint
}

/** The shortest length a short pair may have. */
const shortest = 12

/** The sentence pairs of all documents; cuts, swaps and random segments follow from the seed. */
export function makePairs(documents: readonly (readonly number[][])[], options: PairOptions): SentencePair[] {
  const { maxLength, shortShare, ids, nextSentence, seed } = options
  const random = new Generator(seed)
  const uniform = (): number => random.uniform(1)[0] ?? 0
  const whole = (low: number, high: number): number => random.integers(low, high, 1)[0] ?? low
  const draws = {
    pivot: (bound: number) => whole(1, bound),
    coin: uniform,
    length: () => (uniform() < shortShare && maxLength > shortest ? whole(shortest, maxLength + 1) : maxLength),
    other: (bound: number) => whole(0, bound),
  }
  if (nextSentence === 'random') return randomSecondPairs(documents, maxLength, ids, draws)
  return documents.flatMap((lines) => [...sentencePairs(lines, maxLength, ids, draws)])
}

/** The fields of pairs with hidden words. */
export type MaskedFields =
  | 'input_ids'
  | 'type_ids'
  | 'masked_lm_positions'
  | 'masked_lm_ids'
  | 'masked_lm_weights'
  | 'next_sentence_labels'

/**
 * Pairs with hidden words: `input_ids`, `type_ids` int32 [length]; `masked_lm_positions`, `masked_lm_ids` int32 and
 * `masked_lm_weights` float32 [predictions]; `next_sentence_labels` int32 []. New words are hidden in every epoch (`dynamic`), or
 * always the same ones (`fixed`, for testing); which ones depends on seed, epoch and index alone.
 */
export function maskedPairs(
  pairs: readonly SentencePair[],
  predictions: number,
  mask: (sequence: readonly number[], random: Generator) => MaskedSequence,
  mode: 'dynamic' | 'fixed',
): Dataset<MaskedFields> {
  const length = pairs[0]?.inputIds.length ?? 0
  const plain = arrayDataset({
    ...segmentRows(pairs, length),
    next_sentence_labels: int32Vector(pairs.map(({ label }) => label)),
  })
  const list = { dtype: 'int32', shape: [predictions] } as const
  return {
    length: pairs.length,
    fields: {
      ...plain.fields,
      masked_lm_positions: list,
      masked_lm_ids: list,
      masked_lm_weights: { dtype: 'float32', shape: [predictions] },
    },
    async batch(indices, context) {
      const batch = await plain.batch(indices, context)
      const masked = Array.from(indices, (index) => {
        const path = mode === 'fixed' ? ['test', index] : [context.epoch, index]
        return mask(pairs[index]?.inputIds ?? [], new Generator(deriveSeed(context.seed, 'masking', ...path)))
      })
      const rows = (name: 'positions' | 'ids'): NDArray =>
        int32Rows(
          masked.map((sequence) => sequence[name]),
          predictions,
        )
      const weights = Float32Array.from(masked.flatMap((sequence) => sequence.weights))
      return {
        ...batch,
        input_ids: int32Rows(
          masked.map(({ inputIds }) => inputIds),
          length,
        ),
        masked_lm_positions: rows('positions'),
        masked_lm_ids: rows('ids'),
        masked_lm_weights: { dtype: 'float32', shape: [indices.length, predictions], data: weights },
      }
    },
  }
}
