/** `tenfold resume DIR --find-nan`: the first op of the next step whose result is not finite. */
import type { OpenedRun } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import type { Variable } from '../tensor/variable.ts'
import { restoreVariables } from '../train/store.ts'
import type { Reporter } from './ui.ts'

/** Whether all numbers are. */
function hasOnlyFinite({ dtype, data }: Variable): boolean {
  return dtype !== 'float32' || (data as Float32Array).every(Number.isFinite)
}

export async function findNotFinite(
  { run, experiment }: OpenedRun,
  data: OpenedData,
  reporter: Reporter,
): Promise<void> {
  const { task } = experiment.prepare(data)
  const checkpoint = await run.newestCheckpoint((_path, reason) => reporter.warn(reason))
  if (checkpoint) {
    restoreVariables(checkpoint, task.variables, task.state)
    task.loader.restore(checkpoint.state.loader)
  }
  const spoiled = checkpoint && [...task.variables].find(([, variable]) => !hasOnlyFinite(variable))
  if (spoiled) {
    const { step } = checkpoint.state
    const cause =
      step === 0
        ? 'training began with it (weights of a file that are no numbers?)'
        : 'the update of that step made it so (a learning rate that is too high?)'
    const found = `${spoiled[0]} is NaN or infinite in the checkpoint of step ${step} already: ${cause}`
    reporter.say(found)
    reporter.event('done', { metrics: {}, found })
    return
  }
  for await (const batch of task.loader) {
    const found = await task.step.findNotFinite(batch)
    reporter.say(
      found ? `step ${(checkpoint?.state.step ?? 0) + 1}: ${found}` : 'every value of the next step is finite',
    )
    reporter.event('done', { metrics: {}, found: found ?? null })
    return
  }
}
