/** Runs side by side: the settings in which they differ, and which has the best number. */
import type { MetricForm, RunDetail } from '../../protocol.ts'
import { formatSetting } from '../format.ts'

export interface ComparedRow {
  readonly name: string
  /** One text for each run; empty where it has no such setting. */
  readonly values: readonly string[]
  readonly differs: boolean
}

function rowsOf(tables: readonly Readonly<Record<string, unknown>>[]): ComparedRow[] {
  const names = [...new Set(tables.flatMap((table) => Object.keys(table)))]
  return names.map((name) => {
    const values = tables.map((table) => formatSetting(table[name]))
    return { name, values, differs: values.some((value) => value !== values[0]) }
  })
}

/** Recipe, settings and facts of runs; times never agree, and say nothing of why. */
export function comparedSettings(runs: readonly RunDetail[]): ComparedRow[] {
  const recipes = runs.map(({ summary }) => ({ recipe: summary.recipe }))
  const facts = runs.map(({ facts: { started: _, ...others } }) => others)
  return [...rowsOf(recipes), ...rowsOf(runs.map(({ settings }) => settings)), ...rowsOf(facts)]
}

export interface ComparedMetric {
  readonly name: string
  readonly form: MetricForm | undefined
  readonly values: readonly (number | undefined)[]
  /** The runs with the best value; none if all are equal, or if nothing says what is better. */
  readonly best: readonly number[]
}

/** The newest evaluation of each run, by metric. */
export function comparedMetrics(runs: readonly RunDetail[]): ComparedMetric[] {
  const names = [...new Set(runs.flatMap(({ summary }) => Object.keys(summary.metrics)))]
  return names.map((name) => {
    const form = runs.map(({ metrics }) => metrics[name]).find((found) => found !== undefined)
    const values = runs.map(({ summary }) => summary.metrics[name])
    const known = values.filter((value) => value !== undefined)
    const best = form?.goal === 'max' ? Math.max(...known) : Math.min(...known)
    const isTold = form !== undefined && known.some((value) => value !== best)
    return { name, form, values, best: isTold ? values.flatMap((value, i) => (value === best ? [i] : [])) : [] }
  })
}
