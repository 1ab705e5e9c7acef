/** The report of a trained FNet: accuracy compared with counting baselines, samples of its guesses, its mistakes. */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import { TextTokenizer } from '../../data/text/tokenizer.ts'
import * as ops from '../../ops/index.ts'
import type { LinePlot, Section, Series, Table } from '../../report/figures.ts'
import { topChoices } from '../../tasks/define.ts'
import type { PretrainingFacts } from '../../tasks/language/facts.ts'
import type { MaskedFields } from '../../tasks/language/masked-pairs.ts'
import type { ClassificationFacts } from '../../tasks/sequences/codec.ts'
import type { OpenedClassification } from '../../tasks/sequences/open.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { confusionCounts, type Evaluation, worstMistakes } from '../../train/metrics.ts'
import type { MetricsLine } from '../../train/store.ts'
import { percent } from '../../util/words.ts'
import type { FNetForPreTraining } from './model.ts'

/** The held-out curve of a metric, and flat lines at the baselines' values. */
function besideBaselines(
  metrics: readonly MetricsLine[],
  metric: string,
  label: string,
  baselines: Readonly<Record<string, number>>,
): LinePlot {
  const points = metrics
    .filter((line) => line.type === 'evaluation' && metric in line)
    .map((line) => ({ x: line.step, y: Number(line[metric]) }))
  const ends = [0, points.at(-1)?.x ?? 0]
  const flat = (name: string, y: number): Series => ({ name, points: ends.map((x) => ({ x, y })) })
  const isAccuracy = /accuracy/.test(metric)
  return {
    kind: 'lines',
    title: label,
    x: { label: 'step' },
    y: { label, percent: isAccuracy },
    series: [
      { name: 'model', points, best: isAccuracy ? 'max' : 'min' },
      ...Object.entries(baselines).map(([name, y]) => flat(name, y)),
    ],
  }
}

/** Tokens shown on each side of a hidden one. */
const context = 10
const sampleCount = 16

/** The model's guesses at the first hidden token of some held-out pairs. */
async function sampleGuesses(
  model: FNetForPreTraining,
  facts: PretrainingFacts,
  test: Dataset<MaskedFields>,
): Promise<Table> {
  const tokenizer = new TextTokenizer(facts.tokenizer)
  model.eval()
  const run = compile((input: Tensor, types: Tensor, positions: Tensor) =>
    ops.softmax(model.forward(input, types, { positions }).maskedLmLogits, -1),
  )
  const every = Math.max(1, Math.floor(test.length / sampleCount))
  const indices = Array.from({ length: Math.min(sampleCount, test.length) }, (_, i) => i * every)
  const rows: (readonly string[])[] = []
  for (const index of indices) {
    const batch = await test.batch([index], { epoch: 0, seed: 0 })
    const numbers = (name: MaskedFields): number[] => toNumbers(batch[name].data)
    const { input_ids, type_ids, masked_lm_positions } = batch
    const all = toNumbers((await run(input_ids, type_ids, masked_lm_positions)).array.data)
    const [position = 0] = numbers('masked_lm_positions')
    const tokens = numbers('input_ids').map((id, i) => (i === position ? facts.vocab_size : id))
    const [before, after] = [tokens.slice(Math.max(1, position - context), position), tokens.slice(position + 1)]
    const text = (ids: readonly number[]): string => tokenizer.decode(ids, { special: true })
    const end = after.indexOf(tokenizer.specialIds().pad)
    const rest = after.slice(0, Math.min(context, end < 0 ? context : end))
    const [truth = 0] = numbers('masked_lm_ids')
    const choices = topChoices(all.slice(0, tokenizer.size), (id) => tokenizer.token(id), 3)
    rows.push([
      `${text(before)} ___ ${text(rest)}`,
      tokenizer.token(truth),
      choices.map(({ label, probability }) => `${label} ${percent(probability, 0)}`).join(', '),
    ])
  }
  await run.release()
  return {
    kind: 'table',
    title: 'Hidden words in held-out text',
    caption: 'One hidden token of each pair, marked `___`; other hidden tokens around it stay hidden, as in training.',
    columns: ['text', 'hidden', 'guesses'],
    rows,
  }
}

/** The sections of a pre-training's report. */
export async function explainPretraining(
  model: FNetForPreTraining,
  facts: PretrainingFacts,
  test: Dataset<MaskedFields>,
  metrics: readonly MetricsLine[],
): Promise<Section[]> {
  const { unigram, bigram } = facts.baselines
  const wholeNumber = (value: number): string => value.toLocaleString('en')
  return [
    {
      title: 'Compared with counting words',
      intro:
        'A unigram model always says the most frequent word. A bigram model says the word that most often follows the visible word on its left.',
      figures: [
        besideBaselines(metrics, 'mlm_accuracy', 'held-out masked accuracy', {
          bigram: bigram.accuracy,
          unigram: unigram.accuracy,
        }),
        besideBaselines(metrics, 'mlm_loss', 'held-out masked loss', { bigram: bigram.loss, unigram: unigram.loss }),
      ],
    },
    { title: 'What it guesses', figures: [await sampleGuesses(model, facts, test)] },
    {
      title: 'The text',
      figures: [
        {
          kind: 'definitions',
          title: 'Text and vocabulary',
          items: [
            { name: 'documents', value: wholeNumber(facts.documents) },
            { name: 'characters', value: wholeNumber(facts.characters) },
            { name: 'training tokens', value: wholeNumber(facts.tokens) },
            { name: 'vocabulary', value: wholeNumber(facts.vocab_size) },
          ],
        },
      ],
    },
  ]
}

const shownCharacters = 160

/** The sections of a classifier's report. */
export function explainClassification(
  facts: ClassificationFacts,
  { testTexts }: OpenedClassification,
  evaluation: Evaluation,
  metrics: readonly MetricsLine[],
): Section[] {
  const { labels, majority } = facts
  const name = (label: number | undefined): string => labels[label ?? -1] ?? '?'
  const mistakes = worstMistakes(evaluation, 20).map((index) => {
    const text = (testTexts[index] ?? '').replace(/\s+/g, ' ')
    return [
      text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text,
      name(evaluation.labels[index]),
      name(evaluation.predicted[index]),
      `${Math.round(100 * (evaluation.confidence[index] ?? 0))} %`,
    ]
  })
  return [
    {
      title: 'Compared with the most frequent class',
      figures: [besideBaselines(metrics, 'accuracy', 'held-out accuracy', { 'most frequent class': majority })],
    },
    {
      title: 'What it gets wrong',
      figures: [
        {
          kind: 'confusion',
          title: 'Confusion matrix',
          caption: 'Rows: what the text is. Columns: what the model says.',
          classes: labels,
          counts: confusionCounts(evaluation, labels.length),
        },
      ],
    },
    {
      title: 'Its worst mistakes',
      figures: [
        {
          kind: 'table',
          title: 'Texts',
          caption: 'Wrong with the greatest confidence.',
          columns: ['text', 'is', 'said', 'confidence'],
          rows: mistakes,
        },
      ],
    },
  ]
}
