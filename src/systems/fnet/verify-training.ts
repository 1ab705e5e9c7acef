/** Reference cases of FNet's training and of what surrounds the encoder: mixing, layouts, learning rates, Adam. */
import { vectorJacobianProduct } from '../../autodiff/gradient.ts'
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import { AdamW } from '../../optim/index.ts'
import { fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { FormatError } from '../../util/errors.ts'
import {
  type CaseTargetRule,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
} from '../../verify/target.ts'
import { attentionLayers, attentionLayouts } from './config.ts'
import { officialSchedule } from './official-training.ts'

/** Forward of every `input/x_SIZE`; gradient for every `input/cotangent_SIZE`. */
async function runMixing(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const found = new Map<string, NDArray>()
  // The cases have many shapes.
  const options = { onTrace: () => undefined }
  const mix = compile((x: Tensor) => ops.fft2Real(x), options)
  const pullBack = compile((x: Tensor, cotangent: Tensor) => {
    const [slope = x] = vectorJacobianProduct([ops.fft2Real(x)], [cotangent], [x])
    return slope
  }, options)
  for (const [size, x] of tensorsBelow(reference, 'input/x_')) {
    const { array } = await mix(x)
    found.set(`output/y_${size}`, array)
    found.set(`output/y_float64_${size}`, array)
    const cotangent = reference.tensors.get(`input/cotangent_${size}`)
    if (cotangent) found.set(`grad_input/x_${size}`, (await pullBack(x, cotangent)).array)
  }
  await Promise.all([mix.release(), pullBack.release()])
  return found
}

async function runLayouts({ tensors }: ReferenceCase): Promise<Map<string, NDArray>> {
  const names = [...tensors.keys()].filter((name) => name.startsWith('output/'))
  return new Map(
    names.map((name) => {
      const [, kind, layers, wanted] = /^output\/([a-z]+)_(\d+)_(\d+)$/.exec(name) ?? []
      const attention_layout = attentionLayouts.find((layout) => layout === kind)
      if (!attention_layout) throw new FormatError(`"${name}" must name a layout, layers and attention layers`)
      const num_layers = Number(layers)
      const attends = attentionLayers({
        model_arch: 'f_net',
        num_layers,
        num_attention_layers: Number(wanted),
        attention_layout,
      })
      return [name, { dtype: 'int64', shape: [num_layers], data: fromNumbers('int64', attends.map(Number)) }] as const
    }),
  )
}

function scheduleOf(settings: Settings, rate: string): ReturnType<typeof officialSchedule> {
  return officialSchedule({
    factors: stringSetting(settings, 'factors', 'constant * linear_warmup * linear_decay'),
    baseLearningRate: numberSetting(settings, rate),
    warmupSteps: numberSetting(settings, 'warmup_steps'),
    decaySteps: numberSetting(settings, 'decay_steps', 100_000),
  })
}

async function runSchedules({ config, tensors }: ReferenceCase): Promise<Map<string, NDArray>> {
  const schedules = config.schedules as readonly Settings[]
  return new Map(
    schedules.map((settings, i) => {
      const rate = scheduleOf(settings, 'base_learning_rate')
      const steps = toNumbers(requiredTensor(tensors, `input/steps_${i}`).data)
      return [`output/lr_${i}`, { dtype: 'float32', shape: [steps.length], data: Float32Array.from(steps, rate) }]
    }),
  )
}

async function runAdam(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const { config, tensors } = reference
  const [beta1, beta2] = [numberSetting(config, 'beta1', 0.9), numberSetting(config, 'beta2', 0.999)]
  const rate = scheduleOf(config, 'learning_rate')
  const weights = [...tensorsBelow(reference, 'param/')]
  const parameters = weights.map(([, { shape, data }]) => new Variable(shape, { data: data.slice(), trainable: true }))
  const optimizer = new AdamW(parameters, {
    lr: rate,
    betas: [beta1, beta2],
    eps: numberSetting(config, 'eps', 1e-6),
    weightDecay: numberSetting(config, 'weight_decay', 0.01),
  })
  const step = compile((gradients: Tensor[]) => void optimizer.update(gradients))
  const found = new Map<string, NDArray>()
  const steps = numberSetting(config, 'num_steps')
  for (let s = 0; s < steps; s++) {
    await step(weights.map(([name]) => requiredTensor(tensors, `input/grad_${s}_${name}`)))
    for (const [i, [name]] of weights.entries()) {
      const { dtype, shape, data } = (parameters[i] as Variable).array
      found.set(`output/${name}_after_${s}`, { dtype, shape, data: data.slice() })
    }
  }
  await step.release()
  const averages = [...optimizer.variables()]
  for (const [i, [name]] of weights.entries()) {
    // Ours are kept without their factors: docs/decisions/002-adam-layout.md.
    for (const [slot, official, factor] of [
      ['exp_avg', 'grad_ema', 1 - beta1],
      ['exp_avg_sq', 'grad_sq_ema', 1 - beta2],
    ] as const) {
      const own = averages.filter(([key]) => key.startsWith(`${slot}.`))[i]?.[1].array
      if (own)
        found.set(`output/${name}_${official}`, {
          ...own,
          data: Float32Array.from(toNumbers(own.data), (value) => value * factor),
        })
    }
  }
  const rates = Float32Array.from({ length: steps }, (_, s) => rate(s))
  found.set('output/learning_rates', { dtype: 'float32', shape: [steps], data: rates })
  return found
}

/** The targets beside the models and the data. */
export const trainingTargets: readonly CaseTargetRule[] = [
  { target: /^fourier_mixing/, run: runMixing },
  { target: /^hybrid attention layout/, run: runLayouts },
  { target: /^create_learning_rate_scheduler/, run: runSchedules },
  { target: /^flax\.optim\.Adam/, run: runAdam },
]
