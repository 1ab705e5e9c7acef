/** Reference cases of FNet's training and of what surrounds the encoder: mixing, layouts, learning rates, Adam. */
import { z } from 'zod'
import { vectorJacobianProduct } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { AdamW } from '../../../optim/index.ts'
import { elementCount, fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { FormatError } from '../../../util/errors.ts'
import { largest } from '../../../util/lists.ts'
import { float32Rates } from '../../../verify/float32-adam.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { attentionLayers, attentionLayouts } from '../config.ts'
import { officialSchedule } from './schedules.ts'

/** Forward of every pair's `input/x_SIZE`; gradient for every `input/cotangent_SIZE`. */
async function runMixing(reference: ReferenceCase): Promise<Map<string, NDArray>> {
  const found = new Map<string, NDArray>()
  const { config } = reference
  fixedSetting(config, 'dim', [1, 2])
  const norms = ['backward', 'backward (no scaling of the forward transform)', 'ortho', 'forward'] as const
  const norm = choiceSetting(config, 'norm', norms, 'backward')
  const transform = (x: Tensor): Tensor => {
    const size = elementCount(x.shape.slice(-2))
    if (norm === 'forward') return ops.div(ops.fft2Real(x), size)
    return norm === 'ortho' ? ops.div(ops.fft2Real(x), Math.sqrt(size)) : ops.fft2Real(x)
  }
  // The cases have many shapes.
  const options = { onTrace: () => undefined }
  const mix = compile(transform, options)
  const pullBack = compile((x: Tensor, cotangent: Tensor) => {
    const [slope = x] = vectorJacobianProduct([transform(x)], [cotangent], [x])
    return slope
  }, options)
  for (const pair of z.array(z.array(z.number())).parse(config.pairs)) {
    const size = pair.join('x')
    const x = requiredTensor(reference.tensors, `input/x_${size}`)
    const { array } = await mix(x)
    found.set(`output/y_${size}`, array)
    found.set(`output/y_float64_${size}`, array)
    const cotangent = reference.tensors.get(`input/cotangent_${size}`)
    if (cotangent) found.set(`grad_input/x_${size}`, (await pullBack(x, cotangent)).array)
  }
  await Promise.all([mix.release(), pullBack.release()])
  checkAccuracy(reference, found)
  return found
}

/** Errors that other ways of computing have, by size: ours must be within three times those of the good ones. */
const measuredErrors = z.record(z.string(), z.record(z.string(), z.number()))
const goodWays = ['max_abs_error_fft_float32', 'max_abs_error_matmul_with_rounded_exact_matrices'] as const

function checkAccuracy({ fields, tensors }: ReferenceCase, found: ReadonlyMap<string, NDArray>): void {
  for (const [size, errors] of Object.entries(measuredErrors.parse(fields.errors ?? {}))) {
    const name = `output/y_float64_${size}`
    const numbers = toNumbers(found.get(name)?.data ?? new Float32Array())
    const exact = toNumbers(requiredTensor(tensors, name).data)
    const error = largest(exact.map((value, i) => Math.abs((numbers[i] ?? Number.NaN) - value)))
    const limit = 3 * largest(goodWays.map((way) => errors[way] ?? 0))
    if (!(error <= limit)) throw new FormatError(`${name}: the largest error must be at most ${limit}, found ${error}`)
  }
}

async function runLayouts({ config }: ReferenceCase): Promise<Map<string, NDArray>> {
  const names = z.array(z.string()).parse(config.cases)
  withoutEffect(config, 'name_format') // in words
  return new Map(
    names.map((name) => {
      const [, kind, layers, wanted] = /^([a-z]+)_(\d+)_(\d+)$/.exec(name) ?? []
      const attention_layout = attentionLayouts.find((layout) => layout === kind)
      if (!attention_layout) throw new FormatError(`"${name}" must name a layout, layers and attention layers`)
      const num_layers = Number(layers)
      const attends = attentionLayers({
        model_arch: 'f_net',
        num_layers,
        num_attention_layers: Number(wanted),
        attention_layout,
      })
      return [
        `output/${name}`,
        { dtype: 'int64', shape: [num_layers], data: fromNumbers('int64', attends.map(Number)) },
      ] as const
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
  const { lr, weightDecay } = float32Rates([beta1, beta2], rate)
  const optimizer = new AdamW(parameters, {
    lr,
    betas: [beta1, beta2],
    eps: numberSetting(config, 'eps', 1e-6),
    weightDecay: weightDecay(numberSetting(config, 'weight_decay', 0.01)),
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

/** The targets other than the models and the data. */
export const trainingTargets: readonly CaseTargetRule[] = [
  { target: /^fourier_mixing/, run: runMixing },
  { target: /^hybrid attention layout/, run: runLayouts },
  { target: /^create_learning_rate_scheduler/, run: runSchedules },
  { target: /^flax\.optim\.Adam/, run: runAdam },
]
