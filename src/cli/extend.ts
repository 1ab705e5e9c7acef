/** `tenfold resume DIR --epochs N` or `--steps N`: extends a run. */
import type { OpenedRun } from '../systems/session.ts'
import type { TrainingTask } from '../train/loop.ts'
import type { RunDirectory } from '../train/run.ts'
import type { Settings } from '../train/settings.ts'
import { restoreVariables } from '../train/store.ts'
import { UsageError } from '../util/errors.ts'
import type { Reporter } from './ui.ts'

/** The new ends of a run, counted from its beginning. */
export interface Extension {
  readonly epochs?: number
  readonly steps?: number
}

function trainSettings({ description }: RunDirectory): { readonly epochs: number } & Settings {
  return description.config.train as { readonly epochs: number } & Settings
}

/** The run with its new end, not written yet; the same run if nothing changes. More epochs lift the old limit of steps. */
export function withEnd(run: RunDirectory, { epochs, steps }: Extension): RunDirectory {
  const { config, limits } = run.description
  const train = trainSettings(run)
  const limit = steps ?? (epochs === undefined ? limits.steps : null)
  if ((epochs ?? train.epochs) === train.epochs && limit === limits.steps) return run
  return run.changed({
    config: { ...config, train: { ...train, ...(epochs !== undefined && { epochs }) } },
    limits: { steps: limit },
  })
}

/** Throws a UsageError unless the new end is still ahead, and within the epochs. */
function checkEnd(path: string, step: number, planned: number, { epochs, steps }: Extension): void {
  if (steps !== undefined && steps > planned) {
    throw new UsageError(`${path}: --steps ${steps} is more than the ${planned} steps of its epochs`, {
      hint: 'give more --epochs',
    })
  }
  const end = steps ?? planned
  if (end > step) return
  const option = steps === undefined ? `--epochs ${epochs}, ${planned} steps,` : `--steps ${steps}`
  throw new UsageError(`${path}: ${option} must be more than it has trained, ${step} steps`, {
    hint: 'both count from the beginning of the run',
  })
}

/**
 * Writes the new end of a run, whose model and task were made for it, into `run.json`, and says what it means. Throws a
 * UsageError if training is beyond that end already.
 */
export async function extendRun(
  { run }: OpenedRun,
  extension: Extension,
  task: TrainingTask,
  reporter: Reporter,
): Promise<RunDirectory> {
  const checkpoint = await run.newestCheckpoint()
  const step = checkpoint?.state.step ?? 0
  const { epochs } = trainSettings(run)
  const planned = epochs * task.loader.stepsPerEpoch
  checkEnd(run.path, step, planned, extension)
  if (checkpoint) restoreVariables(checkpoint, task.variables, task.state)
  const { extensions, limits } = run.description
  const extended = run.changed({ extensions: [...extensions, { step, epochs, steps: limits.steps }] })
  await extended.save()
  const rate = task.learningRate?.()
  const plan =
    extension.epochs === undefined
      ? 'the learning rate keeps its plan'
      : 'the learning rate is planned again over all of them, as if the run had been started that way'
  const next = rate === undefined ? '' : `; that of step ${step + 1} is ${Number(rate.toPrecision(3))}`
  const end = limits.steps ?? planned
  reporter.say(
    `continues from step ${step} to ${end}, of the ${planned} in ${epochs} epoch${epochs === 1 ? '' : 's'}: ${plan}${next}`,
  )
  reporter.event('extended', { step, end, epochs, planned, ...(rate !== undefined && { learningRate: rate }) })
  return extended
}
