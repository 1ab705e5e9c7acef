/** `tenfold/systems`: the systems, how one declares another, and sessions with their runs. */
import '../compile/program.ts'

export * from '../systems/define.ts'
export { fnet } from '../systems/fnet/index.ts'
export { systems } from '../systems/index.ts'
export { type JobOptions, type JobResult, runJob } from '../systems/jobs.ts'
export { mixer } from '../systems/mixer/index.ts'
export {
  findEntry,
  findJob,
  findRecipe,
  type OpenedRun,
  openData,
  openRun,
  prepareRun,
  startRun,
  type TrainedRun,
} from '../systems/session.ts'
export { translationBias } from '../systems/translation-bias/index.ts'
export * from '../tasks/define.ts'
export * from '../tasks/experiment.ts'
