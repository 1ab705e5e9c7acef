/** `tenfold/web`: a page's side of a worker that trains and answers. It brings no part of the engine along. */
export type { Progress, StepReport, TrainingEnd } from '../web/protocol.ts'
export { type TrainingListener, TrainingWorker, type ValuesOf, type WorkerLike } from '../web/training-worker.ts'
