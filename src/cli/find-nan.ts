/** `tenfold resume DIR --find-nan`: the first op of the next steps whose result is not finite. */
import type { OpenedRun } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import { fetchVariables } from '../tensor/variable.ts'
import type { TrainingTask } from '../train/loop.ts'
import { hasOnlyFinite, restoreVariables } from '../train/store.ts'
import { counted } from '../util/words.ts'
import type { Reporter } from './ui.ts'

/** The name of a variable that is not finite. */
async function spoiledOf({ variables }: TrainingTask): Promise<string | undefined> {
  await fetchVariables(variables)
  return [...variables].find(([, variable]) => !hasOnlyFinite(variable))?.[0]
}

/** Makes steps, at most so many, up to the one that is not finite; says what that step does. `start`: steps before. */
async function searchSteps(task: TrainingTask, start: number, limit: number): Promise<string | undefined> {
  let made = 0
  while (made < limit)
    for await (const batch of task.loader) {
      const { loss } = await task.step(batch)
      const spoiled = await spoiledOf(task)
      made++
      if (!Number.isFinite(loss.item()) || spoiled !== undefined) {
        task.step.undo()
        const found = await task.step.findNotFinite(batch)
        return `step ${start + made}: ${found ?? `its update makes ${spoiled} NaN or infinite`}`
      }
      if (made >= limit) break
    }
  return undefined
}

export async function findNotFinite(
  { run, experiment }: OpenedRun,
  data: OpenedData,
  reporter: Reporter,
): Promise<void> {
  const { task, loop } = experiment.prepare(data)
  const checkpoint = await run.newestCheckpoint((_path, reason) => reporter.warn(reason))
  if (checkpoint) {
    restoreVariables(checkpoint, task.variables, task.state)
    task.loader.restore(checkpoint.state.loader)
  }
  const step = checkpoint?.state.step ?? 0
  const spoiled = checkpoint && (await spoiledOf(task))
  if (spoiled !== undefined) {
    const cause =
      step === 0
        ? 'training began with it (weights of a file that are no numbers?)'
        : 'the update of that step made it so (a learning rate that is too high?)'
    const found = `${spoiled} is NaN or infinite in the checkpoint of step ${step} already: ${cause}`
    reporter.say(found)
    reporter.event('done', { metrics: {}, found })
    return
  }
  // A state that was not finite itself was not saved: the step that made it so is among those up to the next checkpoint.
  const limit = loop.checkpointEvery
  const found = await searchSteps(task, step, limit)
  reporter.say(found ?? `every value of the next ${counted(limit, 'step')} is finite`)
  reporter.event('done', { metrics: {}, found: found ?? null })
}
