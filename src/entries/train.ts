/** `tenfold/train`: training of one's own models, whole (`trainModel`) or in parts: loop, run directories, checkpoints, metrics, reports. */
import '../compile/program.ts'

export { type CheckpointChoice, chosenCheckpoint, newestCheckpoint } from '../train/checkpoint.ts'
export type { Metric, MetricDescriptions } from '../train/describe-metrics.ts'
export { broadcastVariables } from '../train/distributed/exchange.ts'
export { connectMpi } from '../train/distributed/mpi.ts'
export { trainDistributed } from '../train/distributed/training.ts'
export {
  defineTask,
  type LoopObserver,
  type LoopOptions,
  type LoopResult,
  type Metrics,
  type StepReport,
  type StepResult,
  type StopReason,
  type TrainingTask,
  train,
} from '../train/loop.ts'
export { MemoryStore } from '../train/memory-store.ts'
export * from '../train/metrics.ts'
export { type PredictAllOptions, predictAll } from '../train/predict-all.ts'
export { type LineOutput, observeAll, type ProgressDisplay, showProgress } from '../train/progress.ts'
export { type RunDescription, RunDirectory } from '../train/run.ts'
export { type RunReportOptions, writeRunReport } from '../train/run-report.ts'
export type { Snapshot } from '../train/snapshots.ts'
export {
  type Checkpoint,
  checkpointVariables,
  type MetricsLine,
  restoreVariables,
  type Snapshots,
  type TrainingStore,
} from '../train/store.ts'
export { logToTensorBoard, type TensorBoardLog } from '../train/tensorboard.ts'
export { trainModel } from '../train/train-model.ts'
export type { Stateful, TrainOptions, TrainResult } from '../train/train-model-options.ts'
export type { Communicator, Ranks } from '../util/communicator.ts'
