/** The job `translation-bias/mitigation`: every counter-measure on the same translator, the same questions and the same scale. */
import { z } from 'zod'
import type { Report, Table } from '../../../report/figures.ts'
import { plotPackages } from '../../../report/plot-packages.ts'
import { meanOf } from '../../../util/vectors.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { occupations } from '../neural/corpus.ts'
import { shownShare, summarizeShares } from '../neural/measure.ts'
import { translatorOptions, translatorSettings } from '../neural/settings.ts'
import {
  type Answers,
  answersSchema,
  ask,
  corpusShares,
  fittedTemperature,
  neutralizeOccupations,
  otherData,
  studyData,
  trainOn,
} from '../neural/study.ts'
import type { NeuralTranslator } from '../neural/translator.ts'
import { type Measure, measures, type TranslatorName } from './mitigation-measures.ts'
import { seedsText, spreadText } from './spread.ts'

const names = Object.keys(measures)

const config = z.strictObject({
  ...translatorSettings,
  measures: z
    .array(z.enum(names))
    .min(1)
    .default(names)
    .describe(`which ones, of ${names.join(', ')}`),
})

type MitigationConfig = z.infer<typeof config>

const partSchema = z.object({ answers: answersSchema, data: z.array(z.number()) })
type Part = z.infer<typeof partSchema>

/** Trains what is needed, once. */
function trainers(settings: MitigationConfig, seed: number, threads: number | undefined) {
  const options = translatorOptions(settings, seed, threads)
  const data = studyData(seed)
  const tagged = studyData(seed, { tagged: true })
  const made = new Map<TranslatorName, Promise<NeuralTranslator>>()
  const train: Readonly<Record<TranslatorName, () => Promise<NeuralTranslator>>> = {
    first: () => trainOn(data, data.train, options),
    tagged: () => trainOn(data, tagged.train, options),
    balanced: () => trainOn(data, otherData.balanced(data.train), options),
    counterfactual: () => trainOn(data, otherData.counterfactual(data.train), options),
    // Its vectors change: it is one of its own.
    debiased: async () => {
      const translator = await trainOn(data, data.train, options)
      neutralizeOccupations(translator)
      return translator
    },
  }
  return {
    data,
    get: (name: TranslatorName): Promise<NeuralTranslator> => {
      const found = made.get(name) ?? train[name]()
      made.set(name, found)
      return found
    },
  }
}

async function measureSeed(settings: MitigationConfig, seed: number, context: JobContext): Promise<Map<string, Part>> {
  const { data, get } = trainers(settings, seed, context.threads)
  const shares = corpusShares(data.train).map(({ he }) => he)
  const found = new Map<string, Part>()
  const { measures: chosen, seeds: _seeds, ...own } = settings
  await eachOf(context, chosen, async (key) => {
    const measure = measures[key]
    if (!measure) return
    const { name, translator: wanted, show } = measure
    context.signal?.throwIfAborted()
    const { part, wasThere } = await context.keep(`${key}-${seed}`, { key, seed, own }, partSchema, async () => {
      const translator = await get(wanted)
      const temperature = await fittedTemperature(translator, data.train)
      const answers: Answers = await ask(show(translator, seed, temperature), data.test)
      return { answers, data: shares }
    })
    found.set(key, part)
    const { bleu, chrf } = part.answers.quality
    context.progress(
      `seed ${seed}, ${name}: BLEU ${bleu.toFixed(1)}, chrF ${chrf.toFixed(1)}${wasThere ? ' (kept)' : ''}`,
      { seed, measure: key, quality: part.answers.quality },
    )
  })
  return found
}

/** What is shown of the questions, as numbers. A share is that over all readers; how balanced it is, each reader sees alone. */
function shownSummary({ answers, data }: Part) {
  const perReader = occupations.map((_, i) => (answers.questions[i] ?? []).map((shown) => shownShare(shown)))
  const found = perReader.map((shares) => shares.filter((share) => share !== undefined))
  const shares = occupations.map(({ occupation, count }, i) => {
    const own = found[i] ?? []
    return { occupation, count, data: data[i] ?? 0.5, learnt: 0.5, shown: own.length === 0 ? undefined : meanOf(own) }
  })
  const all = found.flat()
  const asked = perReader.flat().length
  return {
    ...summarizeShares(shares, ({ shown }) => shown),
    imbalance: all.length === 0 ? 0 : meanOf(all.map((share) => Math.abs(share - 0.5))),
    both: all.filter((share) => share > 0 && share < 1).length / asked,
    gendered: all.length / asked,
  }
}

const percents = (values: readonly number[]): string =>
  spreadText(
    values.map((value) => 100 * value),
    '%',
  )

/** The measures that were asked for. */
const measured = (results: readonly ReadonlyMap<string, Part>[]): [string, Measure][] =>
  Object.entries(measures).filter(([key]) => results.some((each) => each.has(key)))

function scaleTable(results: readonly ReadonlyMap<string, Part>[]): Table {
  return {
    kind: 'table',
    title: 'Every measure on one scale',
    caption: `Amplified: moved towards the pronoun that the data have more often. Shares are over 20 readers who ask the same. Unbalanced: how far from half and half is what one reader sees. Both count as half and half. Mean over ${seedsText(results.length)}, and from the least to the greatest.`,
    columns: ['measure', 'amplified', 'towards "he"', 'from the data', 'unbalanced', 'both shown', 'no gender'],
    rows: measured(results).map(([key, { name }]) => {
      const own = results.flatMap((each) => {
        const part = each.get(key)
        return part ? [shownSummary(part)] : []
      })
      const cell = (value: (each: ReturnType<typeof shownSummary>) => number): string => percents(own.map(value))
      return [
        name,
        ...(own.some(({ gendered }) => gendered > 0)
          ? [
              cell(({ amplification }) => amplification),
              cell(({ maleShift }) => maleShift),
              cell(({ distance }) => distance),
              cell(({ imbalance }) => imbalance),
            ]
          : ['none', 'none', 'none', 'none']),
        cell(({ both }) => both),
        cell(({ gendered }) => 1 - gendered),
      ]
    }),
  }
}

function costTable(results: readonly ReadonlyMap<string, Part>[]): Table {
  return {
    kind: 'table',
    title: 'What each costs',
    caption:
      'BLEU and chrF of the first translation that is shown, on held-out sentences of the same corpus, one reference each, as sacrebleu computes them. With context: sentences whose context says who is meant, and that only this pronoun is shown. But for the pronoun: sentences that are right otherwise.',
    columns: ['measure', 'BLEU', 'chrF', 'but for the pronoun', 'with context'],
    rows: measured(results).map(([key, { name }]) => {
      const own = results.flatMap((each) => each.get(key)?.answers ?? [])
      return [
        name,
        spreadText(
          own.map(({ quality }) => quality.bleu),
          '',
        ),
        spreadText(
          own.map(({ quality }) => quality.chrf),
          '',
        ),
        percents(own.map(({ quality }) => quality.withoutPronoun)),
        percents(own.map(({ context }) => context)),
      ]
    }),
  }
}

function tradesTable(results: readonly ReadonlyMap<string, Part>[]): Table {
  return {
    kind: 'table',
    title: 'What each trades',
    columns: ['measure', 'what it trades'],
    rows: measured(results).map(([, { name, tradeOff }]) => [name, tradeOff]),
  }
}

function examplesTable(result: ReadonlyMap<string, Part>): Table {
  const shown = (key: string, i: number): string => (result.get(key)?.answers.questions[i]?.[0] ?? []).join(' / ')
  const columns = ['none', 'sampling', 'two-best', 'tagged', 'rewriting', 'they', 'counterfactual', 'debiased'].filter(
    (key) => result.has(key),
  )
  return {
    kind: 'table',
    title: 'What a reader sees',
    caption: 'First seed, first reader.',
    columns: ['occupation', ...columns.map((key) => measures[key]?.name ?? key)],
    rows: occupations.map(({ foreign }, i) => [`ő egy ${foreign}`, ...columns.map((key) => shown(key, i))]),
  }
}

const meaning = [
  'Without context no answer is right, so a measure cannot be judged by how often it is: it is judged by what it does to the shares, and by what it costs where there is a right answer. A reference has one pronoun, drawn as the corpus has it: the likeliest translation is the best guess of it, and that is why translators are built so. Whoever balances pays in BLEU, though nobody who reads the translation loses anything.',
  'Balanced and counterfactual data change what is learnt, not what is shown: with equal shares within, the likeliest translation is still one pronoun, and which one is chance. Drawing is fair on average and silent in each case. Both forms side by side (tags, rewriting, often the two best) say that there was a choice. "they" says it too, in one sentence.',
  'What is repaired where is a decision about people, not about a model: whether a translator should repeat the texts it learnt from, society as it is counted, or a balance, is what the discussion calls social engineering. Leaving things as they are is a decision as well.',
]

async function run(settings: MitigationConfig, context: JobContext): Promise<Report> {
  const results = await eachOf(context, seedsFrom(context.seed, settings.seeds), (seed) =>
    measureSeed(settings, seed, context),
  )
  const amplified = (key: string): number =>
    meanOf(
      results.flatMap((each) => {
        const part = each.get(key)
        return part ? [shownSummary(part).amplification] : []
      }),
    )
  const cost = (key: string): number =>
    meanOf(results.flatMap((each) => each.get(key)?.answers.quality.bleu ?? [])) -
    meanOf(results.flatMap((each) => each.get('none')?.answers.quality.bleu ?? []))
  const [first] = results
  if (!first) throw new RangeError('a study has a seed')
  const points = measured(results).map(([key, { name }]) => {
    const own = results.flatMap((each) => each.get(key) ?? [])
    return {
      x: meanOf(own.map((part) => shownSummary(part).imbalance)),
      y: meanOf(own.map(({ answers }) => answers.quality.bleu)),
      label: name.split(':')[0] ?? name,
    }
  })
  return {
    title: 'Counter-measures on one scale',
    subtitle: `One small neural translator, the same questions, ${seedsText(settings.seeds)}: what each measure changes, and what it costs.`,
    summary: ['none', 'sampling', 'tagged', 'rewriting']
      .filter((key) => first.has(key))
      .map((key) => ({
        label: `amplified: ${measures[key]?.name ?? key}`,
        value: percent(amplified(key)),
        note: key === 'none' ? 'the measure of all' : `BLEU ${cost(key) < 0 ? '' : '+'}${cost(key).toFixed(1)}`,
      })),
    sections: [
      { title: 'What the measures do', figures: [{ kind: 'text', title: 'In words', paragraphs: meaning }] },
      {
        title: 'Measured',
        figures: [
          scaleTable(results),
          costTable(results),
          {
            kind: 'scatter',
            title: 'Balance and cost',
            x: { label: 'unbalanced: distance of what is shown from half and half', percent: true },
            y: { label: 'BLEU of the first translation' },
            series: [{ name: 'measures', points }],
          },
          tradesTable(results),
          examplesTable(first),
        ],
      },
    ],
    footer: 'Written by tenfold run translation-bias/mitigation. The corpus is generated; its shares are made up.',
  }
}

export const mitigation = defineJob({
  name: 'mitigation',
  summary:
    'counter-measures in a small transformer on one scale: tags, rewriting, drawing, other data, vectors; and their cost',
  config,
  packages: () => plotPackages,
  run,
})
