/** `tenfold resume DIR --find-nan`: the first op of the next step whose result is not finite. */
import type { OpenedRun } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import { restoreVariables } from '../train/store.ts'
import type { Reporter } from './ui.ts'

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
  for await (const batch of task.loader) {
    const found = await task.step.findNotFinite(batch)
    reporter.say(
      found ? `step ${(checkpoint?.state.step ?? 0) + 1}: ${found}` : 'every value of the next step is finite',
    )
    reporter.event('done', { metrics: {}, found: found ?? null })
    return
  }
}
