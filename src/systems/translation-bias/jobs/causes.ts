/** The job `translation-bias/causes`: data, learning and output, measured one by one in a translator whose corpus is known. */
import { z } from 'zod'
import type { Figure, LineSeries, Report } from '../../../report/figures.ts'
import { plotPackages } from '../../../report/plot-packages.ts'
import { whole } from '../../../train/settings.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { type CauseSummary, type OccupationShares, separateCauses } from '../statistical/causes.ts'
import type { ChannelOptions, OccupationCounts } from '../statistical/channel.ts'

/** Of 200 sentences with each occupation, how many say "he": made up, 600 of 1200 in all. */
const corpus: readonly OccupationCounts[] = [
  { occupation: 'doctor', foreign: 'orvos', he: 120, she: 80 },
  { occupation: 'nurse', foreign: 'ápoló', he: 20, she: 180 },
  { occupation: 'politician', foreign: 'politikus', he: 150, she: 50 },
  { occupation: 'teacher', foreign: 'tanár', he: 80, she: 120 },
  { occupation: 'cleaner', foreign: 'takarító', he: 60, she: 140 },
  { occupation: 'professor', foreign: 'professzor', he: 170, she: 30 },
]

const config = z.strictObject({
  iterations: whole.max(1000).default(8).describe('of IBM Model 1'),
  add_k: z.number().positive().default(0.01).describe('added to every count of the language model'),
  sweep: whole
    .min(2)
    .max(1000)
    .default(20)
    .describe('steps of the share of "he" with one occupation, from never to always'),
})

type CausesConfig = z.infer<typeof config>

/** The translators that are compared: each differs from the first in one thing. */
function translators({ iterations, add_k: addK }: CausesConfig): Readonly<Record<string, ChannelOptions>> {
  const common = { iterations, addK }
  return {
    'whole sentences (5-grams)': { ...common, order: 5 },
    'two words at a time (2-grams)': { ...common, order: 2 },
    'weight 2 of the language model': { ...common, order: 5, languageWeight: 2 },
  }
}

/** The corpus with more men: what a limited model swallows is then a male default. */
const skewed: readonly OccupationCounts[] = corpus.map((each) => ({ ...each, he: 2 * each.he }))

function sharesTable(title: string, results: readonly (readonly [string, readonly OccupationShares[]])[]): Figure {
  const [, first = []] = results[0] ?? []
  return {
    kind: 'table',
    title,
    caption:
      'Shares of "he". Of probability: what sampling would show. Shown: what the most probable translation says.',
    columns: ['occupation', 'in the data', ...results.flatMap(([name]) => [`${name}: of probability`, 'shown'])],
    rows: first.map(({ occupation, data }, i) => [
      occupation,
      percent(data),
      ...results.flatMap(([, shares]) => [percent(shares[i]?.posterior ?? 0), percent(shares[i]?.argmax ?? 0)]),
    ]),
  }
}

function summaryTable(title: string, results: readonly (readonly [string, CauseSummary])[]): Figure {
  return {
    kind: 'table',
    title,
    caption:
      'Amplified: moved towards the pronoun that the data have more often. Towards "he": moved to the male form. Both are means over the occupations.',
    columns: [
      'translator',
      'amplified by learning',
      'and by the output',
      'towards "he" by learning',
      'and by the output',
    ],
    rows: results.map(([name, { amplification, maleShift }]) => [
      name,
      ...[amplification.posterior, amplification.argmax, maleShift.posterior, maleShift.argmax].map((share) =>
        percent(share),
      ),
    ]),
  }
}

/** The share of one occupation from never to always "he", the others as they are. */
function sweep(options: ChannelOptions, steps: number): { readonly learnt: LineSeries; readonly shown: LineSeries } {
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const he = Math.round((200 * i) / steps)
    const own = corpus.map((each, k) => (k === 0 ? { ...each, he, she: 200 - he } : each))
    const [doctor] = separateCauses(own, options).shares
    return { x: he / 200, learnt: doctor?.posterior ?? 0, shown: doctor?.argmax ?? 0 }
  })
  return {
    learnt: { name: 'of probability', points: points.map(({ x, learnt }) => ({ x, y: learnt })) },
    shown: { name: 'shown', points: points.map(({ x, shown }) => ({ x, y: shown })) },
  }
}

const meaning = [
  'Data: a model that sees whole sentences gives back the shares of its corpus, whatever they are. What is skewed there is skewed in it, and no more.',
  'Learning: a model that sees two words at a time never sees pronoun and occupation together. Every occupation gets the share of the whole corpus: with more men in it, the nurse is a man. A weight above 1 makes any majority larger.',
  'Output: a translator shows the most probable translation. Of 60 % it makes 100 %, and of 40 % nothing. Drawing by probability would repeat the data, but hide from the reader that there was a choice: showing both forms does not.',
]

async function run(settings: CausesConfig, { progress, signal }: JobContext): Promise<Report> {
  const named = Object.entries(translators(settings))
  const measured = (counts: readonly OccupationCounts[]) =>
    named.map(([name, options]) => {
      signal?.throwIfAborted()
      return [name, separateCauses(counts, options)] as const
    })
  const [balanced, male] = [measured(corpus), measured(skewed)]
  for (const [name, { summary }] of balanced) {
    const { amplification } = summary
    progress(
      `${name}: amplified ${percent(amplification.posterior)} by learning, ${percent(amplification.argmax)} with the output`,
      {
        name,
        amplification,
      },
    )
  }
  const sections = [
    { title: 'As many men as women', results: balanced },
    { title: 'Twice as many men', results: male },
  ].map(({ title, results }) => ({
    title,
    figures: [
      sharesTable(
        'By occupation',
        results.map(([name, { shares }]) => [name, shares] as const),
      ),
      summaryTable(
        'In all',
        results.map(([name, { summary }]) => [name, summary] as const),
      ),
    ],
  }))
  const plots = named.map(([name, options]): Figure => {
    const { learnt, shown } = sweep(options, settings.sweep)
    return {
      kind: 'lines',
      title: name,
      x: { label: 'share of "he" with doctors in the data', percent: true },
      y: { label: 'share of "he" with doctors', percent: true },
      series: [learnt, shown],
    }
  })
  const [entire, limited] = balanced.map(([, { summary }]) => summary)
  const shownAsMale = male[1]?.[1].shares.filter(({ data, argmax }) => data < 0.5 && argmax === 1) ?? []
  return {
    title: 'Three causes of a skewed translation',
    subtitle: 'A statistical translator, trained on sentences with known shares of "he" and "she".',
    summary: [
      { label: 'data, repeated within', value: percent(entire?.distance.posterior ?? 0), note: 'whole sentences' },
      {
        label: 'learning moves shares by',
        value: percent(limited?.distance.posterior ?? 0),
        note: 'two words at a time',
      },
      {
        label: 'output amplifies by',
        value: percent(entire?.amplification.argmax ?? 0),
        note: 'the most probable one',
      },
      {
        label: 'women shown as "he"',
        value: String(shownAsMale.length),
        note: 'occupations, twice as many men, two words',
      },
    ],
    sections: [
      { title: 'What each cause does', figures: [{ kind: 'text', title: 'In words', paragraphs: meaning }] },
      ...sections,
      { title: 'One occupation from never to always', figures: plots },
    ],
    footer: 'Written by tenfold run translation-bias/causes.',
  }
}

export const causes = defineJob({
  name: 'causes',
  summary: 'why translations are skewed: data, learning and output apart, in a translator trained here in seconds',
  config,
  packages: () => plotPackages,
  run,
})
