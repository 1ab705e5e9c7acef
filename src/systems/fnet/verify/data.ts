/** Reference cases of the data of FNet: masking, sentence pairs, GLUE inputs and metrics, SentencePiece, ListOps, bytes. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sentencePieceTokenizer, TextTokenizer } from '../../../data/index.ts'
import {
  applyMasking,
  type MaskingIds,
  maskingCandidates,
  predictionCount,
  replacementVocabulary,
} from '../../../tasks/language/masking.ts'
import { encodeSegments, glueSegments, sentencePairs } from '../../../tasks/language/sentence-pairs.ts'
import { byteIds } from '../../../tasks/sequences/bytes.ts'
import {
  generateListOps,
  type ListOpsOptions,
  type ListOpsTree,
  listOpsLength,
  listOpsOperators,
  listOpsText,
  listOpsTokens,
  listOpsValue,
} from '../../../tasks/sequences/listops.ts'
import { type DType, fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { accuracy, f1Score, matthewsCorrelation, spearmanCorrelation } from '../../../train/metrics.ts'
import { FormatError } from '../../../util/errors.ts'
import { largest } from '../../../util/lists.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  withoutEffect,
} from '../../../verify/target.ts'

const vector = (values: readonly number[], dtype: DType = 'int64'): NDArray => ({
  dtype,
  shape: [values.length],
  data: fromNumbers(dtype, values),
})

/** Rows of equal length; `width` is needed only where there may be no rows. */
const matrix = (
  rows: readonly (readonly number[])[],
  dtype: DType = 'int64',
  width = rows[0]?.length ?? 0,
): NDArray => ({
  dtype,
  shape: [rows.length, width],
  data: fromNumbers(dtype, rows.flat()),
})

const scalar = (value: number): NDArray => ({ dtype: 'float32', shape: [], data: new Float32Array([value]) })

/** Rows of different lengths as a matrix as wide as the longest. */
function padded(rows: readonly (readonly number[])[], width: number, filler: number): NDArray {
  return matrix(
    rows.map((row) => Array.from({ length: width }, (_, i) => row[i] ?? filler)),
    'int64',
    width,
  )
}

const widest = (rows: readonly (readonly number[])[]): number => Math.max(0, largest(rows.map((row) => row.length)))

function input({ tensors }: ReferenceCase, name: string): number[] {
  return toNumbers(requiredTensor(tensors, `input/${name}`).data)
}

function inputRows({ tensors }: ReferenceCase, name: string): number[][] {
  const { shape, data } = requiredTensor(tensors, `input/${name}`)
  const [rows, width] = sizes(shape, 2)
  const values = toNumbers(data)
  return Array.from({ length: rows }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** The texts of a case, which are next to its tensors in the JSON. */
function strings({ fields }: ReferenceCase): string[] {
  const checked = z.array(z.string()).safeParse(fields.strings)
  if (!checked.success) throw new FormatError('the case must have a list of "strings"')
  return checked.data
}

/** Compares the texts that some cases have besides their tensors. */
function checkTexts({ fields }: ReferenceCase, name: string, found: readonly string[]): void {
  const expected = z.array(z.string()).parse(fields[name] ?? found)
  const wrong = Array.from({ length: Math.max(expected.length, found.length) }, (_, i) => i).find(
    (i) => expected[i] !== found[i],
  )
  if (wrong === undefined) return
  throw new FormatError(
    `${name}[${wrong}] is ${JSON.stringify(found[wrong])}, expected ${JSON.stringify(expected[wrong])}`,
  )
}

const officialIds = { unk: 0, bos: 1, eos: 2, pad: 3, cls: 4, sep: 5, mask: 6 }

function idsOf(config: Settings): Required<MaskingIds> {
  const id = (name: keyof typeof officialIds): number => numberSetting(config, `${name}_id`, officialIds[name])
  return {
    unk: id('unk'),
    bos: id('bos'),
    eos: id('eos'),
    pad: id('pad'),
    cls: id('cls'),
    sep: id('sep'),
    mask: id('mask'),
  }
}

async function runMasking(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const options = {
    ids: idsOf(config),
    vocabSize: numberSetting(config, 'vocab_size'),
    maxPredictions: numberSetting(config, 'max_predictions_per_seq'),
    rate: numberSetting(config, 'masking_rate'),
    maskShare: numberSetting(config, 'mask_token_proportion'),
    randomShare: numberSetting(config, 'random_token_proportion'),
  }
  const sequences = inputRows(reference, 'input_ids')
  fixedSetting(config, 'max_seq_length', sequences[0]?.length ?? 0)
  const [chosen, uniforms, replacements] = ['chosen_positions', 'uniforms', 'random_tokens'].map((name) =>
    inputRows(reference, name),
  )
  const masked = sequences.map((sequence, i) =>
    applyMasking(
      sequence,
      {
        positions: (chosen?.[i] ?? []).filter((position) => position >= 0),
        uniforms: uniforms?.[i] ?? [],
        replacements: replacements?.[i] ?? [],
      },
      options,
    ),
  )
  const candidates = sequences.map((sequence) => {
    const positions = new Set(maskingCandidates(sequence, options.ids))
    return sequence.map((_, position) => Number(positions.has(position)))
  })
  const inputs = requiredTensor(reference.tensors, 'output/candidate_mask').dtype
  return new Map([
    ['output/input_ids', matrix(masked.map(({ inputIds }) => inputIds))],
    ['output/masked_lm_positions', matrix(masked.map(({ positions }) => positions))],
    ['output/masked_lm_ids', matrix(masked.map(({ ids }) => ids))],
    [
      'output/masked_lm_weights',
      matrix(
        masked.map(({ weights }) => weights),
        'float32',
      ),
    ],
    ['output/num_to_predict', vector(sequences.map((sequence) => predictionCount(sequence, options)))],
    ['output/candidate_mask', matrix(candidates, inputs)],
    ['output/replacement_vocabulary', vector(replacementVocabulary(options))],
  ])
}

async function runPairs(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const maxLength = numberSetting(reference.config, 'max_seq_length')
  withoutEffect(reference.config, 'buffer_size') // of a shuffle, whose draws would be inputs
  const [tokens, lengths, documents, pivots, coins] = [
    'line_tokens',
    'line_lengths',
    'line_document',
    'pivots',
    'coins',
  ].map((name) => input(reference, name))
  const byDocument = new Map<number, number[][]>()
  let start = 0
  for (const [i, length] of (lengths ?? []).entries()) {
    const document = documents?.[i] ?? 0
    const lines = byDocument.get(document) ?? []
    lines.push((tokens ?? []).slice(start, start + length))
    byDocument.set(document, lines)
    start += length
  }
  let [pivot, coin] = [0, 0]
  const draws = { pivot: () => pivots?.[pivot++] ?? 1, coin: () => coins?.[coin++] ?? 0 }
  const pairs = [...byDocument.values()].flatMap((lines) => [
    ...sentencePairs(lines, maxLength, idsOf(reference.config), draws),
  ])
  return new Map([
    ['output/input_ids', matrix(pairs.map(({ inputIds }) => inputIds))],
    ['output/type_ids', matrix(pairs.map(({ typeIds }) => typeIds))],
    ['output/next_sentence_labels', vector(pairs.map(({ label }) => label))],
    ['output/pivot_upper_bounds', vector(pairs.map(({ lines }) => lines))],
  ])
}

const sentencePieceConfig = z.object({
  model_type: z.enum(['bpe', 'unigram']).default('bpe'),
  pieces: z.array(z.string()),
  scores: z.array(z.number()),
  piece_types: z.array(z.enum(['normal', 'unknown', 'control', 'unused'])),
})

function sentencePieceOf(config: Settings): TextTokenizer {
  const normalization = stringSetting(config, 'normalization', 'identity')
  if (!/^identity\b/.test(normalization)) {
    throw new FormatError(`setting "normalization" must be identity, found ${JSON.stringify(normalization)}`)
  }
  const checked = sentencePieceConfig.safeParse(config)
  if (!checked.success)
    throw new FormatError(
      'the case must have "pieces", "scores" and "piece_types", each normal, unknown, control or unused',
    )
  const { model_type: kind, pieces, scores, piece_types: types } = checked.data
  return new TextTokenizer(sentencePieceTokenizer({ kind, pieces, scores, types }))
}

async function runSentencePiece(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const tokenizer = sentencePieceOf(reference.config)
  const rows = strings(reference).map((text) => tokenizer.encode(text))
  const unknown = tokenizer.token((reference.config.piece_types as string[]).indexOf('unknown'))
  checkTexts(
    reference,
    'decoded',
    // SentencePiece's text for an unknown piece.
    rows.map((ids) => tokenizer.decode(ids, { special: true }).replaceAll(unknown, ' \u2047 ')),
  )
  return new Map([
    ['output/ids', padded(rows, widest(rows), -1)],
    ['output/lengths', vector(rows.map(({ length }) => length))],
  ])
}

/** The settings of another case, whose pieces this one uses. */
async function configOf(path: string): Promise<Settings> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new FormatError(`the case needs ${path} next to it`)
  })
  return z.object({ config: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text)).config
}

async function runGlueInputs(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config, fields, folder } = reference
  const other = /case (\S+)/.exec(stringSetting(config, 'tokenizer', ''))?.[1]
  const tokenizer = sentencePieceOf(other ? await configOf(join(folder, `${other}.json`)) : config)
  const dataset = stringSetting(config, 'dataset_name')
  const names = glueSegments(dataset)
  const records = z.array(z.record(z.string(), z.unknown())).safeParse(fields.records)
  if (!names || !records.success)
    throw new FormatError(`the case must name a GLUE task and have "records", found ${dataset}`)
  const pairs = records.data.map((record) =>
    encodeSegments(
      names.map((name) => tokenizer.encode(String(record[name] ?? ''))),
      numberSetting(config, 'max_seq_length'),
      idsOf(config),
    ),
  )
  return new Map([
    ['output/input_ids', matrix(pairs.map(({ inputIds }) => inputIds))],
    ['output/type_ids', matrix(pairs.map(({ typeIds }) => typeIds))],
  ])
}

/** Generates a tree from the recorded draws, in their order; each must be of the kind that is asked for. */
function replay(
  kinds: readonly number[],
  values: readonly number[],
  operators: readonly string[],
  options: ListOpsOptions,
): ListOpsTree {
  let place = 0
  const next = (kind: number): number => {
    if (kinds[place] !== kind) throw new FormatError(`draw ${place} must be of kind ${kind}, found ${kinds[place]}`)
    return values[place++] ?? 0
  }
  return generateListOps(options, {
    kind: () => next(0),
    digit: () => next(1),
    argumentCount: () => next(2),
    operator: () => operators[next(3)] ?? '',
  })
}

async function runListOps(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const [kinds, values] = [input(reference, 'draw_kind'), input(reference, 'draw_value')]
  const options = {
    maxDepth: numberSetting(config, 'max_depth'),
    maxArgs: numberSetting(config, 'max_args'),
    nodeShare: numberSetting(config, 'value_p', 0.25),
  }
  const operators = z.array(z.string()).parse(config.operators ?? listOpsOperators)
  const trees = inputRows(reference, 'draw_offsets').map(([start = 0, end = 0]) =>
    replay(kinds.slice(start, end), values.slice(start, end), operators, options),
  )
  checkTexts(reference, 'expressions', trees.map(listOpsText))
  const [shortest, longest] = [numberSetting(config, 'min_length', 500), numberSetting(config, 'max_length', 2000)]
  const outside = trees.map(listOpsLength).find((length) => length <= shortest || length >= longest)
  if (outside !== undefined) {
    throw new FormatError(`trees must be longer than ${shortest} and shorter than ${longest}, found ${outside}`)
  }
  fixedSetting(config, 'values', 10) // digits, which are also the classes
  const vocabulary = z.array(z.string()).parse(config.vocabulary)
  const rows = trees.map((tree) => listOpsTokens(tree).map((token) => 1 + vocabulary.indexOf(token)))
  return new Map([
    ['output/ids', padded(rows, widest(rows), 0)],
    ['output/lengths', vector(trees.map(listOpsLength))],
    ['output/values', vector(trees.map(listOpsValue))],
  ])
}

async function runBytes(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const maxLength = numberSetting(reference.config, 'max_length')
  fixedSetting(reference.config, 'vocab_size', 257) // the bytes and the padding
  const rows = strings(reference).map((text) => byteIds(text, maxLength))
  return new Map([
    ['output/ids', padded(rows, maxLength, 0)],
    ['output/lengths', vector(rows.map(({ length }) => length))],
  ])
}

// What f_net/run_classifier.py adds to denominators.
const glue = { epsilon: 1e-6 }

async function runMetrics(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const results = new Map<string, NDArray>()
  for (const name of reference.tensors.keys()) {
    const [, kind, number] = /^input\/(prediction|regression_prediction)_(\d+)$/.exec(name) ?? []
    if (kind === 'prediction') {
      const [said, is] = [input(reference, `prediction_${number}`), input(reference, `label_${number}`)]
      const [f1, share] = [f1Score(said, is, glue), accuracy(said, is)]
      results.set(`output/accuracy_${number}`, scalar(share))
      results.set(`output/f1_${number}`, scalar(f1))
      results.set(`output/f1_accuracy_mean_${number}`, scalar((f1 + share) / 2))
      results.set(`output/mcc_${number}`, scalar(matthewsCorrelation(said, is, glue)))
    } else if (kind) {
      const [said, is] = [input(reference, `${kind}_${number}`), input(reference, `regression_label_${number}`)]
      results.set(`output/spearmanr_${number}`, scalar(spearmanCorrelation(said, is)))
    }
  }
  return results
}

/** The targets of FNet's data. */
export const dataTargets: readonly CaseTargetRule[] = [
  { target: /^c4_masked_lm_inputs/, run: runMasking },
  { target: /^_c4_data_unbatched/, run: runPairs },
  { target: /^glue_inputs preprocessing/, run: runGlueInputs },
  { target: /^SentencePiece (BPE|unigram) encode/i, run: runSentencePiece },
  { target: /^Long Range Arena ListOps/, run: runListOps },
  { target: /^byte-level text/, run: runBytes },
  { target: /^GLUE metrics/, run: runMetrics },
]
