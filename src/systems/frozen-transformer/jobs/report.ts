/** Pages of the studies: what was found in sentences, accuracies of every variant on every task, steps, curves, over- and underfitting. */
import type { Figure, LinePlot, Report, Section, Table } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import { accuraciesOf, armTable, describeStudy, differenceOf, percentOf, spreadOf, tuningTable } from '../../study.ts'
import { curveOf, type FrozenStudySettings, type Outcome } from './study.ts'
import type { StudyTask } from './tasks.ts'

/** Two variants that a claim is about. */
export interface Claim {
  /** As a sentence, with its place in the paper. */
  readonly says: string
  /** Names of variants: what the second one has over the first is the difference. */
  readonly first: string
  readonly second: string
}

/** The tasks of a study, in their order. */
export function tasksOf(outcomes: readonly Outcome[]): StudyTask[] {
  return [...new Map(outcomes.map(({ task }) => [task.name, task])).values()]
}

const titlesOf = (outcomes: readonly Outcome[]): Map<string, string> =>
  new Map(outcomes.map(({ variant }) => [variant.name, variant.title]))

/** The outcome of a variant on a task. */
export function outcomeOf(outcomes: readonly Outcome[], variant: string, task: string): Outcome | undefined {
  return outcomes.find((outcome) => outcome.variant.name === variant && outcome.task.name === task)
}

/** What each claim came to, task by task; whichever way it turned out. */
function claimTable(claims: readonly Claim[], outcomes: readonly Outcome[]): Table {
  const titles = titlesOf(outcomes)
  return {
    kind: 'table',
    title: 'The claims',
    caption: 'Test accuracies, means over the seeds ± their standard deviation.',
    columns: ['claim', 'task', 'compared', 'accuracies', 'found'],
    rows: claims.flatMap(({ says, first, second }) =>
      tasksOf(outcomes).flatMap((task) => {
        const [a, b] = [first, second].map((name) => outcomeOf(outcomes, name, task.name))
        if (!a || !b) return []
        const [x, y] = [accuraciesOf(a.arm), accuraciesOf(b.arm)]
        const compared = `${titles.get(second)} against ${titles.get(first)}`
        return [[says, task.title, compared, `${percentOf(y)} against ${percentOf(x)}`, differenceOf(x, y)]]
      }),
    ),
  }
}

/** Rows: variants; columns: tasks. */
function grid(
  outcomes: readonly Outcome[],
  { title, caption }: { readonly title: string; readonly caption: string },
  cell: (outcome: Outcome) => string | number,
  chance?: (task: StudyTask) => string,
): Table {
  const tasks = tasksOf(outcomes)
  const rows = [...titlesOf(outcomes)].map(([name, titleOf]) => [
    titleOf,
    ...tasks.map((task) => {
      const outcome = outcomeOf(outcomes, name, task.name)
      return outcome ? cell(outcome) : ''
    }),
  ])
  return {
    kind: 'table',
    title,
    caption,
    columns: ['variant', ...tasks.map((task) => task.title)],
    rows: chance ? [...rows, ['without any model', ...tasks.map(chance)]] : rows,
  }
}

/** Test accuracies, and what would be reached without a model. */
function accuracyGrid(outcomes: readonly Outcome[]): Table {
  return grid(
    outcomes,
    {
      title: 'Test accuracy',
      caption:
        'Means over the seeds ± their standard deviation, each at the learning rate that was best on the validation split.',
    },
    ({ arm }) => percentOf(accuraciesOf(arm)),
    ({ chance }) => percent(chance),
  )
}

/** The middle of the steps that the seeds took; undefined where half of them or more did not get there. */
export function medianSteps({ arm }: Pick<Outcome, 'arm'>): number | undefined {
  const steps = arm.results.map(({ more }) => more?.steps ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const middle = steps[Math.floor(steps.length / 2)]
  return middle !== undefined && Number.isFinite(middle) ? middle : undefined
}

function stepsGrid(outcomes: readonly Outcome[], every: number): Table {
  const limits = tasksOf(outcomes).map(({ title, threshold }) => `${title} ${Math.round(100 * threshold)} %`)
  return grid(
    outcomes,
    {
      title: 'Steps to a threshold',
      caption: `On the validation split, looked at every ${every} steps; the middle one of the seeds. ${limits.join(', ')}. A dash: not reached.`,
    },
    (outcome) => medianSteps(outcome) ?? '–',
  )
}

function fittingGrid(outcomes: readonly Outcome[]): Table {
  return grid(
    outcomes,
    {
      title: 'Over- and underfitting',
      caption: 'Accuracy on training and on test examples. Bits are drawn anew, so they cannot be learned by heart.',
    },
    ({ arm }) => {
      const train = spreadOf(arm.results.map(({ trainAccuracy }) => trainAccuracy)).mean
      const test = spreadOf(accuraciesOf(arm)).mean
      return `${(100 * train).toFixed(1)} / ${(100 * test).toFixed(1)}`
    },
  )
}

/** How many numbers learn. */
function learningGrid(outcomes: readonly Outcome[]): Table {
  return grid(
    outcomes,
    {
      title: 'Numbers that learn',
      caption: 'Of the whole model; the others are frozen, and were checked to be the same bits afterwards.',
    },
    ({ arm }) => (arm.results[0]?.parameters ?? 0).toLocaleString('en'),
  )
}

/** Curves of all variants on a task, means over the seeds. */
function curvePlot(outcomes: readonly Outcome[], task: StudyTask): LinePlot {
  const own = outcomes.filter((outcome) => outcome.task.name === task.name)
  return {
    kind: 'lines',
    title: task.title,
    caption: 'Accuracy on the validation split, mean over the seeds.',
    x: { label: 'step' },
    y: { label: 'accuracy', percent: true },
    series: own.map(({ variant, arm }) => {
      const curves = arm.results.map(({ more }) => curveOf(more))
      return {
        name: variant.title,
        points: (curves[0] ?? []).map(({ x }, i) => ({
          x,
          y: spreadOf(curves.flatMap((curve) => curve[i]?.y ?? [])).mean,
        })),
      }
    }),
  }
}

/** What diverged, as a sentence each. */
function diverged(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ arm }) => {
    const count = arm.results.filter(({ more }) => more?.diverged === 1).length
    return count > 0 ? [`${arm.title}: ${count} of ${arm.results.length} trainings diverged and count as 0 %.`] : []
  })
}

/** The page of a study. */
export function frozenReport(
  {
    name,
    subtitle,
    claims,
    more = [],
  }: {
    readonly name: string
    readonly subtitle: string
    readonly claims: readonly Claim[]
    /** Further figures of the first section. */
    readonly more?: readonly Figure[]
  },
  outcomes: readonly Outcome[],
  settings: FrozenStudySettings,
): Report {
  const tasks = tasksOf(outcomes)
  const arms = outcomes.map(({ arm }) => arm)
  const failures = diverged(outcomes)
  const found: Section = {
    title: 'What was found',
    figures: [
      accuracyGrid(outcomes),
      ...(claims.length > 0 ? [claimTable(claims, outcomes)] : []),
      ...more,
      ...(failures.length > 0
        ? [{ kind: 'text' as const, title: 'Trainings that diverged', paragraphs: failures }]
        : []),
    ],
  }
  const { data, model } = settings
  const examples = `tasks made small: ${tasks.map(({ title }) => title).join(', ')}; ${data.validation} validation and ${data.test} test examples; bodies of ${model.n_layer} layers, width ${model.embedding_size}, where none was given`
  return {
    title: `frozen-transformer / ${name}`,
    subtitle,
    summary: tasks.map((task) => {
      const best = outcomes
        .filter((outcome) => outcome.task.name === task.name)
        .toSorted((a, b) => spreadOf(accuraciesOf(b.arm)).mean - spreadOf(accuraciesOf(a.arm)).mean)[0]
      return {
        label: task.title,
        value: best ? percentOf(accuraciesOf(best.arm)) : '',
        note: `best: ${best?.variant.title ?? ''}`,
      }
    }),
    sections: [
      found,
      {
        title: 'On the way',
        figures: [
          stepsGrid(outcomes, settings.study.evaluate_every),
          ...tasks.map((task) => curvePlot(outcomes, task)),
        ],
      },
      {
        title: 'Every number',
        figures: [fittingGrid(outcomes), learningGrid(outcomes), armTable(arms), tuningTable(arms)],
      },
    ],
    footer: describeStudy(settings.study, examples).replace('AdamW', 'Adam').replace('half a cosine', 'constant rate'),
  }
}
