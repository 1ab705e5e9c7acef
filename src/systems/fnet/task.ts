/** What FNet's two training tasks share: data order, optimizer, the step, and what a checkpoint holds. */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import type { Module } from '../../nn/index.ts'
import { AdamW, linearScheduleWithWarmup } from '../../optim/index.ts'
import type { ThreadOptions } from '../../tasks/experiment.ts'
import type { Variable } from '../../tensor/variable.ts'
import { defineTask, type StepResult, type TrainingTask } from '../../train/loop.ts'
import { checkpointVariables } from '../../train/store.ts'
import type { OptimizerSettings, TrainSettings } from './settings.ts'

/** The optimizer of the paper: Adam with decoupled weight decay, linear warm-up and linear decay to 0. */
function fnetOptimizer(
  parameters: readonly Variable[],
  { lr, weight_decay, warmup_share }: OptimizerSettings,
  totalSteps: number,
): AdamW {
  return new AdamW(parameters, {
    lr: linearScheduleWithWarmup(lr, {
      numWarmupSteps: Math.round(warmup_share * totalSteps),
      numTrainingSteps: totalSteps,
    }),
    eps: 1e-6,
    weightDecay: weight_decay,
  })
}

/** What a task needs besides its model: data, settings, random state, evaluation, threads. */
export type FNetTaskArguments<Name extends string> = readonly [
  train: Dataset<Name>,
  settings: { readonly optimizer: OptimizerSettings; readonly train: TrainSettings; readonly seed: number },
  random: ReadonlyMap<string, Variable>,
  evaluate: TrainingTask['evaluate'],
  options?: ThreadOptions,
]

/** A training task for scalars of a batch, `loss` among them. */
export function fnetTask<Name extends string>(
  model: Module,
  compute: (batch: BatchTensors<Name>) => StepResult,
  ...[train, settings, random, evaluate, options = {}]: FNetTaskArguments<Name>
): TrainingTask {
  const { epochs, batch_size: batchSize } = settings.train
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed: settings.seed, dropLast: true })
  const optimizer = fnetOptimizer(model.parameters(), settings.optimizer, epochs * loader.stepsPerEpoch)
  const { clip_norm: clipNorm } = settings.optimizer
  const step = compile((batch: BatchTensors<Name>) => {
    const scalars = compute(batch)
    optimizer.minimize(scalars.loss, clipNorm > 0 ? { clipNorm } : {})
    return { ...scalars }
  }, options)
  return defineTask({
    variables: checkpointVariables({ model: model.variables(), optimizer: optimizer.variables(), random }),
    loader,
    step,
    evaluate,
    learningRate: () => optimizer.lr,
  })
}
