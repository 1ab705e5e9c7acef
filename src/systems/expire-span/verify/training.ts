/** Reference cases of the official training loop: windows with labels, learning rates, updates. */

import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, clipGradNorm, type Optimizer, SGD } from '../../../optim/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { FormatError } from '../../../util/errors.ts'
import { meanOf } from '../../../util/vectors.ts'
import { arrayOf, copyOf } from '../../../verify/arrays.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
} from '../../../verify/target.ts'
import { followingWindow } from '../corpus.ts'
import { ExpireSpan } from '../model.ts'
import { type OfficialSchedule, officialRates } from '../official.ts'
import { blockRunner, drawsOf, firstMemories, statesOf, type TaskLoss } from './blocks.ts'
import { expireSpanConfig, parametersOf } from './configuration.ts'

/** `nbatches` is not in cases of a few updates without a decay, whose rates do not depend on it. */
function scheduleOf(settings: Settings, nbatches = numberSetting(settings, 'nbatches', 1000)): OfficialSchedule {
  return {
    lr: numberSetting(settings, 'lr'),
    lr_warmup: numberSetting(settings, 'lr_warmup', 0),
    lr_decay: booleanSetting(settings, 'lr_decay', false),
    nepochs: numberSetting(settings, 'nepochs'),
    nbatches,
    split_batch: numberSetting(settings, 'split_batch', 1),
  }
}

async function runSchedules({ config }: ReferenceCase): Promise<Map<string, NDArray>> {
  return new Map(
    (config.combos as readonly Settings[]).map((settings, i) => {
      const schedule = scheduleOf(settings)
      return [`output/lr_${i}`, arrayOf(officialRates(schedule, schedule.nepochs * schedule.nbatches))]
    }),
  )
}

function optimizerOf(config: Settings, parameters: readonly Variable[], rates: readonly number[]): Optimizer {
  const lr = (step: number): number => rates[step] ?? 0
  const [momentum, weightDecay] = [numberSetting(config, 'momentum', 0), numberSetting(config, 'weight_decay', 0)]
  const [beta1 = 0.9, beta2 = 0.999] = numbersSetting(config, 'adam_betas', [0.9, 0.999])
  const eps = numberSetting(config, 'adam_eps', 1e-8)
  return choiceSetting(config, 'optim', ['sgd', 'adam']) === 'sgd'
    ? new SGD(parameters, { lr, momentum, weightDecay })
    : new Adam(parameters, { lr, betas: [beta1, beta2], eps, weightDecay })
}

/** Parameters of a layer, or what all layers share, or the others. */
function layerOf(name: string): number | 'shared' | 'others' {
  if (name.endsWith('.key_pe')) return 'shared'
  const layer = /^layers\.(\d+)\./.exec(name)?.[1]
  return layer === undefined ? 'others' : Number(layer)
}

/**
 * The official updates: all gradients are clipped together, and what no window of an update has used has none, so that PyTorch passes
 * over it (no momentum, no step counted). `uses`: whether an update's windows use a layer.
 */
function updater(
  config: Settings,
  model: ExpireSpan,
  rates: readonly number[],
  uses: (update: number, layer: number) => boolean,
) {
  const named = [...model.namedParameters()]
  const isUsed = (part: ReturnType<typeof layerOf>, update: number): boolean => {
    if (part === 'others') return true
    return part === 'shared' ? model.layers.some((_, layer) => uses(update, layer)) : uses(update, part)
  }
  const groups = [...new Set(named.map(([name]) => layerOf(name)))].map((part) => {
    const places = named.flatMap(([name], i) => (layerOf(name) === part ? [i] : []))
    const parameters = places.map((i) => (named[i] as (typeof named)[number])[1])
    const own = rates.filter((_, update) => isUsed(part, update))
    const optimizer = optimizerOf(config, parameters, own)
    return { part, places, step: compile((gradients: Tensor[]) => void optimizer.update(gradients)) }
  })
  const limit = numberSetting(config, 'grad_clip', 0)
  const clip = compile((gradients: Tensor[]) => [...clipGradNorm(gradients, limit).gradients])
  const update = async (u: number, given: readonly NDArray[]): Promise<void> => {
    const clipped = limit > 0 ? (await clip([...given])).map(({ array }) => copyOf(array)) : given
    for (const { part, places, step } of groups)
      if (isUsed(part, u)) await step(places.map((i) => clipped[i] as NDArray))
  }
  const release = async (): Promise<void> => {
    await Promise.all([clip.release(), ...groups.map(({ step }) => step.release())])
  }
  return { update, release }
}

/** Labels that do not count; null: all do. */
function omittedLabels(config: Settings): readonly number[] {
  const given = config.data_omit_label_idx
  return given === null || given === undefined ? [] : numbersSetting(config, 'data_omit_label_idx')
}

/** Sum of the losses that count, divided by their number + 1e-6; the plain mean where all do. */
function maskedLoss(omitted: readonly number[]): TaskLoss {
  return (logProbs, targets) => {
    const losses = ops.nllLoss(ops.transpose(logProbs), targets, { reduction: 'none' }) // [B, M]
    if (omitted.length === 0) return ops.mean(losses)
    const counted = ops.cast(omitted.map((label) => ops.notEqual(targets, label)).reduce(ops.logicalAnd), 'float32')
    return ops.div(ops.sum(ops.mul(losses, counted)), ops.add(ops.sum(counted), 1e-6))
  }
}

/** The part of the targets that count whose most probable class is another one. */
function errorOf({ data, shape }: NDArray, targets: NDArray, omitted: readonly number[]): number {
  const classes = sizeOf(shape, -1)
  const scores = data as Float32Array
  const isWrong = toNumbers(targets.data).flatMap((target, i) => {
    if (omitted.includes(target)) return []
    const row = scores.subarray(i * classes, (i + 1) * classes)
    return [row.some((score, j) => score > (row[target] ?? 0) || (score === row[target] && j < target)) ? 1 : 0]
  })
  const wrong = isWrong.reduce<number>((total, value) => total + value, 0)
  return wrong / (isWrong.length + (omitted.length > 0 ? 1e-6 : 0))
}

/** Columns `from` to `from` + count of rows. */
function columns({ dtype, shape, data }: NDArray, from: number, count: number): NDArray {
  const [rows = 0, length = 0] = shape
  const values = toNumbers(data)
  const cut = Array.from({ length: rows }, (_, row) => values.slice(row * length + from, row * length + from + count))
  return { dtype, shape: [rows, count], data: fromNumbers(dtype, cut.flat()) }
}

async function runTraining(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config, tensors } = reference
  const model = new ExpireSpan(expireSpanConfig(reference))
  model.loadStateDict(parametersOf(reference))
  model.train(reference.mode === 'train')
  const parameters = model.namedParameters()
  const [data, labels] = [requiredTensor(tensors, 'input/data'), tensors.get('input/labels')]
  const [batch, length] = [sizeOf(data.shape, 0), sizeOf(data.shape, 1)]
  fixedSetting(config, 'batch', batch)
  const updates = numberSetting(config, 'n_updates')
  const schedule = scheduleOf(config)
  const rates = officialRates(schedule, updates)
  const omitted = omittedLabels(config)
  const draws = drawsOf(reference, model.layers.length)
  const isLeftOut = (window: number, layer: number): boolean =>
    model.training && Number(draws(window)?.data[layer + 1] ?? 1) < model.config.expire_span_layerdrop
  const { update, release: releaseUpdates } = updater(config, model, rates, (u, layer) =>
    Array.from({ length: schedule.split_batch }, (_, s) => u * schedule.split_batch + s).some(
      (window) => !isLeftOut(window, layer),
    ),
  )
  const { step, release } = blockRunner(model, maskedLoss(omitted))
  const { mem_sz } = model.config
  const windows = { length, mem_sz, hasLabels: labels !== undefined }
  const wraps = [...toNumbers(tensors.get('input/wrap_offsets')?.data ?? new Float32Array(0))]
  const [losses, errors]: [number[], number[]] = [[], []]
  let position = numberSetting(config, 'train_pos', 0)
  let memories = firstMemories(model, batch)
  for (let u = 0; u < updates; u++) {
    let sum: readonly NDArray[] = []
    for (let s = 0; s < schedule.split_batch; s++) {
      const tokens = columns(data, position, mem_sz)
      const targets = labels ? columns(labels, position, mem_sz) : columns(data, position + 1, mem_sz)
      const run = await step(tokens, targets, memories, draws(u * schedule.split_batch + s))
      memories = run.memories
      losses.push(run.taskLoss)
      errors.push(errorOf(run.logProbs, targets, omitted))
      sum = [...run.gradients.values()].map((gradient, i) => added(gradient, sum[i], schedule.split_batch))
      const following = followingWindow(position, windows)
      position = following ?? nextWrap(wraps)
      if (following === undefined) memories = firstMemories(model, batch)
    }
    await update(u, sum)
  }
  await Promise.all([release(), releaseUpdates()])
  const found = new Map<string, NDArray>([
    ['output/lr_used', arrayOf(rates)],
    ['output/end_pos', { dtype: 'int64', shape: [1], data: BigInt64Array.of(BigInt(position)) }],
    ['output/stat_loss', arrayOf([meanOf(losses)])],
    ['output/stat_err', arrayOf([meanOf(errors)])],
    ...statesOf('final', memories),
  ])
  for (const [name, { array }] of parameters) found.set(`output/final.${name}`, array)
  return found
}

/** total + gradient / parts */
function added({ dtype, shape, data }: NDArray, total: NDArray | undefined, parts: number): NDArray {
  const values = data as Float32Array
  return { dtype, shape, data: values.map((value, i) => Number(total?.data[i] ?? 0) + value / parts) }
}

function nextWrap(offsets: number[]): number {
  const offset = offsets.shift()
  if (offset === undefined || offset < 0) throw new FormatError('input "wrap_offsets" has too few numbers')
  return offset
}

export const trainingTargets: readonly CaseTargetRule[] = [
  { target: /^trainer\.train \+ models\.expire_span\.ExpireSpan/, run: runTraining },
  { target: /^trainer\.train \(learning rate/, run: runSchedules },
]
