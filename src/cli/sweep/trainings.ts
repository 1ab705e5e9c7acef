/** The trainings of a sweep: each is an ordinary run directory, trained, continued, or taken as it is. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { JobContext, Recipe, System } from '../../systems/define.ts'
import { lockFolder } from '../../train/lock.ts'
import { inNewRunFolder } from '../../train/new-run.ts'
import { RunDirectory } from '../../train/run.ts'
import type { Settings } from '../../train/settings.ts'
import { openToTrain } from '../commands/resume.ts'
import { trainNew } from '../commands/train.ts'
import { type TrainingResult, trainRun } from '../training.ts'
import { createReporter, type Reporter } from '../ui.ts'

/** One training of a sweep. */
export interface Training {
  readonly recipe: Recipe
  readonly system: System
  readonly config: Settings
  readonly seed: number
  readonly steps?: number
  readonly threads?: number
}

/** What is kept of a training. */
export const trainedSchema = z.strictObject({
  /** The metric that its evaluations were compared by. */
  monitor: z.strictObject({ metric: z.string(), goal: z.enum(['max', 'min']) }),
  reason: z.enum(['finished', 'early stop', 'not finite']),
  /** Steps that it has trained. */
  step: z.number(),
  /** The metrics of its best evaluation, and the step of that; none where it had no evaluation. */
  best: z.strictObject({ step: z.number(), metrics: z.record(z.string(), z.number()) }).optional(),
  seconds: z.number(),
})
export type Trained = z.infer<typeof trainedSchema>

/** Whether a folder holds a run. */
export const hasRun = (path: string): boolean => existsSync(join(path, 'run.json'))

/** Progress and warnings as ever; the lines around a single training are left out, and its end is not that of the command. */
function innerReporter(json: boolean, { metrics }: Recipe): Reporter {
  const inner = createReporter({ json, metrics })
  const event: Reporter['event'] = (name, fields) => inner.event(name === 'done' ? 'trained' : name, fields)
  return {
    ...inner,
    say: () => {},
    write: () => {},
    event,
    observer: {
      ...inner.observer,
      onEvaluation: (step, epoch, metrics, best) => event('evaluation', { step, epoch, metrics, best }),
    },
  }
}

/** Trains in the folder `path`, or continues the run that is there. Throws the signal's reason if it is interrupted. */
export async function trainAt(
  path: string,
  { recipe, system, config, seed, steps, threads }: Training,
  { signal }: Pick<JobContext, 'signal'>,
  json: boolean,
): Promise<Trained> {
  const reporter = innerReporter(json, recipe)
  const stop = signal ? { signal } : {}
  let result: TrainingResult
  if (hasRun(path)) {
    const lock = await lockFolder(path)
    try {
      const { opened, data } = await openToTrain(path, {}, reporter)
      result = await trainRun(opened, data, reporter, stop)
    } finally {
      lock.release()
    }
  } else {
    const flags = { seed, ...(steps !== undefined && { steps }), ...(threads !== undefined && { threads }) }
    result = await inNewRunFolder({ path }, (folder) =>
      trainNew(folder, { system, recipe, config }, flags, reporter, { ...(signal && { signal }) }),
    )
  }
  const { reason, step, seconds, monitor } = result
  if (reason === 'interrupted') throw signal?.reason
  const best = await bestEvaluation(path, monitor)
  return { monitor, reason, step, seconds, ...(best && { best }) }
}

/** The evaluation with the best value of the monitored metric; of equals the one with the lower loss, as in training. */
async function bestEvaluation(path: string, { metric, goal }: Trained['monitor']): Promise<Trained['best']> {
  const lines = await (await RunDirectory.open(path)).readMetrics()
  const found = lines
    .filter(({ type, [metric]: value }) => type === 'evaluation' && Number.isFinite(value))
    .map(({ type: _type, step, epoch: _epoch, seconds: _seconds, ...rest }) => ({
      step,
      metrics: Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, Number(value)])),
    }))
  const sign = goal === 'max' ? -1 : 1
  const signed = ({ metrics }: (typeof found)[number]): number => sign * (metrics[metric] ?? Number.NaN)
  return found.toSorted(
    (a, b) => signed(a) - signed(b) || (a.metrics.loss ?? 0) - (b.metrics.loss ?? 0) || a.step - b.step,
  )[0]
}
