/** Reference cases of sampling and of bits per dimension, with given noise. */
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { inputNamed } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  fixedSetting,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { EncoderUNetModel } from '../encoder.ts'
import { classifierGuide, type GaussianDiffusion, type Network, type Step } from '../gaussian-diffusion.ts'
import { boundTerm, bpdStep, priorBpd } from '../losses.ts'
import { UNetModel } from '../model.ts'
import { toBytes } from '../sampling.ts'
import { diffusionOf, encoderConfig, evaluated, type Found, groupsOf, nested, unetConfig } from './case.ts'

/** The denoiser of a case; labels go to it only if it has classes. */
function denoiserOf(reference: ReferenceCase, prefix: string): (y: Tensor | undefined) => Network {
  const { config, mode } = reference
  fixedSetting(config, 'model', 'UNetModel')
  const model = new UNetModel(unetConfig(nested(config, 'model_config'), mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, prefix))
  model.train(mode === 'train')
  return (y) => (x, timesteps) => model.forward(x, timesteps, model.label_emb ? y : undefined)
}

function classifierOf(reference: ReferenceCase): EncoderUNetModel {
  const { config, mode } = reference
  fixedSetting(config, 'classifier', 'EncoderUNetModel')
  const model = new EncoderUNetModel(encoderConfig(nested(config, 'classifier_config'), mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, 'param/classifier/'))
  return model.train(mode === 'train')
}

/** The process; what is only said of the trainer has no effect here. */
function processOf(reference: ReferenceCase): GaussianDiffusion {
  withoutEffect(reference.config, 'loss_type')
  const { model_mean_type, model_var_type } = reference.config
  return diffusionOf(reference, { model_mean_type, model_var_type } as Settings)
}

/** The same time for every example: int64 [B]. */
const everywhere = (time: number, { shape }: Tensor): Tensor =>
  constant(new BigInt64Array(sizeOf(shape, 0)).fill(BigInt(time)), [sizeOf(shape, 0)], 'int64')

/** Steps through all times, the state after each of them stacked. */
function trajectory(times: readonly number[], start: Tensor, step: (x: Tensor, t: Tensor, k: number) => Step): Tensor {
  let x = start
  const states = times.map((time, k) => {
    x = step(x, everywhere(time, start), k).sample
    return x
  })
  return ops.stack(states)
}

const downward = ({ steps }: GaussianDiffusion): number[] => Array.from({ length: steps }, (_, k) => steps - 1 - k)

async function runAncestral(reference: ReferenceCase): Found {
  const { config } = reference
  const diffusion = processOf(reference)
  const [denoiser, classifier] = [denoiserOf(reference, 'param/model/'), classifierOf(reference)]
  const clipDenoised = booleanSetting(config, 'clip_denoised', true)
  const scale = numberSetting(config, 'classifier_scale', 1)
  const found = await evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const [x, t, y] = [input('x'), input('t'), input('y')]
    const network = denoiser(y)
    const guide = classifierGuide((pictures, timesteps) => classifier.forward(pictures, timesteps), y, scale)
    const variants = Object.entries({ plain: { clipDenoised }, guided: { clipDenoised, guide } })
    const outputs = variants.flatMap(([name, options]): [string, Tensor][] => {
      const { sample, predXstart } = diffusion.pSample(network, x, t, input('noise'), options)
      const loop = trajectory(downward(diffusion), input('x_T'), (state, time, k) =>
        diffusion.pSample(network, state, time, ops.select(input('loop_noise'), k, 0), options),
      )
      return [
        [`output/p_sample.${name}/sample`, sample],
        [`output/p_sample.${name}/pred_xstart`, predXstart],
        [`output/loop.${name}/trajectory`, loop],
      ]
    })
    const prediction = diffusion.pMeanVariance(network, x, t, { clipDenoised })
    return {
      ...Object.fromEntries(outputs),
      'output/classifier_gradient': guide(x, diffusion.modelTimesteps(t)),
      'output/condition_mean': diffusion.conditionMean(guide, prediction, x, t),
    }
  })
  const pictures = ['plain', 'guided'].map(
    (name) => [`output/loop.${name}/images_uint8`, lastPictures(found, `output/loop.${name}/trajectory`)] as const,
  )
  return new Map([...found, ...pictures])
}

/** The pictures at the end of a trajectory as bytes, [B, H, W, C]. */
function lastPictures(found: ReadonlyMap<string, NDArray>, name: string): NDArray {
  const states = found.get(name)
  if (!states) throw new FormatError(`there is no "${name}"`)
  const shape = states.shape.slice(1)
  const size = shape.reduce((product, length) => product * length, 1)
  return toBytes({ dtype: 'float32', shape, data: states.data.slice(-size) })
}

/** Python writes whole floats with a zero. */
const pythonFloat = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))

async function runDdim(reference: ReferenceCase): Found {
  const { config } = reference
  const diffusion = processOf(reference)
  const [denoiser, classifier] = [denoiserOf(reference, 'param/model/'), classifierOf(reference)]
  const clipDenoised = booleanSetting(config, 'clip_denoised', true)
  const scale = numberSetting(config, 'classifier_scale', 1)
  return evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const [x, t, y] = [input('x'), input('t'), input('y')]
    const network = denoiser(y)
    const guide = classifierGuide((pictures, timesteps) => classifier.forward(pictures, timesteps), y, scale)
    const outputs = numbersSetting(config, 'etas', [0]).flatMap((eta) =>
      Object.entries({ plain: { clipDenoised }, guided: { clipDenoised, guide } }).flatMap(
        ([name, options]): [string, Tensor][] => {
          const key = `${name}.eta${pythonFloat(eta)}`
          const { sample, predXstart } = diffusion.ddimSample(network, x, t, { ...options, eta, noise: input('noise') })
          const loop = trajectory(downward(diffusion), input('x_T'), (state, time, k) => {
            const noise = ops.select(input('loop_noise'), k, 0)
            return diffusion.ddimSample(network, state, time, { ...options, eta, noise })
          })
          return [
            [`output/ddim_sample.${key}/sample`, sample],
            [`output/ddim_sample.${key}/pred_xstart`, predXstart],
            [`output/loop.${key}/trajectory`, loop],
          ]
        },
      ),
    )
    const reversed = diffusion.ddimReverseSample(network, x, t, { clipDenoised })
    const prediction = diffusion.pMeanVariance(network, x, t, { clipDenoised })
    const conditioned = diffusion.conditionScore(guide, prediction, x, t)
    return {
      ...Object.fromEntries(outputs),
      'output/ddim_reverse_sample/sample': reversed.sample,
      'output/ddim_reverse_sample/pred_xstart': reversed.predXstart,
      'output/reverse_loop/trajectory': trajectory(downward(diffusion).reverse(), input('x_start'), (state, time) =>
        diffusion.ddimReverseSample(network, state, time, { clipDenoised }),
      ),
      'output/condition_score/mean': conditioned.mean,
      'output/condition_score/pred_xstart': conditioned.predXstart,
    }
  })
}

async function runBpd(reference: ReferenceCase): Found {
  const diffusion = processOf(reference)
  const denoiser = denoiserOf(reference, 'param/')
  const clipDenoised = booleanSetting(reference.config, 'clip_denoised', true)
  return evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const xStart = input('x_start')
    const network = denoiser(inputs.y)
    const term = boundTerm(diffusion, network, xStart, input('x_t'), input('t'), { clipDenoised })
    const steps = downward(diffusion).map((time, k) =>
      bpdStep(diffusion, network, xStart, everywhere(time, xStart), ops.select(input('noise'), k, 0), { clipDenoised }),
    )
    const [vb, xstartMse, mse] = (['vb', 'xstartMse', 'mse'] as const).map((name) =>
      ops.stack(
        steps.map((step) => step[name]),
        1,
      ),
    ) as [Tensor, Tensor, Tensor]
    const prior = priorBpd(diffusion, xStart)
    return {
      'output/vb_term': term.output,
      'output/vb_pred_xstart': term.predXstart,
      'output/vb': vb,
      'output/xstart_mse': xstartMse,
      'output/mse': mse,
      'output/prior_bpd': prior,
      'output/total_bpd': ops.add(ops.sum(vb, 1), prior),
    }
  })
}

export const samplingTargets: readonly CaseTargetRule[] = [
  {
    target: /^p_sample, p_sample_loop/,
    run: runAncestral,
    // The case's notes: bytes may differ by 1 where a number is within rounding error of a whole one.
    toleranceOf: (name, general) => (name.endsWith('/images_uint8') ? { atol: 1, rtol: 0 } : general),
  },
  { target: /^ddim_sample, ddim_sample_loop/, run: runDdim },
  { target: /^GaussianDiffusion\._vb_terms_bpd/, run: runBpd },
]
