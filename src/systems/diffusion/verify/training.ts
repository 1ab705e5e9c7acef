/** The reference case of the training loop: three steps with given times, noise and weights. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { AdamW, ExponentialMovingAverage, totalNorm } from '../../../optim/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  type CaseTargetRule,
  fixedSetting,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  rowAt,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import type { GaussianDiffusion } from '../gaussian-diffusion.ts'
import { trainingLosses } from '../losses.ts'
import { UNetModel } from '../model.ts'
import { annealedRate, microBatches, timeQuartile } from '../training/official-training.ts'
import { diffusionOf, type Found, floats, groupsOf, unetConfig } from './case.ts'

/** "0.5,0.9" as texts, which names of tensors have. */
function ratesOf(value: unknown): string[] {
  return String(value)
    .split(',')
    .map((rate) => rate.trim())
}

/** The names that the last step logs: each loss also by the quartile of its time. */
function checkLoggedNames({ fields }: ReferenceCase, diffusion: GaussianDiffusion, times: readonly number[]): void {
  const logged = fields.log_keys_last_step
  if (logged === undefined) return
  const losses = diffusion.lossType.endsWith('KL')
    ? ['loss']
    : ['loss', 'mse', ...(diffusion.learnsVariance ? ['vb'] : [])]
  const quartiles = [...new Set(times.map((time) => timeQuartile(time, diffusion.steps)))]
  const names = [
    ...losses.flatMap((loss) => [loss, ...quartiles.map((quartile) => `${loss}_q${quartile}`)]),
    ...['grad_norm', 'param_norm', 'samples', 'step'],
  ].sort()
  if (JSON.stringify(logged) !== JSON.stringify(names))
    throw new FormatError(`log_keys_last_step must be ${names.join(', ')}, found ${JSON.stringify(logged)}`)
}

async function runTrainLoop(reference: ReferenceCase): Found {
  const { config, mode, tensors, fields } = reference
  withoutEffect(fields, 'stored') // which results there are: more are computed
  fixedSetting(config, 'use_fp16', false)
  fixedSetting(config, 'model', 'UNetModel')
  const adamw = nestedSettings(config, 'adamw')
  fixedSetting(adamw, 'decoupled_weight_decay', true)
  const diffusion = diffusionOf(reference, config)
  const model = new UNetModel(unetConfig(nestedSettings(config, 'model_config'), mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, 'param/'))
  model.train(mode === 'train')
  const parameters = model.namedParameters()
  const rate = annealedRate(numberSetting(config, 'lr'), numberSetting(config, 'lr_anneal_steps', 0))
  const optimizer = new AdamW([...parameters.values()], {
    lr: rate,
    weightDecay: numberSetting(config, 'weight_decay', 0),
    betas: [numberSetting(adamw, 'beta1', 0.9), numberSetting(adamw, 'beta2', 0.999)],
    eps: numberSetting(adamw, 'eps', 1e-8),
  })
  const averages = ratesOf(config.ema_rate).map(
    (decay) => [decay, new ExponentialMovingAverage([...parameters.values()], { decay: Number(decay) })] as const,
  )
  const [, batchSize] = requiredTensor(tensors, 'input/x').shape // [steps, batch, ...]
  fixedSetting(config, 'batch_size', batchSize)
  const parts = microBatches(numberSetting(config, 'batch_size', batchSize), numberSetting(config, 'microbatch', -1))
  const step = compile((x: Tensor, y: Tensor | undefined, t: Tensor, noise: Tensor, weights: Tensor) => {
    const losses = parts.map((range) => {
      const of = (tensor: Tensor): Tensor => ops.slice(tensor, range, 0)
      const labels = y && of(y)
      const network = (pictures: Tensor, timesteps: Tensor): Tensor => model.forward(pictures, timesteps, labels)
      const { loss } = trainingLosses(diffusion, network, of(x), of(t), of(noise))
      return ops.mean(ops.mul(loss, of(weights)))
    })
    const paramNorm = totalNorm([...parameters.values()].map(({ value }) => value))
    // Gradients of micro-batches are added up, not averaged, whatever their sizes.
    const { gradientNorm } = optimizer.minimize(ops.addAll(losses))
    for (const [, average] of averages) average.update()
    return { gradientNorm, paramNorm, loss: ops.div(ops.addAll(losses), losses.length) }
  })
  const input = (name: string, k: number): NDArray => rowAt(requiredTensor(tensors, `input/${name}`), k)
  const count = numberSetting(config, 'steps')
  const logged: { gradNorm: number; paramNorm: number; loss: number; lr: number }[] = []
  for (let k = 0; k < count; k++) {
    const y = tensors.has('input/y') ? input('y', k) : undefined
    const found = await step(input('x', k), y, input('t', k), input('noise', k), input('weights', k))
    logged.push({
      gradNorm: found.gradientNorm.item(),
      paramNorm: found.paramNorm.item(),
      loss: found.loss.item(),
      lr: rate(k),
    })
  }
  await step.release()
  checkLoggedNames(reference, diffusion, toNumbers(input('t', count - 1).data))
  const values = [...parameters].map(([name, { array }]) => [`output/model/${name}`, array] as const)
  const averaged = averages.flatMap(([decay, { averages: variables }]) =>
    [...parameters.keys()].flatMap((name, i) => {
      const variable = variables[i]
      return variable ? [[`output/ema_${decay}/${name}`, variable.array] as const] : []
    }),
  )
  return new Map([
    ['output/grad_norm', floats(logged.map(({ gradNorm }) => gradNorm))],
    ['output/param_norm', floats(logged.map(({ paramNorm }) => paramNorm))],
    ['output/loss', floats(logged.map(({ loss }) => loss))],
    ['output/lr_used', floats(logged.map(({ lr }) => lr))],
    ...values,
    ...averaged,
  ])
}

export const trainingTargets: readonly CaseTargetRule[] = [{ target: /^TrainLoop\.run_step/, run: runTrainLoop }]
