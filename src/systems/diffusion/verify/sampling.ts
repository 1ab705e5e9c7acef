/** Reference cases of sampling and of bits per dimension, with given noise. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { elementCount, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { inputNamed } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  rowAt,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { EncoderUNetModel } from '../encoder.ts'
import { classifierGuide, type GaussianDiffusion, type Guide, type Network, type Step } from '../gaussian-diffusion.ts'
import { boundTerm, bpdStep, priorBpd } from '../losses.ts'
import { UNetModel } from '../model.ts'
import { toBytes } from '../sample/sampler.ts'
import { diffusionOf, encoderConfig, evaluated, type Found, floats, groupsOf, unetConfig } from './case.ts'

/** The denoiser of a case; labels go to it only if it has classes. */
function denoiserOf(reference: ReferenceCase, prefix: string): (y: Tensor | undefined) => Network {
  const { config, mode } = reference
  fixedSetting(config, 'model', 'UNetModel')
  const model = new UNetModel(unetConfig(nestedSettings(config, 'model_config'), mode, groupsOf(config)))
  model.loadStateDict(tensorsBelow(reference, prefix))
  model.train(mode === 'train')
  return (y) => (x, timesteps) => model.forward(x, timesteps, model.label_emb ? y : undefined)
}

function classifierOf(reference: ReferenceCase): EncoderUNetModel {
  const { config, mode } = reference
  fixedSetting(config, 'classifier', 'EncoderUNetModel')
  const model = new EncoderUNetModel(encoderConfig(nestedSettings(config, 'classifier_config'), mode, groupsOf(config)))
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
const everywhere = (time: number, { shape }: Pick<Tensor, 'shape'>): Tensor =>
  constant(new BigInt64Array(sizeOf(shape, 0)).fill(BigInt(time)), [sizeOf(shape, 0)], 'int64')

type Stepper = (x: Tensor, t: Tensor, noise: Tensor | undefined, y: Tensor | undefined) => Step

/** Steps through times, from an input of the case, one run of a compiled program each; the state after each of them stacked. */
async function trajectory(
  { tensors }: ReferenceCase,
  times: readonly number[],
  start: string,
  step: Stepper,
): Promise<NDArray> {
  const [first, noises] = [requiredTensor(tensors, `input/${start}`), tensors.get('input/loop_noise')]
  const y = tensors.get('input/y')
  const run = compile((x: Tensor, t: Tensor, noise: Tensor | undefined, labels: Tensor | undefined) =>
    step(x, t, noise, labels),
  )
  const states: number[] = []
  let x: Tensor | NDArray = first
  for (const [k, time] of times.entries()) {
    const noise = start === 'x_T' && noises ? rowAt(noises, k) : undefined
    const { sample }: Step = await run(x, everywhere(time, first), noise, y)
    x = { dtype: 'float32', shape: first.shape, data: Float32Array.from(sample.array.data, Number) }
    states.push(...toNumbers(x.data))
  }
  await run.release()
  return floats(states, [times.length, ...first.shape])
}

/** An input that this loop needs. */
function given(tensor: Tensor | undefined, name: string): Tensor {
  if (!tensor) throw new FormatError(`the case has no input "${name}"`)
  return tensor
}

const guideOf =
  (classifier: EncoderUNetModel, scale: number) =>
  (y: Tensor): Guide =>
    classifierGuide((x, timesteps) => classifier.forward(x, timesteps), y, scale)

const downward = ({ steps }: GaussianDiffusion): number[] => Array.from({ length: steps }, (_, k) => steps - 1 - k)

async function runAncestral(reference: ReferenceCase): Found {
  const { config } = reference
  const diffusion = processOf(reference)
  const [denoiser, classifier] = [denoiserOf(reference, 'param/model/'), classifierOf(reference)]
  const clipDenoised = booleanSetting(config, 'clip_denoised', true)
  const guideFor = guideOf(classifier, numberSetting(config, 'classifier_scale', 1))
  const variants = { plain: () => ({ clipDenoised }), guided: (y: Tensor) => ({ clipDenoised, guide: guideFor(y) }) }
  const found = await evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const [x, t, y] = [input('x'), input('t'), input('y')]
    const network = denoiser(y)
    const outputs = Object.entries(variants).flatMap(([name, options]): [string, Tensor][] => {
      const { sample, predXstart } = diffusion.pSample(network, x, t, input('noise'), options(y))
      return [
        [`output/p_sample.${name}/sample`, sample],
        [`output/p_sample.${name}/pred_xstart`, predXstart],
      ]
    })
    const prediction = diffusion.pMeanVariance(network, x, t, { clipDenoised })
    return {
      ...Object.fromEntries(outputs),
      'output/classifier_gradient': guideFor(y)(x, diffusion.modelTimesteps(t)),
      'output/condition_mean': diffusion.conditionMean(guideFor(y), prediction, x, t),
    }
  })
  for (const [name, options] of Object.entries(variants)) {
    const states = await trajectory(reference, downward(diffusion), 'x_T', (x, t, noise, y) =>
      diffusion.pSample(denoiser(y), x, t, given(noise, 'loop_noise'), options(given(y, 'y'))),
    )
    found.set(`output/loop.${name}/trajectory`, states)
    found.set(`output/loop.${name}/images_uint8`, lastPictures(states))
  }
  return found
}

/** The pictures at the end of a trajectory as bytes, [B, H, W, C]. */
function lastPictures(states: NDArray): NDArray {
  const shape = states.shape.slice(1)
  return toBytes({ dtype: 'float32', shape, data: states.data.slice(-elementCount(shape)) })
}

/** Python writes whole floats with a zero. */
const pythonFloat = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))

async function runDdim(reference: ReferenceCase): Found {
  const { config } = reference
  const diffusion = processOf(reference)
  const [denoiser, classifier] = [denoiserOf(reference, 'param/model/'), classifierOf(reference)]
  const clipDenoised = booleanSetting(config, 'clip_denoised', true)
  const guideFor = guideOf(classifier, numberSetting(config, 'classifier_scale', 1))
  const variants = numbersSetting(config, 'etas', [0]).flatMap((eta) => [
    { key: `plain.eta${pythonFloat(eta)}`, options: () => ({ clipDenoised, eta }) },
    { key: `guided.eta${pythonFloat(eta)}`, options: (y: Tensor) => ({ clipDenoised, eta, guide: guideFor(y) }) },
  ])
  const found = await evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const [x, t, y, noise] = [input('x'), input('t'), input('y'), input('noise')]
    const network = denoiser(y)
    const outputs = variants.flatMap(({ key, options }): [string, Tensor][] => {
      const { sample, predXstart } = diffusion.ddimSample(network, x, t, { ...options(y), noise })
      return [
        [`output/ddim_sample.${key}/sample`, sample],
        [`output/ddim_sample.${key}/pred_xstart`, predXstart],
      ]
    })
    const reversed = diffusion.ddimReverseSample(network, x, t, { clipDenoised })
    const prediction = diffusion.pMeanVariance(network, x, t, { clipDenoised })
    const conditioned = diffusion.conditionScore(guideFor(y), prediction, x, t)
    return {
      ...Object.fromEntries(outputs),
      'output/ddim_reverse_sample/sample': reversed.sample,
      'output/ddim_reverse_sample/pred_xstart': reversed.predXstart,
      'output/condition_score/mean': conditioned.mean,
      'output/condition_score/pred_xstart': conditioned.predXstart,
    }
  })
  for (const { key, options } of variants) {
    const states = await trajectory(reference, downward(diffusion), 'x_T', (x, t, noise, y) =>
      diffusion.ddimSample(denoiser(y), x, t, { ...options(given(y, 'y')), noise: given(noise, 'loop_noise') }),
    )
    found.set(`output/loop.${key}/trajectory`, states)
  }
  const upward = downward(diffusion).reverse()
  const reversed = await trajectory(reference, upward, 'x_start', (x, t, _noise, y) =>
    diffusion.ddimReverseSample(denoiser(y), x, t, { clipDenoised }),
  )
  return found.set('output/reverse_loop/trajectory', reversed)
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
