/** The job `translation-bias/neural`: data, learning and output again, in a small transformer that is trained here. */
import type { Figure, Report, Table } from '../../../report/figures.ts'
import { plotPackages } from '../../../report/plot-packages.ts'
import { meanOf } from '../../../util/vectors.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { calibrationError, type NeuralSummary } from '../neural/measure.ts'
import {
  draws,
  type Kind,
  kinds,
  measureSeed,
  type NeuralConfig,
  neuralConfig,
  type Result,
  type SeedResults,
  summaries,
} from './neural-result.ts'
import { seedsText, spreadText } from './spread.ts'

const percents = (values: readonly number[]): string =>
  spreadText(
    values.map((value) => 100 * value),
    '%',
  )

/** Of one translator, by seed. */
const resultsOf = (results: readonly SeedResults[], kind: Kind): Result[] => results.flatMap((each) => each[kind] ?? [])

/** The translators that were asked for. */
const measured = (results: readonly SeedResults[]): Kind[] =>
  (Object.keys(kinds) as Kind[]).filter((kind) => resultsOf(results, kind).length > 0)

function causesTable(
  results: readonly SeedResults[],
  measureName: keyof NeuralSummary,
  title: string,
  caption: string,
): Table {
  return {
    kind: 'table',
    title,
    caption: `${caption} Learnt: of its probability; ${draws} drawn translations; the best of 4 beams. Mean over ${seedsText(results.length)}, and from the least to the greatest.`,
    columns: ['translator', 'learnt', 'drawn', 'likeliest', 'beam'],
    rows: measured(results).map((kind) => {
      const own = resultsOf(results, kind).map(summaries)
      return [
        kinds[kind],
        ...(['learnt', 'drawn', 'shown', 'beam'] as const).map((part) =>
          percents(own.map((each) => each[part][measureName])),
        ),
      ]
    }),
  }
}

function calibrationTable(results: readonly SeedResults[]): Table {
  return {
    kind: 'table',
    title: 'Calibration',
    caption:
      'Calibration error: how far the probability of "he" is from its share in the data, weighted by how often the occupations occur. The temperature is the one that fits best to the training data; above 1 the translator was too sure. At it: the error at that temperature. Likeliest: that of what is shown.',
    columns: ['translator', 'error', 'temperature', 'at it', 'likeliest'],
    rows: measured(results).map((kind) => {
      const own = resultsOf(results, kind)
      return [
        kinds[kind],
        percents(own.map(({ error }) => error)),
        spreadText(
          own.map(({ temperature }) => temperature),
          '',
          2,
        ),
        percents(own.map(({ tempered }) => tempered)),
        percents(
          own.map(({ shares }) =>
            calibrationError(shares.map((each) => ({ ...each, shown: each.shown, learnt: each.shown ?? 0.5 }))),
          ),
        ),
      ]
    }),
  }
}

function reliability(results: readonly SeedResults[], kind: Kind): Figure {
  const points = (value: (each: Result['shares'][number]) => number | undefined) =>
    resultsOf(results, kind).flatMap(({ shares }) =>
      shares.flatMap((own) => {
        const y = value(own)
        return y === undefined ? [] : [{ x: own.data, y }]
      }),
    )
  return {
    kind: 'scatter',
    title: `Learnt and shown: ${kinds[kind]}`,
    caption: 'A point for each occupation and seed. On the diagonal the translator repeats its data.',
    x: { label: 'share of "he" in the data', percent: true },
    y: { label: 'share of "he" in the translator', percent: true },
    series: [
      {
        name: 'the data themselves',
        points: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        connected: true,
      },
      { name: 'of its probability', points: points(({ learnt }) => learnt) },
      { name: 'of the likeliest', points: points(({ shown }) => shown) },
    ],
  }
}

function byOccupation(result: Result): Table {
  const percentOrNone = (value: number | null | undefined): string =>
    value === null || value === undefined ? 'none' : percent(value)
  return {
    kind: 'table',
    title: 'By occupation',
    caption: 'Shares of "he", first seed, trained to the end.',
    columns: [
      'occupation',
      'sentences',
      'in the data',
      'of its probability',
      `of ${draws} drawn ones`,
      'of the likeliest',
    ],
    rows: result.shares.map(({ occupation, count, data, learnt, shown }, i) => [
      occupation,
      count,
      percentOrNone(data),
      percentOrNone(learnt),
      percentOrNone(result.drawn[i]),
      percentOrNone(shown),
    ]),
  }
}

const meaning = [
  'Data: trained to the end, the translator says "he" about as often as its corpus does, occupation by occupation. It invents no bias of its own, and repeats the one that is there.',
  'Learning: stopped early, it has learnt the share of the whole corpus before that of each occupation, so that everybody moves towards the majority. Label smoothing pulls shares to the middle. Trained on its own likeliest translations, as a web that is full of translations would have it, it is surer than the data ever were; trained on drawn ones it is not.',
  'Output: the likeliest translation shows one pronoun for each occupation, whatever the share. A beam does the same. Drawn translations repeat the share that was learnt.',
]

async function run(settings: NeuralConfig, context: JobContext): Promise<Report> {
  const results = await eachOf(context, seedsFrom(context.seed, settings.seeds), (seed) =>
    measureSeed(settings, seed, context),
  )
  const amplified = (kind: Kind, part: keyof ReturnType<typeof summaries>): number[] =>
    resultsOf(results, kind).map((each) => summaries(each)[part].amplification)
  const whole = resultsOf(results, 'whole')
  const items = [
    {
      label: 'data, repeated within',
      values: whole.map(({ error }) => error),
      note: 'calibration error, trained to the end',
    },
    { label: 'output amplifies by', values: amplified('whole', 'shown'), note: 'the likeliest one' },
    { label: 'drawing amplifies by', values: amplified('whole', 'drawn'), note: `${draws} drawn ones` },
    {
      label: 'feedback amplifies by',
      values: amplified('feedback-best', 'learnt'),
      note: 'of its probability, after one round',
    },
  ]
  return {
    title: 'Three causes in a neural translator',
    subtitle: `A transformer of ${settings.layers} + ${settings.layers} layers x ${settings.width}, trained on sentences with known shares of "he" and "she", ${seedsText(settings.seeds)}.`,
    summary: items
      .filter(({ values }) => values.length > 0)
      .map(({ label, values, note }) => ({ label, value: percent(meanOf(values)), note })),
    sections: [
      { title: 'What each cause does', figures: [{ kind: 'text', title: 'In words', paragraphs: meaning }] },
      {
        title: 'Measured',
        figures: [
          causesTable(
            results,
            'amplification',
            'Amplified',
            'Moved towards the pronoun that the data have more often, mean over the occupations.',
          ),
          causesTable(results, 'maleShift', 'Towards "he"', 'Moved to the male form, mean over the occupations.'),
          causesTable(results, 'distance', 'Distance from the data', 'Mean over the occupations.'),
          calibrationTable(results),
          ...measured(results).map((kind) => reliability(results, kind)),
          ...whole.slice(0, 1).map(byOccupation),
        ],
      },
    ],
    footer: 'Written by tenfold run translation-bias/neural. The corpus is generated; its shares are made up.',
  }
}

export const neural = defineJob({
  name: 'neural',
  summary:
    'the three causes in a small transformer that is trained here on a corpus with known shares, and its calibration',
  config: neuralConfig,
  packages: () => plotPackages,
  run,
})
