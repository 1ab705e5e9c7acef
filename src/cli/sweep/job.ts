/** A sweep as a job: its parts are trainings. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Job, JobContext, Recipe, System } from '../../systems/define.ts'
import { eachOf, MissingPartError, seedsFrom } from '../../systems/parts.ts'
import { threadOptions } from '../../tasks/experiment.ts'
import { expandHomes } from '../../train/places.ts'
import { RunDirectory } from '../../train/run.ts'
import { type Assignment, changedSettings, configFrom, type Settings, valueAt } from '../../train/settings.ts'
import { errorLine, TenfoldError, UsageError } from '../../util/errors.ts'
import { shellQuoted } from '../../util/shell.ts'
import { counted } from '../../util/words.ts'
import { type Arm, type Failure, finiteValues, type Member, rank } from './compare.ts'
import { type Axis, folderNames, type Point, pointsOf } from './grid.ts'
import { sweepReport, withSpread } from './report.ts'
import { hasRun, trainAt, trainedSchema } from './trainings.ts'

/** What the command line asks for. */
export interface SweepPlan {
  readonly system: System
  readonly recipe: Recipe
  readonly axes: readonly Axis[]
  /** Settings that all trainings have. */
  readonly common: readonly Assignment[]
  readonly seeds: number
  readonly steps?: number
}

/** A combination, its whole configuration and the folder names of its trainings. */
interface Planned {
  readonly point: Point
  readonly config: Settings
  readonly folder: string
}

/** All combinations with their configurations. Throws a UsageError for a setting that does not exist or does not fit, and for more than one monitored metric. */
function planned({ recipe, axes, common }: SweepPlan): Planned[] {
  const points = pointsOf(axes)
  const both = common.find(({ path }) => axes.some((axis) => axis.path === path))
  if (both) {
    throw new UsageError(`${both.path} is in --set and in --grid`, {
      hint: 'leave it out of --set, or give its one value in --grid',
    })
  }
  const folders = folderNames(points.map(({ name }) => name.replaceAll(' ', ',').replace('all,settings', 'all')))
  const arms = points.map((point, i) => ({
    point,
    config: expandHomes(recipe.config, configFrom(recipe.config, [...common, ...point.assignments])),
    folder: folders[i] ?? '',
  }))
  const monitors = new Set(arms.map(({ config }) => valueAt(config, ['train', 'monitor'])))
  if (monitors.size > 1) {
    throw new UsageError('the combinations of a sweep are compared by one metric, but --grid varies train.monitor', {
      hint: `choose one: --set train.monitor=${[...monitors].join(' or ')}`,
    })
  }
  return arms
}

const nameOf = ({ system, recipe }: SweepPlan): string => `${system.name}/${recipe.name}`

/** The settings that a folder's trainings have in common: trainings with others would not be of the same sweep. */
function commonOf(plan: SweepPlan): Settings {
  const varied = new Set(plan.axes.map(({ path }) => path))
  const settings = changedSettings(plan.recipe.config, configFrom(plan.recipe.config, plan.common))
  return {
    recipe: nameOf(plan),
    settings: settings.filter((each) => !varied.has(each.slice(0, each.indexOf('=')))),
    steps: plan.steps ?? null,
  }
}

/** Throws a UsageError if the folder has a sweep with other common settings; notes them in a new one. */
async function checkCommon(plan: SweepPlan, { folder, write }: Pick<JobContext, 'folder' | 'write'>): Promise<void> {
  const file = 'settings.json'
  const wanted = commonOf(plan)
  if (!existsSync(join(folder, file))) {
    await write(file, `${JSON.stringify(wanted, null, 2)}\n`)
    return
  }
  const found = await readFile(join(folder, file), 'utf8')
  if (JSON.stringify(JSON.parse(found)) === JSON.stringify(wanted)) return
  throw new UsageError(`${folder} holds a sweep with other common settings, which are in ${join(folder, file)}`, {
    hint: 'choose another --out; only --grid, --seeds and --seed may change',
  })
}

/** A sweep to run, and what of it came to nothing, known at its end. */
interface Sweep {
  readonly job: Job
  readonly config: Settings
  /** Throws a UsageError if there were trainings that could not be made. */
  readonly requireAll: () => void
}

/**
 * Trains what is not finished, and compares. `json`: whether the single steps are told as events. A training that cannot be made, because
 * its settings do not fit the data or each other, leaves the others alone; if none can be made, the job rejects with the first reason.
 */
export function sweepJob(plan: SweepPlan, json: boolean): Sweep {
  const { recipe, system, axes, seeds, steps } = plan
  const arms = planned(plan)
  const [first] = arms
  const total = arms.length * seeds
  let failures: readonly Failure[] = []
  const run = async (context: JobContext) => {
    await checkCommon(plan, context)
    const failed: Failure[] = []
    let done = 0
    const train = async ({ point, config, folder }: Planned, seed: number): Promise<Member> => {
      context.signal?.throwIfAborted()
      const name = `${point.name}  seed ${seed}`
      const path = join(context.folder, 'runs', `${folder},seed=${seed}`)
      const record = `trainings/${folder},seed=${seed}`
      const isRunGone = (): boolean => !hasRun(path) && existsSync(join(context.folder, `${record}.json`))
      if (context.parts === 'finished' && isRunGone())
        context.progress(`${path} is gone: the same command without --report-only trains it again`, { gone: path })
      const { part: trained, wasThere } = await context.keep(
        record,
        { recipe: nameOf(plan), config, steps: steps ?? null, seed },
        // Curves, report and weights are in the run: a record alone is none.
        trainedSchema.refine(() => hasRun(path)),
        async () => {
          const again = isRunGone() ? '  again: its run is gone' : ''
          context.progress(`training   ${name}${again}`, { training: point.name, seed, run: path })
          const training = { recipe, system, config, seed, ...(steps !== undefined && { steps }) }
          return trainAt(path, { ...training, ...threadOptions(context) }, context, json)
        },
      )
      const { metric } = trained.monitor
      const value = trained.best?.metrics[metric]
      const told =
        trained.reason === 'not finite'
          ? `diverged at step ${trained.step + 1}`
          : `${metric} ${withSpread(value === undefined ? [] : [value], recipe.metrics[metric])}`
      context.progress(`${++done}/${total}  ${name.padEnd(44)} ${told}${wasThere ? '  kept' : ''}`, {
        part: point.name,
        seed,
        run: path,
        kept: wasThere,
        reason: trained.reason,
        metrics: trained.best?.metrics ?? {},
      })
      return { seed, run: path, trained }
    }
    const tried = async (arm: Planned, seed: number): Promise<Member | undefined> => {
      try {
        return await train(arm, seed)
      } catch (error) {
        if (!(error instanceof TenfoldError) || error instanceof MissingPartError) throw error
        const { point } = arm
        failed.push({ point, seed, error })
        const line = errorLine(error)
        context.progress(`${++done}/${total}  ${`${point.name}  seed ${seed}`.padEnd(44)} failed: ${line}`, {
          failed: point.name,
          seed,
          error: line,
        })
        return undefined
      }
    }
    const finished = await eachOf(context, arms, async (arm): Promise<Arm> => {
      const members = await eachOf(context, seedsFrom(context.seed, seeds), (seed) => tried(arm, seed))
      return { point: arm.point, members: members.filter((member) => member !== undefined) }
    })
    const made = finished.filter(({ members }) => members.length > 0)
    if (made.length === 0 && failed[0]) throw failed[0].error
    failures = failed
    return compared(made, context)
  }
  const compared = async (finished: readonly Arm[], context: JobContext) => {
    const monitor = finished[0]?.members[0]?.trained.monitor ?? { metric: 'loss', goal: 'min' as const }
    const ranked = rank(finished, monitor)
    const [best] = ranked
    const curves = new Map(
      await Promise.all(
        finished
          .flatMap(({ members }) => members)
          .map(async ({ run }) => [run, await (await RunDirectory.open(run)).readMetrics()] as const),
      ),
    )
    const common = commonOf(plan).settings as string[] // as commonOf makes it
    const chosen = [...common, ...(best?.point.assignments.map(({ path, raw }) => `${path}=${raw}`) ?? [])]
    const again = ['npx tenfold train', nameOf(plan), ...chosen.flatMap((each) => ['--set', each])]
    if (steps !== undefined) again.push('--steps', String(steps))
    const numbers = ranked.map(({ point, members, ...rest }) => ({
      settings: Object.fromEntries(point.assignments.map(({ path, value }) => [path, value])),
      ...rest,
      trainings: members.map(({ seed, run, trained }) => ({ seed, run, ...trained })),
    }))
    const failed = failures.map(({ point, seed, error }) => ({
      combination: point.name,
      seed,
      error: errorLine(error),
    }))
    await context.write(
      'sweep.json',
      `${JSON.stringify({ ...commonOf(plan), monitor, combinations: numbers, failed }, null, 1)}\n`,
    )
    if (best && best.count > 0) {
      const values = finiteValues(best, monitor.metric)
      context.progress(
        `best       ${best.point.name}: ${monitor.metric} ${withSpread(values, recipe.metrics[monitor.metric])}`,
        { best: best.point.name, metric: monitor.metric, mean: best.mean, deviation: best.deviation },
      )
    }
    return sweepReport({
      recipe: nameOf(plan),
      summary: `${system.title}: ${recipe.summary}`,
      metrics: recipe.metrics,
      axes,
      arms: ranked,
      failures,
      seeds,
      monitor,
      common,
      again: again.map((word, i) => (i === 0 ? word : shellQuoted(word))).join(' '),
      curves,
    })
  }
  const requireAll = (): void => {
    const [one] = failures
    if (!one) return
    const { point, seed, error } = one
    const which = `${failures.length > 1 ? 'the first is ' : ''}${point.name} seed ${seed}`
    throw new UsageError(`${failures.length} of ${counted(total, 'training')} failed: ${which}: ${error.message}`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    })
  }
  const job: Job = {
    name: `${recipe.name}-sweep`,
    summary: recipe.summary,
    config: z.record(z.string(), z.unknown()),
    packages: () => (first ? (recipe.packages?.(first.config) ?? []) : []),
    run: (_config, context) => run(context),
  }
  return {
    job,
    requireAll,
    config: { ...commonOf(plan), grid: axes.map(({ path, values }) => [path, ...values.map(({ raw }) => raw)]) },
  }
}
