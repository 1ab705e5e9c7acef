/** `tenfold/train`: the training loop, run directories, checkpoints, metrics. */
import '../compile/program.ts'

export { type CheckpointChoice, chosenCheckpoint, newestCheckpoint } from '../train/checkpoint.ts'
export { broadcastVariables } from '../train/distributed/exchange.ts'
export { connectMpi } from '../train/distributed/mpi.ts'
export { trainDistributed } from '../train/distributed/training.ts'
export {
  defineTask,
  type LoopObserver,
  type LoopOptions,
  type LoopResult,
  type Metrics,
  observeAll,
  type StepReport,
  type StepResult,
  type StopReason,
  type TrainingTask,
  train,
} from '../train/loop.ts'
export * from '../train/metrics.ts'
export { type RunDescription, RunDirectory } from '../train/run.ts'
export type { Snapshot } from '../train/snapshots.ts'
export {
  type Checkpoint,
  checkpointVariables,
  type MetricsLine,
  restoreVariables,
  type Snapshots,
  type TrainingStore,
} from '../train/store.ts'
export { logToTensorBoard } from '../train/tensorboard.ts'
export type { Communicator, Ranks } from '../util/communicator.ts'
