/** Uses of a trained FNet: words for [MASK], classes of texts, and the exported model. */
import { z } from 'zod'
import { compile } from '../../compile/compile.ts'
import { TextTokenizer } from '../../data/index.ts'
import * as ops from '../../ops/index.ts'
import { type Answer, answerEach, defineUse, type Exportable, topChoices } from '../../tasks/define.ts'
import type { PretrainingFacts } from '../../tasks/language/facts.ts'
import { encodeSegments } from '../../tasks/language/sentence-pairs.ts'
import { type ClassificationFacts, codecOf, encodeToFit, listOpsTokens } from '../../tasks/sequences/codec.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import type { FNetForPreTraining, FNetForSequenceClassification } from './model.ts'

const row = (values: readonly number[]): Tensor => constant(Int32Array.from(values), [1, values.length], 'int32')

/** The words for every [MASK] of each text; several in one text are several answers. */
async function* predictWords(
  model: FNetForPreTraining,
  { tokenizer: file, max_seq_length: maxLength }: PretrainingFacts,
  texts: readonly string[],
  top = 5,
): AsyncGenerator<Answer> {
  model.eval()
  const tokenizer = new TextTokenizer(file)
  const ids = tokenizer.specialIds()
  const maskName = tokenizer.token(ids.mask)
  const run = compile((input: Tensor, types: Tensor, positions: Tensor) =>
    ops.softmax(model.forward(input, types, { positions }).maskedLmLogits, -1),
  )
  yield* answerEach(texts, async (text) => {
    const tokens = tokenizer.encode(text)
    const { inputIds, typeIds } = encodeSegments([tokens], maxLength, ids)
    const positions = inputIds.flatMap((id, position) => (id === ids.mask ? [position] : []))
    const hidden = tokens.filter((id) => id === ids.mask).length
    if (hidden === 0) {
      throw new UsageError(`"${text}" has no ${maskName}`, { hint: `write ${maskName} where a word is to be guessed` })
    }
    if (positions.length < hidden) {
      throw new UsageError(`a text may have at most ${maxLength - 2} tokens, found ${tokens.length}`)
    }
    const probabilities = toNumbers((await run(row(inputIds), row(typeIds), row(positions))).array.data)
    const size = probabilities.length / hidden
    return positions.map((_, i) => {
      // A checkpoint may have more rows than its vocabulary has tokens: the rest are not words.
      const own = probabilities.slice(i * size, i * size + tokenizer.size)
      const name = (id: number): string => tokenizer.token(id).replace(/^▁/, '')
      const which = hidden > 1 ? ` (${maskName} ${i + 1})` : ''
      return { input: `${text}${which}`, choices: topChoices(own, name, top) }
    })
  })
  await run.release()
}

/** The most probable classes of each text. */
async function* predictClasses(
  model: FNetForSequenceClassification,
  facts: ClassificationFacts,
  texts: readonly string[],
  top = 3,
): AsyncGenerator<Answer> {
  model.eval()
  const codec = codecOf(facts)
  const run = compile((input: Tensor, types: Tensor) => ops.softmax(model.forward(input, types), -1))
  yield* answerEach(texts, async (text) => {
    const tokens = encodeToFit(text, facts)
    const { inputIds, typeIds } = encodeSegments([tokens], facts.max_seq_length, codec.ids)
    const probabilities = toNumbers((await run(row(inputIds), row(typeIds))).array.data)
    const choices = topChoices(probabilities, (label) => facts.labels[label] ?? String(label), top)
    return [{ input: text.length > 60 ? `${text.slice(0, 57)}...` : text, choices }]
  })
  await run.release()
}

/** A model and its facts about the text: what the uses take. */
export interface Trained<Model, Facts> {
  readonly model: Model
  readonly facts: Facts
}

const choicesNamed = (most: number, what: string) =>
  z.strictObject({ top: z.number().int().positive().default(most).describe(`${what} to name, at most`) })

/** The use `predict` of a masked language model. */
export const guessWords = defineUse({
  summary: 'the most probable words for each [MASK] of a text',
  inputs: '"Call me [MASK]."',
  options: choicesNamed(5, 'words'),
  run: ({ model, facts }: Trained<FNetForPreTraining, PretrainingFacts>, texts, { top }) =>
    predictWords(model, facts, texts, top),
})

/** The use `predict` of a classifier; `example`: a text in quotes. */
export const classifyTexts = (example: string) =>
  defineUse({
    summary: 'the most probable classes of each text',
    inputs: example,
    options: choicesNamed(3, 'classes'),
    run: ({ model, facts }: Trained<FNetForSequenceClassification, ClassificationFacts>, texts, { top }) =>
      predictClasses(model, facts, texts, top),
  })

type TextFields = 'input_ids' | 'type_ids'

function inputsOf(length: number): Exportable<TextFields>['inputs'] {
  return { input_ids: { dtype: 'int32', shape: [1, length] }, type_ids: { dtype: 'int32', shape: [1, length] } }
}

/** How a consumer prepares the inputs; the padded length matters, since the Fourier transform mixes in the padding. */
function preprocessing(length: number, ids: { cls: number; sep: number; pad: number }) {
  const form = '[CLS] text [SEP], padded to exactly `length`; type_ids 0, second segment 1'
  return JSON.stringify({ input: 'input_ids', dtype: 'int32', length, form, ...ids })
}

/** `input_ids`, `type_ids` int32 [batch, length] -> `logits` [batch, length, vocabulary], `next_sentence_logits` [batch, 2]. */
export function exportPretraining(model: FNetForPreTraining, facts: PretrainingFacts): Exportable<TextFields> {
  model.eval()
  const length = facts.max_seq_length
  return {
    inputs: inputsOf(length),
    forward: ({ input_ids, type_ids }) => {
      const { maskedLmLogits, nextSentenceLogits } = model.forward(input_ids, type_ids)
      return { logits: maskedLmLogits, next_sentence_logits: nextSentenceLogits }
    },
    metadata: {
      'tokenizer.json': JSON.stringify(facts.tokenizer),
      preprocessing: preprocessing(length, new TextTokenizer(facts.tokenizer).specialIds()),
    },
  }
}

/** What list operations and bytes have instead of a tokenizer. */
function tokenMetadata({ kind }: ClassificationFacts): Readonly<Record<string, string>> {
  if (kind === 'bytes') return { tokens: 'the bytes of the UTF-8 text, each plus 1' }
  return kind === 'listops' ? { tokens: JSON.stringify(listOpsTokens()) } : {}
}

/** `input_ids`, `type_ids` int32 [batch, length] -> `logits` and `probabilities` [batch, classes]. */
export function exportClassifier(
  model: FNetForSequenceClassification,
  facts: ClassificationFacts,
): Exportable<TextFields> {
  model.eval()
  return {
    inputs: inputsOf(facts.max_seq_length),
    forward: ({ input_ids, type_ids }) => {
      const logits = model.forward(input_ids, type_ids)
      return { logits, probabilities: ops.softmax(logits, -1) }
    },
    metadata: {
      labels: JSON.stringify(facts.labels),
      ...(facts.tokenizer && { 'tokenizer.json': JSON.stringify(facts.tokenizer) }),
      ...tokenMetadata(facts),
      preprocessing: preprocessing(facts.max_seq_length, codecOf(facts).ids),
    },
  }
}
