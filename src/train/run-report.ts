/** The page of a run: its numbers, curves and pictures, and how it was made. */
import { writeFileAtomic } from '../io/atomic.ts'
import type { LinePlot, PictureGrid, Report, Section } from '../report/figures.ts'
import { renderReport } from '../report/render.ts'
import type { Variable } from '../tensor/variable.ts'
import { formatDuration, formatMetric, type MetricDescriptions } from './describe-metrics.ts'
import type { LoopResult } from './loop.ts'
import type { RunDirectory } from './run.ts'
import type { Settings } from './settings.ts'
import type { Snapshot } from './snapshots.ts'
import type { MetricsLine } from './store.ts'

/** Metrics of steps, of evaluations or of both: a curve each, except for baselines. */
function metricCurves(lines: readonly MetricsLine[], metrics: MetricDescriptions): LinePlot[] {
  const names = new Set(lines.flatMap((line) => Object.keys(line)))
  for (const key of ['type', 'step', 'epoch', 'seconds']) names.delete(key)
  const drawn = [...names].filter((name) => !metrics[name]?.constant)
  return drawn.map((name) => {
    const { goal = 'min', unit } = metrics[name] ?? {}
    const points = (type: MetricsLine['type']) =>
      lines
        .filter((line) => line.type === type && name in line)
        .map((line) => ({ x: line.step, y: Number(line[name]) }))
    const series = [
      { name: 'training', points: points('step'), smooth: true },
      { name: 'test', points: points('evaluation'), best: goal },
    ]
    return {
      kind: 'lines',
      title: name,
      x: { label: 'step' },
      y: { label: name, percent: unit === 'percent', log: name === 'loss' },
      series: series.filter((entry) => entry.points.length > 0),
    } satisfies LinePlot
  })
}

function flatten(settings: Settings, prefix = ''): { name: string; value: string }[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value as Settings, `${prefix}${key}.`)
      : [{ name: `${prefix}${key}`, value: typeof value === 'string' ? value : JSON.stringify(value) }],
  )
}

/** Pictures of one name in the report, at most: the first, the last, and some between. */
const mostSnapshots = 24

function evenly<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))] as T) // within
}

/** The pictures of all evaluations, in order; no section where there are none. */
function snapshotSections(snapshots: readonly Snapshot[]): Section[] {
  if (snapshots.length === 0) return []
  const byName = new Map<string, Snapshot[]>()
  for (const snapshot of snapshots) byName.set(snapshot.name, [...(byName.get(snapshot.name) ?? []), snapshot])
  const figures = [...byName].map(([name, all]): PictureGrid => {
    const shown = evenly(all, mostSnapshots)
    const widest = Math.max(...shown.map(({ picture }) => picture.width))
    return {
      kind: 'pictures',
      title: name,
      ...(shown.length < all.length && { caption: `${shown.length} of ${all.length} evaluations.` }),
      size: widest > 160 ? Math.min(widest, 320) : widest * Math.max(1, Math.round(160 / widest)),
      pictures: shown.map(({ step, picture }) => ({ ...picture, caption: `step ${step.toLocaleString('en')}` })),
    }
  })
  return [{ title: 'While it trained', intro: 'Pictures of each evaluation, kept in `snapshots/`.', figures }]
}

/** What a page says of a run besides what the run directory holds. */
export interface RunReportOptions {
  /** Default: the names in `run.json`. */
  readonly title?: string
  readonly subtitle?: string
  /** How the metrics are read. Default: plain numbers, lower ones are better. */
  readonly metrics?: MetricDescriptions
  /** More of the few numbers a reader came for. Default: none. */
  readonly summary?: Report['summary']
  /** Sections after the curves: confusion matrices, mistakes, weights. Default: none. */
  readonly sections?: readonly Section[]
  /** How it was made, in a sentence; `code` between backticks. */
  readonly made?: string
}

/** The number of trainable numbers. */
export function parameterCount(variables: Iterable<Variable>): number {
  return [...new Set(variables)].reduce((sum, variable) => sum + (variable.trainable ? variable.size : 0), 0)
}

/**
 * Writes `report.html` of a run, one self-contained page: the last evaluation, a curve of each metric, the pictures of its snapshots, the
 * given sections, settings and versions. Returns its path. Throws a MissingPackageError if the plotting packages are not installed.
 */
export async function writeRunReport(
  run: RunDirectory,
  { metrics: values, seconds, step }: Pick<LoopResult, 'metrics' | 'seconds' | 'step'>,
  options: RunReportOptions = {},
): Promise<string> {
  const { metrics = {}, subtitle, summary = [], sections = [], made } = options
  const { system, recipe, config, versions } = run.description
  const lines = await run.readMetrics()
  const settings = flatten(config)
  const html = await renderReport({
    title: options.title ?? `${system} / ${recipe}`,
    ...(subtitle !== undefined && { subtitle }),
    summary: [
      ...Object.entries(values).map(([name, value]) => ({
        label: `test ${name}`,
        value: formatMetric(value, metrics[name]),
      })),
      { label: 'training time', value: formatDuration(seconds), note: `${step.toLocaleString('en')} steps` },
      ...summary,
    ],
    sections: [
      { title: 'Training', figures: metricCurves(lines, metrics) },
      ...snapshotSections(await run.readSnapshots()),
      ...sections,
      {
        title: 'How it was made',
        ...(made !== undefined && { intro: made }),
        figures: [
          ...(settings.length > 0 ? [{ kind: 'definitions', title: 'Configuration', items: settings } as const] : []),
          {
            kind: 'definitions',
            title: 'Versions',
            items: Object.entries(versions).map(([name, value]) => ({ name, value })),
          },
        ],
      },
    ],
    footer: 'Written by tenfold. This file is self-contained.',
  })
  await writeFileAtomic(run.report, Buffer.from(html))
  return run.report
}
