/** What a chart draws: curves of runs, smoothed, on one axis of steps. */
import type { Curve, CurveSeries } from '../../curves.ts'
import type { Curves, LineKind, MetricForm } from '../../protocol.ts'

/** A run on a chart. */
export interface ChartRun {
  readonly label: string
  readonly curves: Curves
}

/** One line of a chart. */
export interface ChartLine {
  readonly label: string
  readonly kind: LineKind
  /** Which of the colours: one for each run, or, of one run alone, for training and test. */
  readonly color: number
  readonly x: readonly number[]
  readonly y: readonly (number | null)[]
  /** Least and greatest value of each bucket, where buckets have several rows. */
  readonly band: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[] } | undefined
  /** The values before smoothing, where there was any. */
  readonly raw: readonly (number | null)[] | undefined
}

/** A chart of one metric. */
export interface ChartModel {
  readonly metric: string
  readonly form: MetricForm | undefined
  readonly lines: readonly ChartLine[]
}

/**
 * An exponential average that keeps `weight` of what was: s_i = w s_(i-1) + (1 - w) y_i, divided by 1 - w^i, so that the first values
 * count in full. `weight` from 0 (none) to 1, not included.
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [average, share] = [0, 0]
  return values.map((value) => {
    if (value === null) return null
    average = weight * average + (1 - weight) * value
    share = weight * share + (1 - weight)
    return average / share
  })
}

function lineOf(
  label: string,
  kind: LineKind,
  color: number,
  curve: Curve,
  series: CurveSeries,
  weight: number,
): ChartLine {
  const isSmoothed = kind === 'step' && weight > 0
  return {
    ...{ label, kind, color, x: curve.x },
    y: isSmoothed ? smoothed(series.mean, weight) : series.mean,
    band: curve.every > 1 ? { low: series.min, high: series.max } : undefined,
    raw: isSmoothed && curve.every === 1 ? series.mean : undefined,
  }
}

const kinds: readonly LineKind[] = ['step', 'evaluation']
const kindNames: Readonly<Record<LineKind, string>> = { step: 'train', evaluation: 'test' }

/** One chart for each metric of the runs, loss first. `weight`: of smoothing. */
export function chartsOf(
  runs: readonly ChartRun[],
  forms: Readonly<Record<string, MetricForm>>,
  weight: number,
): ChartModel[] {
  const names = new Set(runs.flatMap(({ curves }) => kinds.flatMap((kind) => Object.keys(curves[kind].series))))
  const sorted = [...names].sort((a, b) => Number(b === 'loss') - Number(a === 'loss') || a.localeCompare(b))
  return sorted.map((metric) => {
    const lines = runs.flatMap(({ label, curves }, run) =>
      kinds.flatMap((kind) => {
        const series = curves[kind].series[metric]
        const named = [label, kindNames[kind]].filter(Boolean).join(' ')
        const color = runs.length === 1 && kind === 'evaluation' ? 1 : run
        return series ? [lineOf(named, kind, color, curves[kind], series, weight)] : []
      }),
    )
    return { metric, form: forms[metric], lines }
  })
}

/** What a column of the joined data is drawn as. */
export interface ColumnRole {
  readonly line: number
  readonly part: 'value' | 'raw' | 'low' | 'high'
}

/** Columns over one axis: of all steps that any line has. */
export interface JoinedData {
  readonly x: readonly number[]
  readonly columns: readonly (readonly (number | null)[])[]
  readonly roles: readonly ColumnRole[]
}

/** Brings lines with steps of their own onto one axis; null where a line has no value at a step. */
export function joined(lines: readonly ChartLine[]): JoinedData {
  const x = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b)
  const rows = new Map(x.map((step, row) => [step, row]))
  const roles: ColumnRole[] = []
  const columns: (number | null)[][] = []
  for (const [line, { x: steps, y, band, raw }] of lines.entries()) {
    const add = (part: ColumnRole['part'], values: readonly (number | null)[] | undefined): void => {
      if (!values) return
      const column = new Array<number | null>(x.length).fill(null)
      for (const [i, step] of steps.entries()) column[rows.get(step) ?? 0] = values[i] ?? null
      roles.push({ line, part })
      columns.push(column)
    }
    add('high', band?.high)
    add('low', band?.low)
    add('raw', raw)
    add('value', y)
  }
  return { x, columns, roles }
}

/** The value of a column at a row, or the nearest one before it; of lines that are measured now and then. */
export function valueAt(column: readonly (number | null)[], row: number): number | undefined {
  for (let i = Math.min(row, column.length - 1); i >= 0; i--) {
    const value = column[i]
    if (value !== null && value !== undefined) return value
  }
  return undefined
}
