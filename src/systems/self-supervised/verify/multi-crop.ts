/** Reference cases of methods with many crops: SwAV and DINO. */
import { compile } from '../../../compile/compile.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { moveToward, SGD } from '../../../optim/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
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
  tensorsBelow,
} from '../../../verify/target.ts'
import {
  clipEach,
  DINOHead,
  type DINOHeadConfig,
  DINOLoss,
  type DINOLossOptions,
  teacherTemperatures,
} from '../methods/dino.ts'
import { SwAVHead, sinkhorn } from '../methods/swav.ts'
import { weightsOf } from '../model.ts'
import { loadOfficial } from '../official.ts'
import { entriesOf, type Found, gradientPrefix, inputArray, namedGradients, statesOf, stored } from './support.ts'

/** The crops of a step. */
function cropsOf(reference: ReferenceCase, count: number, step: number): NDArray[] {
  return Array.from({ length: count }, (_, crop) => inputArray(reference, `crop${crop}.${step}`))
}

async function runSwAV(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const crops = numbersSetting(config, 'nmb_crops').reduce((sum, n) => sum + n, 0)
  const queue_length = numberSetting(config, 'queue_length', 0)
  const model = new SwAVHead(numberSetting(config, 'in_dim'), {
    hidden_mlp: numberSetting(config, 'hidden_mlp'),
    feat_dim: numberSetting(config, 'feat_dim'),
    nmb_prototypes: numberSetting(config, 'nmb_prototypes'),
    crops_for_assign: numbersSetting(config, 'crops_for_assign', [0, 1]),
    temperature: numberSetting(config, 'temperature', 0.1),
    epsilon: numberSetting(config, 'epsilon', 0.05),
    sinkhorn_iterations: numberSetting(config, 'sinkhorn_iterations', 3),
    queue_length,
  })
  loadOfficial(model, tensorsBelow(reference, 'param/'), { strict: queue_length === 0 })
  const isFilled = booleanSetting(config, 'queue_prefilled', false) || tensors.has('state/queue')
  if (isFilled && queue_length > 0) model.queue?.set(requiredTensor(tensors, 'state/queue').data)
  const settings = nestedSettings(config, 'optimizer')
  choiceSetting(settings, 'type', ['sgd'])
  const options = {
    lr: numberSetting(settings, 'lr'),
    momentum: numberSetting(settings, 'momentum', 0),
    weightDecay: numberSetting(settings, 'weight_decay', 0),
    nesterov: booleanSetting(settings, 'nesterov', false),
  }
  const frozenSteps = numberSetting(config, 'freeze_prototypes_niters', 0)
  // Apart: while prototypes are frozen, neither weight decay nor momentum reaches them.
  const [head, prototypes] = [model.projection_head, model.prototypes].map(
    (part) => new SGD([...part.parameters()], options),
  )
  const step = compile((given: Tensor[], isFrozen: boolean) => {
    const { loss, codes } = model.forward(ops.concat(given, 0), crops)
    const { 'prototypes.weight': ofPrototypes, ...others } = namedGradients(loss, model)
    head?.minimize(loss)
    if (!isFrozen) prototypes?.minimize(loss)
    return {
      loss,
      codes,
      gradients: isFrozen || !ofPrototypes ? others : { ...others, 'prototypes.weight': ofPrototypes },
    }
  })
  const found: [string, NDArray][] = []
  for (let s = 0; s < numberSetting(config, 'steps', 1); s++) {
    const given = cropsOf(reference, crops, s)
    for (const { shape } of given) fixedSetting(config, 'batch_size', sizeOf(shape, 0))
    const { loss, codes, gradients } = await step(given, s < frozenSteps)
    found.push([`output/loss.${s}`, stored(loss.array)], ...entriesOf(gradientPrefix(s), gradients))
    for (const [i, code] of codes.entries()) found.push([`output/q.${s}.${i}`, stored(code.array)])
  }
  await step.release()
  return new Map([...found, ...statesOf(model)])
}

async function runSinkhorn(reference: ReferenceCase): Found {
  const { config } = reference
  const options = {
    epsilon: numberSetting(config, 'epsilon', 0.05),
    sinkhorn_iterations: numberSetting(config, 'sinkhorn_iterations', 3),
    world_size: numberSetting(config, 'world_size', 1),
  }
  const run = compile((scores: Tensor) => sinkhorn(scores, options))
  const q = await run(inputArray(reference, 'scores'))
  await run.release()
  return new Map([['output/q', stored(q.array)]])
}

/** Student, teacher and the loss with its centre, under the names of the official checkpoint. */
class DINOHeads extends Module {
  readonly student: DINOHead
  readonly teacher: DINOHead
  readonly dino_loss: DINOLoss

  constructor(config: DINOHeadConfig, loss: DINOLossOptions) {
    super()
    this.student = new DINOHead(config)
    this.teacher = new DINOHead(config)
    this.dino_loss = new DINOLoss(config.out_dim, loss)
  }

  forward(crops: readonly Tensor[]) {
    const student = this.student.forward(ops.concat(crops, 0))
    const teacher = this.teacher.forward(ops.concat(crops.slice(0, 2), 0))
    return { student, teacher, loss: this.dino_loss.forward(student, teacher) }
  }
}

/** The learning rate of the cases' plain SGD. */
const learningRate = 0.5

async function runDINO(reference: ReferenceCase): Found {
  const { config } = reference
  const ncrops = numberSetting(config, 'ncrops')
  const epoch = numberSetting(config, 'epoch')
  const temperatures = teacherTemperatures({
    warmup_teacher_temp: numberSetting(config, 'warmup_teacher_temp'),
    teacher_temp: numberSetting(config, 'teacher_temp'),
    warmup_teacher_temp_epochs: numberSetting(config, 'warmup_teacher_temp_epochs'),
    nepochs: numberSetting(config, 'nepochs'),
  })
  const teacher_temp = temperatures[epoch]
  if (teacher_temp === undefined)
    throw new UsageError(`DINO: the epoch must be below the ${temperatures.length} epochs, found ${epoch}`)
  const model = new DINOHeads(
    {
      in_dim: numberSetting(config, 'in_dim'),
      out_dim: numberSetting(config, 'out_dim'),
      use_bn: booleanSetting(config, 'use_bn', false),
      norm_last_layer: booleanSetting(config, 'norm_last_layer', true),
      nlayers: numberSetting(config, 'nlayers', 3),
      hidden_dim: numberSetting(config, 'hidden_dim', 2048),
      bottleneck_dim: numberSetting(config, 'bottleneck_dim', 256),
    },
    {
      ncrops,
      student_temp: numberSetting(config, 'student_temp', 0.1),
      teacher_temp,
      center_momentum: numberSetting(config, 'center_momentum', 0.9),
    },
  )
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const momentum = numberSetting(config, 'momentum_teacher')
  const limit = numberSetting(config, 'clip_grad', 0)
  const isLastFrozen = epoch < numberSetting(config, 'freeze_last_layer', 0)
  const named = [...model.student.namedParameters()].map(([name, variable]) => [`student.${name}`, variable] as const)
  const updated = named.filter(([name]) => !(isLastFrozen && name.includes('last_layer')))
  const optimizer = new SGD(
    updated.map(([, variable]) => variable),
    { lr: learningRate },
  )
  for (const variable of model.teacher.parameters()) variable.frozen = true
  const step = compile((crops: Tensor[]) => {
    const { student, teacher, loss } = model.forward(crops)
    const gradients = namedGradients(loss, model)
    const kept = updated.map(([name]) => gradients[name] ?? loss)
    const clipped = limit > 0 ? clipEach(kept, limit) : kept
    optimizer.update(clipped)
    moveToward(weightsOf(model.teacher), weightsOf(model.student), momentum)
    const clippedByName = Object.fromEntries(updated.map(([name], i) => [name, clipped[i] ?? loss]))
    return { outputs: { student, teacher, loss }, gradients, clipped: clippedByName }
  })
  const found: [string, NDArray][] = []
  for (let s = 0; s < numberSetting(config, 'steps'); s++) {
    const crops = cropsOf(reference, ncrops, s)
    for (const { shape } of crops) fixedSetting(config, 'batch', sizeOf(shape, 0))
    const { outputs, gradients, clipped } = await step(crops)
    found.push(...entriesOf('output/', outputs, `.${s}`), ...entriesOf(gradientPrefix(s), gradients))
    found.push([`state_out/center.${s}`, stored(model.dino_loss.center.array)])
    if (s === 0) found.push(...entriesOf('state_out/clipped_grad.', clipped))
  }
  await step.release()
  return new Map([...found, ...statesOf(model)])
}

export const multiCropTargets: readonly CaseTargetRule[] = [
  { target: /^SwAV train step/, run: runSwAV },
  { target: 'distributed_sinkhorn', run: runSinkhorn },
  { target: /^DINOHead student\/teacher/, run: runDINO },
]
