/** `tenfold/systems`: the systems, how one declares another, and sessions with their runs. */
import '../compile/program.ts'

export { clipVideo } from '../systems/clip-video/index.ts'
export * from '../systems/define.ts'
export { diffusion } from '../systems/diffusion/index.ts'
export { expireSpan } from '../systems/expire-span/index.ts'
export { fnet } from '../systems/fnet/index.ts'
export { frozenTransformer } from '../systems/frozen-transformer/index.ts'
export { addSystem, systems } from '../systems/index.ts'
export { involution } from '../systems/involution/index.ts'
export { type JobOptions, type JobResult, runJob } from '../systems/jobs.ts'
export { mixer } from '../systems/mixer/index.ts'
export { perceiver } from '../systems/perceiver/index.ts'
export { selfSupervised } from '../systems/self-supervised/index.ts'
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
