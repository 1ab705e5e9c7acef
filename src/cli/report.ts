/** The report of a run: the common parts, and the sections of its system. */
import { requirePackages } from '../data/packages.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import type { LinePlot, PictureGrid, Section } from '../report/figures.ts'
import { plotPackages, renderReport } from '../report/render.ts'
import type { OpenedRun } from '../systems/session.ts'
import type { MetricDescriptions, OpenedData } from '../tasks/define.ts'
import type { LoopResult } from '../train/loop.ts'
import { changedSettings, type Settings } from '../train/settings.ts'
import type { Snapshot } from '../train/snapshots.ts'
import type { MetricsLine } from '../train/store.ts'
import { shellQuoted } from '../util/shell.ts'
import { formatDuration, formatMetric } from './ui.ts'

/** Metrics of steps, of evaluations or of both: a curve each, except for baselines. */
function curves(lines: readonly MetricsLine[], metrics: MetricDescriptions): LinePlot[] {
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

/** The command that makes the run again. */
export function reproduction({ run, recipe: { config: schema }, config }: OpenedRun): string {
  const { system, recipe, seed, limits, threads } = run.description
  const settings = changedSettings(schema, config).flatMap((setting) => ['--set', setting])
  const others = [
    ...(limits.steps === null ? [] : ['--steps', limits.steps]),
    ...(threads === null ? [] : ['--threads', threads]),
  ]
  return ['npx tenfold train', `${system}/${recipe}`, '--seed', seed, ...settings, ...others]
    .map((part, i) => (i === 0 ? part : shellQuoted(String(part))))
    .join(' ')
}

function setup(opened: OpenedRun, { opening }: OpenedData): Section {
  const { config, versions, started } = opened.run.description
  return {
    title: 'How it was made',
    intro: `Trained by \`${reproduction(opened)}\`, started ${started.replace('T', ' ').slice(0, 19)} UTC. Data: ${opening.summary}.`,
    figures: [
      { kind: 'definitions', title: 'Configuration', items: flatten(config) },
      {
        kind: 'definitions',
        title: 'Versions',
        items: Object.entries(versions).map(([name, value]) => ({ name, value })),
      },
    ],
  }
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

/** Before work begins: throws a MissingPackageError if its data (`packages`) or the report at its end need what is not installed. */
export function requireReportPackages(packages: readonly string[] = []): void {
  requirePackages([...plotPackages, ...packages], 'a run with a report')
}

/** Writes `report.html` into the run directory. */
export async function writeReport(opened: OpenedRun, data: OpenedData, result: LoopResult): Promise<void> {
  const { run, experiment } = opened
  const { system, recipe } = run.description
  const lines = await run.readMetrics()
  const explained = (await experiment.explain?.(data, lines)) ?? []
  const parameters = [...experiment.weights.values()].reduce(
    (sum, variable) => sum + (variable.trainable ? variable.size : 0),
    0,
  )
  const html = await renderReport({
    title: `${system} / ${recipe}`,
    subtitle: opened.recipe.summary,
    summary: [
      ...Object.entries(result.metrics).map(([name, value]) => ({
        label: `test ${name}`,
        value: formatMetric(value, opened.recipe.metrics[name]),
      })),
      {
        label: 'training time',
        value: formatDuration(result.seconds),
        note: `${result.step.toLocaleString('en')} steps`,
      },
      { label: 'parameters', value: parameters.toLocaleString('en') },
      {
        label: 'examples',
        value: data.train.length.toLocaleString('en'),
        note: `${data.test.length.toLocaleString('en')} for testing`,
      },
    ],
    sections: [
      { title: 'Training', figures: curves(lines, opened.recipe.metrics) },
      ...snapshotSections(await run.readSnapshots()),
      ...explained,
      setup(opened, data),
    ],
    footer: 'Written by tenfold. This file is self-contained.',
  })
  await writeFileAtomic(run.report, Buffer.from(html))
}
