/** Compared with society: the share of "she" in the translations beside the share of women among the workers, for each occupation. */
import type { BarPlot, Section } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import { compareWithLabour } from '../prates/labour.ts'
import type { LabourTable } from '../prates/labour-table.ts'
import { type AuditedSentence, auditRows } from './audit-result.ts'
import type { AuditSentence } from './sentences.ts'

/** An occupation that both the audit and the table have. */
export interface ComparedOccupation {
  readonly occupation: string
  readonly answers: number
  /** Shares of "she": of all answers, and of those with one gender (0 without any). */
  readonly translated: number
  readonly translatedOfGendered: number
  readonly workers: number
}

/** The comparison as numbers. */
export interface LabourComparison {
  readonly occupations: readonly ComparedOccupation[]
  /** Occupations of the audit that the table does not have. */
  readonly missing: readonly string[]
  readonly summary: ReturnType<typeof compareWithLabour>
}

/** The English names of an audit's occupations that a table has, each once. */
export function occupationsIn(sentences: readonly AuditSentence[], table: LabourTable): string[] {
  const names = sentences.flatMap(({ kind, english }) => (kind === 'occupation' ? [english] : []))
  return [...new Set(names)].filter((name) => table.has(name.toLowerCase()))
}

/** Occupations by their English names; undefined if the table has fewer than two of them. */
export function compareOccupations(
  sentences: readonly AuditedSentence[],
  table: LabourTable,
): LabourComparison | undefined {
  const rows = auditRows(
    sentences.filter(({ kind }) => kind === 'occupation'),
    ({ english }) => english,
  )
  const occupations = rows.flatMap(({ name, count, counts: { Female, Male } }): ComparedOccupation[] => {
    const workers = table.get(name.toLowerCase())
    if (workers === undefined) return []
    const gendered = Female + Male
    const translatedOfGendered = gendered === 0 ? 0 : Female / gendered
    return [{ occupation: name, answers: count, translated: Female / count, translatedOfGendered, workers }]
  })
  if (occupations.length < 2) return undefined
  const missing = rows.filter(({ name }) => !table.has(name.toLowerCase())).map(({ name }) => name)
  return { occupations, missing, summary: compareWithLabour(occupations) }
}

function histogramBars(title: string, shares: readonly number[]): BarPlot {
  const edge = (i: number): string => String(Math.round((100 * i) / shares.length))
  return {
    kind: 'bars',
    title,
    value: { label: 'share of the occupations', percent: true },
    bars: shares.map((value, i) => ({ label: `${edge(i)} to ${edge(i + 1)} %`, value })),
  }
}

const normative =
  'The study asks that a translator be no more skewed than this. That is a choice: society is not the measure of what is fair, a share of workers says nothing about the one person who is meant, and who is to be shown is not known. What the figures do show is whether the translator repeats the labour market or exaggerates it.'

/** Scatter, histograms, correlation, and what they do not say. `source`: where the table is from. */
export function labourSection({ occupations, missing, summary }: LabourComparison, source: string): Section {
  const { mean, variance, correlation, t, histogram } = summary
  const correlated = Number.isNaN(correlation) ? 'none: all translations are alike' : correlation.toFixed(3)
  return {
    title: 'Compared with society',
    intro: normative,
    figures: [
      {
        kind: 'scatter',
        title: 'Occupation by occupation',
        caption: `Each point is an occupation: ${occupations.length} of the audit's ${occupations.length + missing.length} are in the table.`,
        x: { label: 'women among the workers', percent: true },
        y: { label: '"she" among the translations', percent: true },
        series: [
          {
            name: 'occupations',
            points: occupations.map(({ workers, translated }) => ({ x: workers, y: translated })),
          },
        ],
      },
      histogramBars('How often "she": translations', histogram.translated),
      histogramBars('How often women: workers', histogram.workers),
      {
        kind: 'definitions',
        title: 'In numbers',
        items: [
          { name: 'mean share of "she", all answers', value: percent(mean.translated) },
          { name: 'mean share of "she", answers with one gender', value: percent(mean.translatedOfGendered) },
          { name: 'mean share of women', value: percent(mean.workers) },
          { name: 'variances', value: `${variance.translated.toFixed(4)} and ${variance.workers.toFixed(4)}` },
          { name: 'correlation (Pearson)', value: correlated },
          { name: 't of the paired differences', value: Number.isFinite(t) ? t.toFixed(2) : 'no test' },
          { name: 'labour statistics', value: source },
        ],
      },
      {
        kind: 'table',
        title: 'Furthest from society',
        caption: 'Occupations whose share of "she" is furthest from their share of women.',
        columns: ['occupation', 'answers', '"she"', 'women', 'difference'],
        rows: [...occupations]
          .sort((a, b) => Math.abs(b.translated - b.workers) - Math.abs(a.translated - a.workers))
          .slice(0, 20)
          .map(({ occupation, answers, translated, workers }) => [
            occupation,
            answers,
            percent(translated),
            percent(workers),
            percent(translated - workers),
          ]),
      },
    ],
  }
}
