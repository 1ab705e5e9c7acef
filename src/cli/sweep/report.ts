/** The page of a sweep: which settings are best and by how much, every combination, curves over each other, the effect of each setting. */
import type { Figure, LinePlot, Report, ScatterPlot, Table } from '../../report/figures.ts'
import { spreadOf } from '../../systems/study.ts'
import type { Metric, MetricDescriptions } from '../../tasks/define.ts'
import { formatDuration, formatMetric } from '../../train/describe-metrics.ts'
import type { MetricsLine } from '../../train/store.ts'
import { errorLine } from '../../util/errors.ts'
import { type Failure, finiteMetric, finiteValues, type Ranked, sameAsBest } from './compare.ts'
import type { Axis } from './grid.ts'

/** What the page is made of. */
export interface SweepResult {
  /** `mixer/mnist` */
  readonly recipe: string
  readonly summary: string
  readonly metrics: MetricDescriptions
  readonly axes: readonly Axis[]
  /** Best first. */
  readonly arms: readonly Ranked[]
  /** Trainings that could not be made. */
  readonly failures: readonly Failure[]
  /** Trainings of each combination. */
  readonly seeds: number
  readonly monitor: { readonly metric: string; readonly goal: 'max' | 'min' }
  /** The settings that all have in common and that are not the recipe's defaults, as `path=value`. */
  readonly common: readonly string[]
  /** The command that trains the best combination alone. */
  readonly again: string
  /** By run directory. */
  readonly curves: ReadonlyMap<string, readonly MetricsLine[]>
}

/** Lines of a plot, at most: more could not be told apart. */
const mostLines = 8

/** `97.3 ± 0.2 %`, `0.0412 ± 0.0010`; of one value without spread. */
export function withSpread(values: readonly number[], { unit }: Partial<Metric> = {}): string {
  if (values.length === 0) return 'none'
  const { mean, deviation } = spreadOf(values)
  if (unit === 'percent')
    return `${(100 * mean).toFixed(2)}${values.length > 1 ? ` ± ${(100 * deviation).toFixed(2)}` : ''} %`
  const shown = formatMetric(mean, {})
  const decimals = shown.split('.')[1]?.length ?? 0
  const spread = values.length > 1 ? ` ± ${deviation.toFixed(decimals)}` : ''
  return `${shown}${spread}${unit === undefined ? '' : ` ${unit}`}`
}

/** A combination in few words: the last parts of the paths, where they are different. */
function shortName(assignments: Ranked['point']['assignments'], axes: readonly Axis[]): string {
  const last = (path: string): string => path.split('.').at(-1) ?? path
  const isClear = new Set(axes.map(({ path }) => last(path))).size === axes.length
  return assignments.map(({ path, raw }) => `${isClear ? last(path) : path}=${raw}`).join(' ')
}

function shownValue({ point }: Ranked, path: string): string | number {
  const assignment = point.assignments.find((each) => each.path === path)
  return typeof assignment?.value === 'number' ? String(assignment.value) : (assignment?.raw ?? '')
}

/** Every combination, best first. */
function armTable({ arms, axes, metrics, monitor, seeds }: SweepResult): Table {
  const other = [
    ...new Set(
      arms.flatMap(({ members }) => members.flatMap(({ trained }) => Object.keys(trained.best?.metrics ?? {}))),
    ),
  ].filter((name) => name !== monitor.metric && !metrics[name]?.constant)
  const isDiverged = arms.some(({ diverged }) => diverged > 0)
  const over = (arm: Ranked, name: string): string => {
    const finite = arm.members.filter(({ trained }) => finiteMetric(trained, monitor.metric) !== undefined)
    return withSpread(
      finite.flatMap(({ trained }) => trained.best?.metrics[name] ?? []),
      metrics[name],
    )
  }
  const steps = (arm: Ranked): string => {
    const found = arm.members.flatMap(({ trained }) => trained.best?.step ?? [])
    return [...new Set([Math.min(...found), Math.max(...found)])].join(' to ')
  }
  return {
    kind: 'table',
    title: 'Every combination',
    caption: `Best first, by \`${monitor.metric}\` at the best evaluation of each training${seeds > 1 ? `; mean of ${seeds} seeds ± standard deviation` : ''}. Best step: of that evaluation. Seconds: of one training.`,
    columns: [
      ...axes.map(({ path }) => path),
      monitor.metric,
      ...other,
      'best step',
      'seconds',
      ...(seeds > 1 ? ['trainings'] : []),
      ...(isDiverged ? ['diverged'] : []),
    ],
    rows: arms.map((arm) => [
      ...axes.map(({ path }) => shownValue(arm, path)),
      over(arm, monitor.metric),
      ...other.map((name) => over(arm, name)),
      steps(arm),
      Number(spreadOf(arm.members.map(({ trained }) => trained.seconds)).mean.toFixed(1)),
      ...(seeds > 1 ? [arm.members.length] : []),
      ...(isDiverged ? [arm.diverged] : []),
    ]),
  }
}

/** The mean over the runs of an arm at the steps that all of them have. */
function meanCurve(
  arm: Ranked,
  curves: SweepResult['curves'],
  type: MetricsLine['type'],
  metric: string,
): { readonly x: number; readonly y: number }[] {
  const bySeed = arm.members.map(({ run }) => {
    const lines = (curves.get(run) ?? []).filter((line) => line.type === type && metric in line)
    return new Map(lines.map((line) => [line.step, Number(line[metric])]))
  })
  const [first, ...others] = bySeed
  return [...(first ?? [])]
    .filter(([step]) => others.every((values) => values.has(step)))
    .map(([x]) => ({ x, y: spreadOf(bySeed.map((values) => values.get(x) ?? Number.NaN)).mean }))
}

function curvePlots({ arms, axes, curves, metrics, monitor, seeds }: SweepResult): LinePlot[] {
  const shown = arms.slice(0, mostLines)
  const which = shown.length < arms.length ? `The ${shown.length} best combinations. ` : ''
  const over = seeds > 1 ? 'Each line is the mean over the seeds.' : ''
  const plot = (type: MetricsLine['type'], metric: string, title: string): LinePlot => ({
    kind: 'lines',
    title,
    caption: `${which}${over}`,
    x: { label: 'step' },
    y: { label: metric, percent: metrics[metric]?.unit === 'percent', log: metric === 'loss' },
    series: shown.map((arm, i) => ({
      name: shortName(arm.point.assignments, axes) || 'mean of the seeds',
      points: meanCurve(arm, curves, type, metric),
      // Marks of many lines would cover each other.
      ...(type === 'step' ? { smooth: true } : i === 0 && { best: metrics[metric]?.goal ?? ('min' as const) }),
    })),
  })
  const plots = [
    plot('evaluation', monitor.metric, `${monitor.metric}, held-out examples`),
    plot('step', 'loss', 'loss, training'),
  ]
  return plots.filter(({ series }) => series.some(({ points }) => points.length > 1))
}

/** The monitored metric against each setting with numbers for values; a line for each combination of the others. */
function effectPlots({ arms, axes, metrics, monitor }: SweepResult): ScatterPlot[] {
  const numeric = axes.filter(
    ({ values }) => values.length > 1 && values.every(({ value }) => typeof value === 'number'),
  )
  return numeric.map(({ path, values }) => {
    const numbers = values.map(({ value }) => Number(value))
    const groups = new Map<string, Ranked[]>()
    for (const arm of arms.filter(({ count }) => count > 0)) {
      const others = arm.point.assignments.filter((each) => each.path !== path)
      const name = shortName(others, axes)
      groups.set(name, [...(groups.get(name) ?? []), arm])
    }
    const at = ({ point }: Ranked): number => Number(point.assignments.find((each) => each.path === path)?.value)
    return {
      kind: 'scatter',
      title: `${monitor.metric} against ${path}`,
      x: { label: path, log: Math.min(...numbers) > 0 && Math.max(...numbers) / Math.min(...numbers) >= 8 },
      y: { label: monitor.metric, percent: metrics[monitor.metric]?.unit === 'percent' },
      series: [...groups].slice(0, mostLines).map(([name, group]) => ({
        name: name || monitor.metric,
        connected: true,
        points: group.map((arm) => ({ x: at(arm), y: arm.mean })).toSorted((a, b) => a.x - b.x),
      })),
    }
  })
}

/** What was found, in sentences. */
function findings({ arms, failures, monitor, metrics, seeds, again }: SweepResult): string[] {
  const [best] = arms
  if (!best || best.count === 0) return ['No training came to a finite result.']
  const shown = withSpread(finiteValues(best, monitor.metric), metrics[monitor.metric])
  const sentences = [`Best: \`${best.point.name}\`, with ${monitor.metric} ${shown}.`]
  if (arms.length > 1) {
    const same = sameAsBest(arms)
    if (best.count < 2) sentences.push('One seed: differences may be chance. `--seeds 3` shows the spread.')
    else if (same.length > 0)
      sentences.push(
        `Not worse beyond the spread (twice the standard error of the difference): ${same.map(({ point }) => `\`${point.name}\``).join(', ')}.`,
      )
    else sentences.push('Every other combination is worse by more than twice the standard error of the difference.')
    const edge = arms.filter(({ diverged }) => diverged > 0)
    if (edge.length > 0)
      sentences.push(
        `The loss of some trainings became NaN or infinite: ${edge.map(({ point }) => `\`${point.name}\``).join(', ')}.`,
      )
    sentences.push(
      `The best of ${arms.length} was chosen by the same examples that the numbers are of, so they flatter it a little: for a number to publish, test it on others.`,
    )
  } else if (seeds > 1) sentences.push(`The spread is that of ${seeds} trainings which differ in all random numbers.`)
  for (const { point, seed, error } of failures)
    sentences.push(`Failed: \`${point.name}\`, seed ${seed}: ${errorLine(error)}.`)
  return [...sentences, `Train it again: \`${again}\``]
}

export function sweepReport(result: SweepResult): Report {
  const { recipe, summary, arms, axes, monitor, metrics, common, seeds } = result
  const [best] = arms
  const trainings = arms.reduce((sum, { members }) => sum + members.length, 0)
  const seconds = arms
    .flatMap(({ members }) => members.map(({ trained }) => trained.seconds))
    .reduce((a, b) => a + b, 0)
  const effects = effectPlots(result)
  const curves = curvePlots(result)
  const setup: Figure[] = [
    {
      kind: 'definitions',
      title: 'Settings that differ',
      items: axes.map(({ path, values }) => ({ name: path, value: values.map(({ raw }) => raw).join(', ') })),
    },
    {
      kind: 'definitions',
      title: 'Settings in common',
      items: common.map((each) => {
        const cut = each.indexOf('=')
        return { name: each.slice(0, cut), value: each.slice(cut + 1) }
      }),
    },
  ]
  return {
    title: `${recipe}: sweep`,
    subtitle: summary,
    summary: [
      ...(best && best.count > 0
        ? [
            {
              label: `best ${monitor.metric}`,
              value: formatMetric(best.mean, metrics[monitor.metric]),
              note: shortName(best.point.assignments, axes) || `${seeds} seeds`,
            },
          ]
        : []),
      { label: 'combinations', value: String(arms.length) },
      { label: 'trainings', value: String(trainings), note: `${formatDuration(seconds)} in all` },
    ],
    sections: [
      {
        title: 'What was found',
        figures: [{ kind: 'text', title: 'In words', paragraphs: findings(result) }, armTable(result)],
      },
      ...(effects.length > 0 ? [{ title: 'What each setting does', figures: effects }] : []),
      ...(curves.length > 0 ? [{ title: 'Curves', figures: curves }] : []),
      {
        title: 'How it was made',
        figures: setup.filter((figure) => figure.kind === 'definitions' && figure.items.length > 0),
      },
    ],
    footer: 'Written by tenfold. Every training is a run directory of its own, with its own report.',
  }
}
