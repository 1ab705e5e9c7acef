/** Reference cases of the official trainer: gradients of several micro-batches, clipping, Adam, a pass over test batches. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { Adam } from '../../../optim/index.ts'
import { fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { meanOf } from '../../../util/vectors.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  rowAt,
  type Settings,
  stringSetting,
  withoutEffect,
} from '../../../verify/target.ts'
import { type Score, scoreOf, type TaskName, taskNames } from '../tasks.ts'
import { freezeConfig } from './configuration.ts'
import { modelOf } from './models.ts'

/** How many micro-batches one update has, and how many updates and test batches one iteration. */
function sizesOf(config: Settings) {
  const [batch, most] = [numberSetting(config, 'batch_size'), numberSetting(config, 'gpu_batch_size', 16)]
  if (batch > most && batch % most !== 0)
    throw new FormatError(`batch_size must be a multiple of gpu_batch_size, found ${batch} and ${most}`)
  return {
    accumulated: batch > most ? batch / most : 1,
    steps: numberSetting(config, 'steps_per_iter', 100),
    tests: numberSetting(config, 'test_steps_per_iter', 25),
    iterations: numberSetting(config, 'num_iters'),
  }
}

/** Settings of the experiment that stand in the model's too must be the same there. */
function checkRepeated(config: Settings, model: Settings): void {
  for (const name of ['model_name', 'pretrained', 'dropout', 'orth_gain', 'in_layer_sizes', 'out_layer_sizes'])
    fixedSetting(config, name, model[name])
  for (const [name, value] of Object.entries(freezeConfig(model))) fixedSetting(config, name, value)
}

/** Both sides of a data set, batch by batch. */
function batchesOf({ tensors }: ReferenceCase, side: 'train' | 'test', count: number) {
  const [x, y] = ['x', 'y'].map((name) => requiredTensor(tensors, `input/${side}_${name}`)) as [NDArray, NDArray]
  if (sizeOf(x.shape, 0) !== count)
    throw new FormatError(`input/${side}_x must have ${count} batches, found ${sizeOf(x.shape, 0)}`)
  return (i: number): readonly [NDArray, NDArray] => [rowAt(x, i), rowAt(y, i)]
}

async function runTrainer(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const settings = nestedSettings(config, 'fpt', {})
  const { accumulated, steps, tests, iterations } = sizesOf(config)
  const task: TaskName = choiceSetting(config, 'task', taskNames)
  withoutEffect(config, 'n', 'num_patterns', 'patch_size') // what the shapes say
  checkRepeated(config, settings)
  if (!stringSetting(config, 'optimizer', 'Adam').startsWith('Adam '))
    throw new FormatError(`setting "optimizer" must be Adam, found ${config.optimizer}`)
  const model = modelOf(reference, settings)
  const optimizer = new Adam(model.parameters(), { lr: numberSetting(config, 'learning_rate', 1e-3) })
  const clipNorm = numberSetting(config, 'grad_clip_norm', 1)

  const learn = compile((...batches: readonly (readonly [Tensor, Tensor])[]) => {
    const scores = batches.map(([x, y]) => scoreOf(task, model.forward(x), y))
    const average = averaged(scores)
    optimizer.minimize(average.loss, { clipNorm })
    return average
  })
  const test = compile((x: Tensor, y: Tensor) => scoreOf(task, model.forward(x), y))
  const train = batchesOf(reference, 'train', iterations * steps * accumulated)
  const held = batchesOf(reference, 'test', iterations * tests)

  const diagnostics: Record<string, number> = {}
  for (let t = 0; t < iterations; t++) {
    const [learned, tested]: [number[][], number[][]] = [[], []]
    model.train()
    for (let s = 0; s < steps; s++) {
      const first = (t * steps + s) * accumulated
      learned.push(await numbersOf(learn(...Array.from({ length: accumulated }, (_, i) => train(first + i)))))
    }
    model.eval()
    for (let s = 0; s < tests; s++) tested.push(await numbersOf(test(...held(t * tests + s))))
    const column = (rows: readonly number[][], i: number): number[] => rows.map((row) => row[i] ?? Number.NaN)
    Object.assign(diagnostics, {
      gradient_steps: (t + 1) * steps,
      average_train_loss: meanOf(column(learned, 0)),
      start_train_loss: learned[0]?.[0],
      final_train_loss: learned.at(-1)?.[0],
      test_loss: meanOf(column(tested, 0)),
      test_accuracy: meanOf(column(tested, 1)),
      train_accuracy: meanOf(column(learned, 1)),
    })
  }
  await Promise.all([learn.release(), test.release()])
  return new Map([
    ...Object.entries(diagnostics).map(([name, value]) => [`output/${name}`, scalar(value)] as const),
    ...[...model.stateDict()].map(([name, array]) => [`output/final.${name}`, array] as const),
  ])
}

const scalar = (value: number): NDArray => ({ dtype: 'float32', shape: [1], data: fromNumbers('float32', [value]) })

/** Gradients of equal micro-batches added up are those of the mean. */
function averaged(scores: readonly Score[]): Score {
  const of = (key: keyof Score): Tensor => ops.mean(ops.stack(scores.map((score) => score[key])))
  return { loss: of('loss'), accuracy: of('accuracy') }
}

async function numbersOf(scores: Promise<Readonly<Record<keyof Score, { item(): number }>>>): Promise<number[]> {
  const { loss, accuracy } = await scores
  return [loss.item(), accuracy.item()]
}

export const trainingTargets: readonly CaseTargetRule[] = [
  { target: /^universal_computation\.experiment \+ trainer/, run: runTrainer },
]
