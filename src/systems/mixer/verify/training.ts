/** Reference cases of whole training steps: big_vision's pre-training update, vit_jax's fine-tuning update. */

import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { elementCount, fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { float32Correction } from '../../../verify/float32-adam.ts'
import {
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  rowAt,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { Mixer } from '../model.ts'
import { fromOfficial, toOfficial } from '../official.ts'
import { officialConfig, toChannelsFirst } from './case.ts'
import { bigVisionSchedule, fineTuningRate } from './schedules.ts'

function scalarArray(value: number): NDArray {
  return { dtype: 'float32', shape: [], data: fromNumbers('float32', [value]) }
}

function oneHot(labels: NDArray, classes: number): NDArray {
  const data = new Float32Array(labels.data.length * classes)
  for (const [i, label] of toNumbers(labels.data).entries()) data[i * classes + label] = 1
  return { dtype: 'float32', shape: [labels.data.length, classes], data }
}

function globalNorm(tensors: readonly Tensor[]): Tensor {
  return ops.sqrt(ops.addAll(tensors.map((tensor) => ops.sum(ops.mul(tensor, tensor)))))
}

/** optax and vit_jax: scaled down to the norm only where it is exceeded. */
function clipped(gradients: readonly Tensor[], norm: Tensor, limit: number): Tensor[] {
  const factor = ops.minimum(ops.div(limit, norm), 1)
  return gradients.map((g) => ops.mul(g, factor))
}

/** The shape of float32 numbers rounded to bfloat16's 8 significant bits, to nearest (Veltkamp's splitting). */
function roundToBfloat16(x: Tensor): Tensor {
  const scaled = ops.mul(x, 2 ** 16 + 1)
  return ops.sub(scaled, ops.sub(scaled, x))
}

/** big_vision's losses (utils.py), summed over the batch. */
const pretrainingLosses = {
  sigmoid_xent: (logits: Tensor, labels: Tensor): Tensor => ops.bceWithLogits(logits, labels, { reduction: 'sum' }),
  softmax_xent: (logits: Tensor, labels: Tensor): Tensor => ops.neg(ops.sum(ops.mul(labels, ops.logSoftmax(logits)))),
}

/** The mask of a step in which every branch is kept: [blocks, 2, N]. */
function nothingDropped({ config }: Mixer, labels: NDArray): NDArray {
  const shape = [config.num_blocks, 2, sizeOf(labels.shape, 0)]
  return { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) }
}

interface Trajectory {
  readonly series: Record<string, number[]>
  readonly parameters: Map<string, NDArray>
}

function collected({ series, parameters }: Trajectory): Map<string, NDArray> {
  return new Map([
    ...Object.entries(series).map(
      ([name, values]) =>
        [
          `output/${name}`,
          { dtype: 'float32', shape: [values.length], data: fromNumbers('float32', values) } as NDArray,
        ] as const,
    ),
    ...[...toOfficial(parameters)].map(([name, array]) => [`output/params_after/${name}`, array] as const),
  ])
}

function loadModel(reference: ReferenceCase): { model: Mixer; names: string[]; parameters: Variable[] } {
  const model = new Mixer(officialConfig(reference.config.model as Settings))
  model.loadStateDict(fromOfficial(tensorsBelow(reference, 'param/')))
  const named = [...model.namedParameters()]
  return { model, names: named.map(([name]) => name), parameters: named.map(([, variable]) => variable) }
}

/**
 * big_vision's update: mixup, sigmoid cross-entropy, clip by global norm, Adam, times lr, plus wd * w for kernels, times
 * schedule(step), subtract. The weight decay is not multiplied by lr.
 */
export async function runPreTraining(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const { model, names, parameters } = loadModel(reference)
  model.train()
  fixedSetting(config, 'optax_name', 'scale_by_adam')
  withoutEffect((config.mixup ?? {}) as Settings, 'p', 'fold_in') // the mixing is drawn before: input/mixup_a
  withoutEffect(config, 'init_head_bias') // how the head begins: param/ has the weights
  const lossOf = pretrainingLosses[choiceSetting(config, 'loss', ['sigmoid_xent', 'softmax_xent'], 'sigmoid_xent')]
  const adam = config.optax as Settings
  const [b1, b2, eps] = [
    numberSetting(adam, 'b1', 0.9),
    numberSetting(adam, 'b2', 0.999),
    numberSetting(adam, 'eps', 1e-8),
  ]
  const epsRoot = numberSetting(adam, 'eps_root', 0)
  const [lr, wd, limit] = [
    numberSetting(config, 'lr'),
    numberSetting(config, 'wd'),
    numberSetting(config, 'grad_clip_norm', Number.POSITIVE_INFINITY), // none
  ]
  const classes = numberSetting(config.model as Settings, 'num_classes')
  const multipliers = (config.wd_mults as [string, number][] | undefined) ?? [['.*/kernel$', 1]]
  const decay = [
    ...toOfficial(
      names
        .map((name) => [name, scalarArray(0)] as const)
        .map(([name], i) => [name, parameters[i]?.array ?? scalarArray(0)]),
    ),
  ].map(([name]) => {
    const rule = multipliers.find(([pattern]) => new RegExp(`^(?:${pattern})`).test(name))
    return wd * (rule?.[1] ?? 0)
  })
  const [first, second] = [0, 1].map(() => parameters.map(({ shape }) => new Variable(shape))) as [
    Variable[],
    Variable[],
  ]

  const step = compile(
    (
      images: Tensor,
      labels: Tensor,
      a: Tensor,
      mask: Tensor,
      scale: Tensor,
      correction1: Tensor,
      correction2: Tensor,
    ) => {
      const mix = (x: Tensor): Tensor => ops.add(ops.mul(a, x), ops.mul(ops.sub(1, a), ops.roll(x, 1, 0)))
      const logits = model.forward(toChannelsFirst(mix(images)), ops.cast(mask, 'float32'))
      const loss = ops.div(lossOf(logits, mix(labels)), sizeOf(labels.shape, 0))
      const gradients = gradient(loss, parameters)
      const norm = globalNorm(gradients)
      const updates = clipped(gradients, norm, limit).map((g, i) => {
        const [m, v, w] = [first[i] as Variable, second[i] as Variable, parameters[i] as Variable]
        const mean = ops.add(ops.mul(m.value, b1), ops.mul(g, 1 - b1))
        const square = ops.add(ops.mul(v.value, b2), ops.mul(ops.mul(g, g), 1 - b2))
        m.assign(mean)
        v.assign(square)
        const direction = ops.div(
          ops.mul(mean, correction1),
          ops.add(ops.sqrt(ops.add(ops.mul(square, correction2), epsRoot)), eps),
        )
        const update = ops.mul(ops.add(ops.mul(direction, lr), ops.mul(w.value, decay[i] ?? 0)), scale)
        w.assign(ops.sub(w.value, update))
        return update
      })
      const counted = updates.filter((_, i) => !names[i]?.endsWith('mlp_tokens.fc2.bias'))
      return { loss, norm, updateNorm: globalNorm(counted) }
    },
  )

  const schedule = bigVisionSchedule(config.schedule as Settings, numberSetting(config, 'total_steps'))
  const series: Record<string, number[]> = { loss: [], l2_grads: [], l2_updates_excl_null: [], schedule: [] }
  for (let s = 0; s < numberSetting(config, 'num_steps'); s++) {
    const input = (name: string): NDArray => rowAt(requiredTensor(reference.tensors, `input/${name}`), s)
    const labels = oneHot(input('labels'), classes)
    const [mixing, drops] = [config.mixup ?? undefined, model.config.stoch_depth > 0]
    const { loss, norm, updateNorm } = await step(
      input('images'),
      labels,
      mixing === undefined && !reference.tensors.has('input/mixup_a') ? scalarArray(1) : input('mixup_a'),
      drops || reference.tensors.has('input/drop_mask') ? input('drop_mask') : nothingDropped(model, labels),
      scalarArray(schedule(s)),
      scalarArray(1 / float32Correction(b1, s)),
      scalarArray(1 / float32Correction(b2, s)),
    )
    series.loss?.push(loss.item())
    series.l2_grads?.push(norm.item())
    series.l2_updates_excl_null?.push(updateNorm.item())
    series.schedule?.push(schedule(s))
  }
  await step.release()
  return collected({ series, parameters: model.stateDict() })
}

/**
 * vit_jax's update: loss and gradients averaged over equal parts of the batch (which is their mean over the whole),
 * clip by global norm, SGD with momentum kept in bfloat16, no weight decay.
 */
export async function runFineTuning(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config } = reference
  const { model, names, parameters } = loadModel(reference)
  model.train()
  const limit = numberSetting(config, 'grad_norm_clip', Number.POSITIVE_INFINITY)
  withoutEffect(config, 'accum_steps') // the mean over equal parts of the batch is the mean over all of it
  const half = choiceSetting(config, 'optim_dtype', ['float32', 'bfloat16'], 'float32') === 'bfloat16'
  // In bfloat16 the decay constant is rounded too: 0.9 becomes 0.8984375.
  const momentum = half
    ? Number(bfloat16(numberSetting(config, 'momentum', 0.9)))
    : numberSetting(config, 'momentum', 0.9)
  const classes = numberSetting(config.model as Settings, 'num_classes')
  const buffers = parameters.map(({ shape }) => new Variable(shape))
  const step = compile((images: Tensor, labels: Tensor, rate: Tensor) => {
    const loss = ops.crossEntropy(model.forward(toChannelsFirst(images)), labels)
    const gradients = gradient(loss, parameters)
    const norm = globalNorm(gradients)
    for (const [i, g] of clipped(gradients, norm, limit).entries()) {
      const [buffer, w] = [buffers[i] as Variable, parameters[i] as Variable]
      const direction = ops.add(g, ops.mul(buffer.value, momentum))
      w.assign(ops.sub(w.value, ops.mul(direction, rate)))
      buffer.assign(half ? roundToBfloat16(direction) : direction)
    }
    return { loss, norm }
  })
  const rate = fineTuningRate(config)
  const series: Record<string, number[]> = { loss: [], l2_grads: [], lr: [] }
  for (let s = 0; s < numberSetting(config, 'num_steps'); s++) {
    const labels = oneHot(rowAt(requiredTensor(reference.tensors, 'input/labels'), s), classes)
    const { loss, norm } = await step(
      rowAt(requiredTensor(reference.tensors, 'input/images'), s),
      labels,
      scalarArray(rate(s)),
    )
    series.loss?.push(loss.item())
    series.l2_grads?.push(norm.item())
    series.lr?.push(rate(s))
  }
  await step.release()
  const result = collected({ series, parameters: model.stateDict() })
  const momenta = names.map((name, i) => [name, (buffers[i] as Variable).array] as const)
  for (const [name, array] of toOfficial(momenta)) result.set(`state/momentum/${name}`, array)
  return result
}

/** The nearest bfloat16, halves to even. */
function bfloat16(value: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  const bits = view.getUint32(0)
  view.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000)
  return view.getFloat32(0)
}
