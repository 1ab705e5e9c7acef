/** The report of a run of a recipe: the common parts, and the sections of its system. */
import { requirePackages } from '../data/packages.ts'
import { plotPackages } from '../report/render.ts'
import type { OpenedRun } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import type { LoopResult } from '../train/loop.ts'
import { parameterCount, writeRunReport } from '../train/run-report.ts'
import { changedSettings } from '../train/settings.ts'
import { shellQuoted } from '../util/shell.ts'

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

/** Before work begins: throws a MissingPackageError if its data (`packages`) or the report at its end need what is not installed. */
export function requireReportPackages(packages: readonly string[] = []): void {
  requirePackages([...plotPackages, ...packages], 'this, with its data and its report,')
}

/** Writes `report.html` into the run directory. */
export async function writeReport(opened: OpenedRun, data: OpenedData, result: LoopResult): Promise<void> {
  const { run, experiment, recipe } = opened
  const started = run.description.started.replace('T', ' ').slice(0, 19)
  await writeRunReport(run, result, {
    subtitle: recipe.summary,
    metrics: recipe.metrics,
    summary: [
      { label: 'parameters', value: parameterCount(experiment.weights.values()).toLocaleString('en') },
      {
        label: 'examples',
        value: data.train.length.toLocaleString('en'),
        note: `${data.test.length.toLocaleString('en')} for testing`,
      },
    ],
    sections: (await experiment.explain?.(data, await run.readMetrics())) ?? [],
    made: `Trained by \`${reproduction(opened)}\`, started ${started} UTC. Data: ${data.opening.summary}.`,
  })
}
