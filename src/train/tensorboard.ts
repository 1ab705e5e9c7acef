/** Training as TensorBoard shows it: `tensorboard --logdir RUN`. */
import { EventFileWriter } from '../io/tensorboard.ts'
import type { LoopObserver, Metrics } from './loop.ts'

/** An observer that writes to an event file; `close` it when training has ended. */
export interface TensorBoardLog extends LoopObserver {
  readonly close: () => void
}

/**
 * Writes the metrics of each step as `train/NAME` and of each evaluation as `test/NAME` to a new event file in
 * `directory`. They reach the file at evaluations, at checkpoints and when it is closed. Throws a UsageError if the
 * directory cannot be written.
 */
export function logToTensorBoard(directory: string): TensorBoardLog {
  const writer = new EventFileWriter(directory)
  const write = (group: string, metrics: Metrics, step: number): void => {
    for (const [name, value] of Object.entries(metrics)) writer.scalar(`${group}/${name}`, value, step)
  }
  return {
    onStep: ({ step, metrics }) => write('train', metrics, step),
    onEvaluation: (step, _epoch, metrics) => {
      write('test', metrics, step)
      writer.flush()
    },
    onCheckpoint: () => writer.flush(),
    close: () => writer.close(),
  }
}
