/** Reference cases of training and metrics: DeepMind's optimizer, its schedules, mixed labels, average precision. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { type AdamSettings, AdamW, LAMB, type Schedule, totalNorm } from '../../../optim/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { averagePrecision, meanAveragePrecision } from '../../../train/metrics.ts'
import { roundHalfEven } from '../../../util/rounding.ts'
import { arrayOf, copyOf } from '../../../verify/arrays.ts'
import { float32Rates } from '../../../verify/float32-adam.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import {
  decays,
  type OfficialOptimizer,
  type OfficialSchedule,
  officialSchedule,
  type TrainingSize,
} from '../official-training.ts'

type Found = Promise<Map<string, NDArray>>

function trainingSize(settings: Settings): TrainingSize {
  return {
    total_batch_size: numberSetting(settings, 'total_batch_size'),
    steps_per_epoch: numberSetting(settings, 'steps_per_epoch'),
    total_steps: numberSetting(settings, 'total_steps'),
  }
}

function scheduleOf(settings: Settings): OfficialSchedule {
  const [cosine, steps, constant] = ['cosine_decay_kwargs', 'step_decay_kwargs', 'constant_cosine_decay_kwargs'].map(
    (name) => nestedSettings(settings, name, {}),
  ) as [Settings, Settings, Settings]
  return {
    schedule_type: choiceSetting(settings, 'schedule_type', ['steps', 'cosine', 'constant_cosine']),
    scale_by_batch: booleanSetting(settings, 'scale_by_batch', true),
    decay_boundaries: numbersSetting(steps, 'decay_boundaries', [0.5, 0.8, 0.95]),
    decay_rate: numberSetting(steps, 'decay_rate', 0.1),
    init_value: numberSetting(cosine, 'init_value', 0),
    warmup_epochs: numberSetting(cosine, 'warmup_epochs', 0),
    end_value: numberSetting(cosine, 'end_value', 0),
    constant_fraction: numberSetting(constant, 'constant_fraction', 0.5),
    constant_end_value: numberSetting(constant, 'end_value', 0),
  }
}

function optimizerOf(settings: Settings): OfficialOptimizer {
  return {
    optimizer: choiceSetting(settings, 'optimizer', ['adam', 'lamb'], 'lamb'),
    base_lr: numberSetting(settings, 'base_lr'),
    max_norm: numberSetting(settings, 'max_norm', 10),
    weight_decay: numberSetting(settings, 'weight_decay', 0),
    decay_pos_embs: booleanSetting(settings, 'decay_pos_embs', true),
    schedule: scheduleOf(settings),
  }
}

/** Settings of the other schedules and optimizers stand in every case. */
const unused = (settings: Settings, name: string, keys: readonly string[]): void =>
  withoutEffect(nestedSettings(settings, name, {}), ...keys)

async function runSchedules({ config, tensors }: ReferenceCase): Found {
  const schedules = config.schedules as readonly Settings[]
  return new Map(
    schedules.map((settings, i) => {
      const optimizer = nestedSettings(settings, 'optimizer', {})
      withoutEffect(optimizer, 'max_norm', 'weight_decay', 'decay_pos_embs', 'optimizer') // no part of a schedule
      unused(optimizer, 'adam_kwargs', ['b1', 'b2', 'eps'])
      unused(optimizer, 'lamb_kwargs', ['b1', 'b2', 'eps'])
      const size = trainingSize(settings)
      const rate = officialSchedule(numberSetting(optimizer, 'base_lr'), scheduleOf(optimizer), size)
      const steps = toNumbers(requiredTensor(tensors, `input/steps_${i}`).data)
      return [`output/lr_${i}`, arrayOf(steps.map(rate))] as const
    }),
  )
}

interface DecayGroup {
  readonly parameters: readonly Variable[]
  readonly weightDecay: number
}

/** Adam as optax corrects it. (LAMB scales an update to the size of its weight, whatever its corrections are.) */
function adamW(
  groups: readonly DecayGroup[],
  settings: Pick<AdamSettings, 'betas' | 'eps'>,
  schedule: Schedule,
): AdamW {
  const { lr, weightDecay } = float32Rates(settings.betas, schedule)
  return new AdamW(
    groups.map((group) => ({ ...group, weightDecay: weightDecay(group.weightDecay) })),
    { ...settings, lr },
  )
}

async function runOptimizer(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const settings = nestedSettings(config, 'optimizer', {})
  const official = optimizerOf(settings)
  const moments = (name: string, eps: number) => {
    const given = nestedSettings(settings, name, {})
    return {
      betas: [numberSetting(given, 'b1', 0.9), numberSetting(given, 'b2', 0.999)] as const,
      eps: numberSetting(given, 'eps', eps),
    }
  }
  const [adam, lamb] = [moments('adam_kwargs', 1e-8), moments('lamb_kwargs', 1e-6)]
  const schedule = officialSchedule(official.base_lr, official.schedule, trainingSize(config))
  const parameters = [...tensorsBelow(reference, 'param/')].map(
    ([name, { shape, data }]) => [name, new Variable(shape, { data: data.slice(), trainable: true })] as const,
  )
  const groups = parameters.map(([name, variable]) => ({
    parameters: [variable],
    weightDecay: decays(name, official.decay_pos_embs) ? official.weight_decay : 0,
  }))
  const optimizer =
    official.optimizer === 'adam' ? adamW(groups, adam, schedule) : new LAMB(groups, { ...lamb, lr: schedule })
  const step = compile((gradients: Tensor[]) => {
    const norm = totalNorm(gradients)
    const isOver = ops.greaterOrEqual(norm, official.max_norm)
    const scale = official.max_norm > 0 ? ops.where(isOver, ops.div(official.max_norm, norm), 1) : undefined
    optimizer.update(scale ? gradients.map((g) => ops.mul(g, scale)) : gradients)
    return { norm }
  })
  const found = new Map<string, NDArray>()
  for (let i = 0; i < numberSetting(config, 'num_steps'); i++) {
    const { norm } = await step(parameters.map(([name]) => requiredTensor(tensors, `input/grad_${i}/${name}`)))
    for (const [name, variable] of parameters) found.set(`output/${name}_after_${i}`, copyOf(variable.array))
    found.set(`output/global_norm_${i}`, copyOf(norm.array))
    found.set(`output/lr_${i}`, arrayOf([schedule(i)], 'float32', []))
  }
  await step.release()
  return found
}

/** The script's loss: labels mixed by a ratio, then smoothed. */
async function runLoss({ config, tensors }: ReferenceCase): Found {
  const [classes, smoothing] = [numberSetting(config, 'num_classes'), numberSetting(config, 'label_smoothing', 0)]
  const input = (name: string): NDArray => requiredTensor(tensors, `input/${name}`)
  const topk = numbersSetting(config, 'topk', [1, 5])
  const ordered = toNumbers(input('labels').data)
  const run = compile((logits: Tensor, labels: Tensor, mixLabels: Tensor, ratio: Tensor) => {
    const oneHot = (indices: Tensor): Tensor => ops.cast(ops.oneHot(indices, classes), 'float32')
    const share = ratio.rank === 0 ? ratio : ops.reshape(ratio, [-1, 1])
    const mixed = ops.add(ops.mul(oneHot(labels), share), ops.mul(oneHot(mixLabels), ops.sub(1, share)))
    const lossOf = (target: Tensor): Tensor => ops.crossEntropy(logits, target, { labelSmoothing: smoothing })
    const [loss, lossMixed] = [lossOf(oneHot(labels)), lossOf(mixed)]
    const [g] = gradient(loss, [logits])
    const [gMixed] = gradient(lossMixed, [logits])
    return { loss, lossMixed, g, gMixed }
  })
  const { loss, lossMixed, g, gMixed } = await run(
    input('logits'),
    input('labels'),
    input('mix_labels'),
    input('ratio'),
  )
  await run.release()
  const scores = toNumbers(input('logits').data)
  const found = new Map<string, NDArray>([
    ['output/loss', loss.array],
    ['output/loss_mixed', lossMixed.array],
    ['grad_input/logits', g.array],
    ['grad_input/logits_mixed', gMixed.array],
  ])
  for (const k of topk) {
    const right = ordered.map((label, i) => {
      const row = scores.slice(i * classes, (i + 1) * classes)
      const better = row.filter((score, j) => score > (row[label] ?? 0) || (score === row[label] && j < label)).length
      return better < k ? 1 : 0
    })
    found.set(`output/top_${k}_correct`, arrayOf(right))
  }
  return found
}

/** Scores averaged over the clips of a video, average precision of each class, and their mean. */
async function runAveragePrecision({ config, tensors }: ReferenceCase): Found {
  const clipScores = requiredTensor(tensors, 'input/clip_scores')
  const labels = requiredTensor(tensors, 'input/labels')
  const [videos = 0, clips = 0, classes = 0] = clipScores.shape
  fixedSetting(config, 'num_clips', clips)
  fixedSetting(config, 'classes', classes)
  const average = ops.mean(tensor(clipScores), 1)
  const means = await average.numbers()
  const isOf = toNumbers(labels.data)
  const perClass = (scores: readonly number[]): number[] =>
    Array.from({ length: classes }, (_, c) => {
      const column = (values: readonly number[]): number[] =>
        Array.from({ length: videos }, (_, video) => values[video * classes + c] ?? 0)
      return averagePrecision(column(scores), column(isOf))
    })
  const firstClip = ops.select(tensor(clipScores), 0, 1)
  const loss = ops.bceWithLogits(firstClip, ops.cast(tensor(labels), 'float32'))
  const exact = perClass(means)
  return new Map([
    ['output/average_scores', arrayOf(means, 'float32', [videos, classes])],
    ['output/average_precision', arrayOf(exact)],
    ['output/mean_average_precision', arrayOf([meanAveragePrecision(exact)], 'float32', [])],
    ['output/average_precision_rounded_scores', arrayOf(perClass(means.map(roundHalfEven)))],
    ['output/sigmoid_cross_entropy_first_clip', arrayOf(await loss.numbers(), 'float32', [])],
  ])
}

export const trainingTargets: readonly CaseTargetRule[] = [
  { target: /^make_optimizer/, run: runOptimizer },
  { target: /^get_learning_rate_schedule$/, run: runSchedules },
  { target: /^classification loss with label smoothing/, run: runLoss },
  { target: /^mean average precision/, run: runAveragePrecision },
]
