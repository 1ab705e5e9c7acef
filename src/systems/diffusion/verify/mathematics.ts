/** Reference cases of the process itself: schedules, the forward process, predictions, losses, samplers of time. */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { inputNamed } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  stringSetting,
  withoutEffect,
} from '../../../verify/target.ts'
import { noiseSchedules } from '../config.ts'
import { approxStandardNormalCdf, discretizedGaussianLogLikelihood, normalKl } from '../likelihood.ts'
import { priorBpd, trainingLosses } from '../losses.ts'
import {
  type DiffusionTables,
  diffusionTables,
  fixedLargeVariance,
  namedBetaSchedule,
  respacedBetas,
  spaceTimesteps,
} from '../schedule.ts'
import { timestepEmbedding } from '../timestep-embedding.ts'
import { drawTimes, LossSecondMomentResampler, type TimeSampler, UniformSampler } from '../training/time-samplers.ts'
import { diffusionOf, evaluated, type Found, floats, integers, nestedList, spacingSetting } from './case.ts'

const keyOf = (settings: Settings): string => stringSetting(settings, 'key')

/** The tables of a process, and those that only some variances need. */
function tableEntries(key: string, tables: DiffusionTables): [string, NDArray][] {
  const large = fixedLargeVariance(tables)
  const all = {
    ...tables,
    fixed_large_variance: large,
    fixed_large_log_variance: large.map(Math.log),
    learned_range_max_log: tables.betas.map(Math.log),
  }
  return Object.entries(all).map(([name, values]) => [`output/${key}/${name}`, floats(values)])
}

function betasOf(settings: Settings, scheduleName: string, stepsName: string): number[] {
  return namedBetaSchedule(choiceSetting(settings, scheduleName, noiseSchedules), numberSetting(settings, stepsName))
}

async function runSchedules({ config }: ReferenceCase): Found {
  fixedSetting(config, 'cosine_s', 0.008)
  fixedSetting(config, 'max_beta', 0.999)
  const tables = new Map(
    [...nestedList(config, 'tables'), ...nestedList(config, 'betas_only')].flatMap((settings) => {
      const betas = betasOf(settings, 'schedule_name', 'num_diffusion_timesteps')
      return tableEntries(keyOf(settings), diffusionTables(betas))
    }),
  )
  const names = config.table_names
  if (!Array.isArray(names)) throw new FormatError('setting "table_names" must be a list of names')
  const key = keyOf(nestedList(config, 'tables')[0] ?? {})
  const unknown = names.find((name) => !tables.has(`output/${key}/${name}`))
  if (unknown !== undefined) throw new FormatError(`there is no table "${unknown}"`)
  return tables
}

async function runRespacing({ config }: ReferenceCase): Found {
  const kept = nestedList(config, 'space_timesteps').map((settings): [string, NDArray] => {
    const times = spaceTimesteps(numberSetting(settings, 'num_timesteps'), spacingSetting(settings, 'section_counts'))
    return [`output/${keyOf(settings)}/timesteps`, integers(times)]
  })
  const spaced = nestedList(config, 'spaced_diffusion').flatMap((settings): [string, NDArray][] => {
    const steps = numberSetting(settings, 'diffusion_steps')
    const times = spaceTimesteps(steps, spacingSetting(settings, 'timestep_respacing'))
    const betas = respacedBetas(betasOf(settings, 'noise_schedule', 'diffusion_steps'), times)
    const key = keyOf(settings)
    return [[`output/${key}/timestep_map`, integers(times)], ...tableEntries(key, diffusionTables(betas))]
  })
  for (const settings of config.errors === undefined ? [] : nestedList(config, 'errors')) {
    fixedSetting(settings, 'raises', 'ValueError')
    const steps = numberSetting(settings, 'num_timesteps')
    const counts = spacingSetting(settings, 'section_counts')
    if (!refuses(() => spaceTimesteps(steps, counts)))
      throw new FormatError(`${steps} steps spaced as ${JSON.stringify(counts)} must be refused`)
  }
  return new Map([...kept, ...spaced])
}

function refuses(body: () => unknown): boolean {
  try {
    body()
    return false
  } catch (error) {
    if (error instanceof UsageError) return true
    throw error
  }
}

async function runForward(reference: ReferenceCase): Found {
  const diffusion = diffusionOf(reference, {})
  return evaluated(reference, (inputs) => {
    const [xStart, noise, x, xPrevious, eps, t] = ['x_start', 'noise', 'x_t', 'xprev', 'eps', 't'].map((name) =>
      inputNamed(inputs, name),
    ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
    const whole = (value: Tensor): Tensor => ops.broadcastTo(value, xStart.shape)
    const q = diffusion.qMeanVariance(xStart, t)
    const posterior = diffusion.qPosterior(xStart, x, t)
    return {
      'output/q_mean': q.mean,
      'output/q_variance': whole(q.variance),
      'output/q_log_variance': whole(q.logVariance),
      'output/q_sample': diffusion.qSample(xStart, t, noise),
      'output/posterior_mean': posterior.mean,
      'output/posterior_variance': whole(posterior.variance),
      'output/posterior_log_variance_clipped': whole(posterior.logVariance),
      'output/xstart_from_eps': diffusion.xstartFromEps(x, t, eps),
      'output/xstart_from_xprev': diffusion.xstartFromXprev(x, t, xPrevious),
      'output/eps_from_xstart': diffusion.epsFromXstart(x, t, xStart),
      'output/prior_bpd': priorBpd(diffusion, xStart),
    }
  })
}

/** A function of the predicted picture, written like "0.5*x+0.1" or "-x". */
function denoisedFn(settings: Settings): ((x: Tensor) => Tensor) | undefined {
  const text = settings.denoised_fn ?? undefined
  if (text === undefined) return undefined
  const [found, factor, minus, sign, shift = 0] =
    /^(?:([-\d.]+)\*|(-?))x(?:([-+])([\d.]+))?$/.exec(String(text).replaceAll(' ', '')) ?? []
  if (found === undefined) throw new FormatError(`setting "denoised_fn" must be like "0.5*x+0.1", found "${text}"`)
  return (x) => ops.add(ops.mul(x, Number(factor ?? `${minus}1`)), Number(shift) * (sign === '-' ? -1 : 1))
}

async function runPrediction(reference: ReferenceCase): Found {
  const variants = nestedList(reference.config, 'variants')
  return evaluated(reference, (inputs) => {
    const [x, given, t] = [inputNamed(inputs, 'x'), inputNamed(inputs, 'model_output'), inputNamed(inputs, 't')]
    const outputs = variants.flatMap((settings): [string, Tensor][] => {
      const diffusion = diffusionOf(reference, settings)
      const stub = diffusion.learnsVariance ? given : ops.slice(given, [0, sizeOf(x.shape, 1)], 1)
      const fn = denoisedFn(settings)
      const { mean, variance, logVariance, predXstart } = diffusion.pMeanVariance(() => stub, x, t, {
        clipDenoised: booleanSetting(settings, 'clip_denoised', true),
        ...(fn && { denoisedFn: fn }),
      })
      const shown = (value: Tensor): Tensor => (diffusion.learnsVariance ? value : ops.reshape(value, [-1]))
      const key = `output/${keyOf(settings)}`
      return [
        ['output/model_timesteps', diffusion.modelTimesteps(t)],
        [`${key}/mean`, mean],
        [`${key}/variance`, shown(variance)],
        [`${key}/log_variance`, shown(logVariance)],
        [`${key}/pred_xstart`, predXstart],
      ]
    })
    return Object.fromEntries(outputs)
  })
}

async function runLosses(reference: ReferenceCase): Found {
  const variants = nestedList(reference.config, 'variants')
  return evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const outputs = variants.flatMap((settings): [string, Tensor][] => {
      const diffusion = diffusionOf(reference, settings)
      const mean = input(`model_mean.${diffusion.meanType}`)
      const output = diffusion.learnsVariance ? ops.concat([mean, input(`model_var.${diffusion.varType}`)], 1) : mean
      const { loss, mse, vb } = trainingLosses(diffusion, () => output, input('x_start'), input('t'), input('noise'))
      const [found] = gradient(ops.sum(ops.mul(loss, input('cotangent'))), [output])
      const key = keyOf(settings)
      return [
        [`output/${key}/loss`, loss],
        ...(mse ? [[`output/${key}/mse`, mse] as [string, Tensor]] : []),
        ...(vb ? [[`output/${key}/vb`, vb] as [string, Tensor]] : []),
        [`grad_input/${key}/model_output`, found],
      ]
    })
    return Object.fromEntries(outputs)
  })
}

async function runLikelihood(reference: ReferenceCase): Found {
  const { config } = reference
  fixedSetting(config, 'bin_half_width', '1/255')
  fixedSetting(config, 'edge_low', -0.999)
  fixedSetting(config, 'edge_high', 0.999)
  fixedSetting(config, 'clamp_min', 1e-12)
  return evaluated(reference, (inputs) => {
    const input = (name: string): Tensor => inputNamed(inputs, name)
    const [means, scales] = [input('means'), input('log_scales')]
    const logProbabilities = discretizedGaussianLogLikelihood(input('x'), means, scales)
    const [ofMeans, ofScales] = gradient(ops.sum(ops.mul(logProbabilities, input('cotangent'))), [means, scales])
    const [mean1, logvar1] = [input('mean1'), input('logvar1')]
    return {
      'output/log_probs': logProbabilities,
      'output/normal_kl': normalKl(mean1, logvar1, input('mean2'), input('logvar2')),
      'output/normal_kl_standard': normalKl(mean1, logvar1, 0, 0),
      'output/approx_standard_normal_cdf': approxStandardNormalCdf(input('cdf_x')),
      'grad_input/means': ofMeans,
      'grad_input/log_scales': ofScales,
    }
  })
}

async function runTimeSamplers({ config, tensors }: ReferenceCase): Found {
  withoutEffect(nestedSettings(config, 'official_defaults'), 'history_per_term', 'uniform_prob')
  const steps = numberSetting(config, 'num_timesteps')
  const resampler = new LossSecondMomentResampler(steps, {
    historyPerTerm: numberSetting(config, 'history_per_term', 10),
    uniformProb: numberSetting(config, 'uniform_prob', 0.001),
  })
  const [times, losses] = ['ts', 'losses'].map((name) => requiredTensor(tensors, `input/${name}`)) as [NDArray, NDArray]
  const [calls, size] = [sizeOf(times.shape, 0), sizeOf(times.shape, 1)]
  const [allTimes, allLosses] = [toNumbers(times.data), toNumbers(losses.data)]
  const after = Array.from({ length: calls }, (_, k) => {
    resampler.update(allTimes.slice(k * size, (k + 1) * size), allLosses.slice(k * size, (k + 1) * size))
    return { weights: resampler.weights(), counts: resampler.history.map(({ length }) => length) }
  })
  const uniforms = toNumbers(requiredTensor(tensors, 'input/uniforms').data)
  const drawn = (name: string, sampler: TimeSampler): [string, NDArray][] => {
    const found = drawTimes(sampler, uniforms)
    return [
      [`output/${name}/indices`, integers(found.times)],
      [`output/${name}/weights`, floats(found.weights)],
    ]
  }
  const history = numberSetting(config, 'history_per_term', 10)
  const padded = resampler.history.flatMap((known) => [...known, ...new Array<number>(history - known.length).fill(0)])
  return new Map([
    [
      'output/weights_after',
      floats(
        after.flatMap(({ weights }) => weights),
        [calls, steps],
      ),
    ],
    [
      'output/loss_counts_after',
      integers(
        after.flatMap(({ counts }) => counts),
        [calls, steps],
      ),
    ],
    ['output/loss_history_final', floats(padded, [steps, history])],
    ...drawn('uniform', new UniformSampler(steps)),
    ...drawn('loss_second_moment', resampler),
  ])
}

async function runEmbedding({ config, tensors }: ReferenceCase): Found {
  const entries = nestedList(config, 'items').map(async (settings) => {
    const key = keyOf(settings)
    const times = tensor(requiredTensor(tensors, `input/${key}/timesteps`))
    const found = timestepEmbedding(
      times,
      numberSetting(settings, 'dim'),
      numberSetting(settings, 'max_period', 10_000),
    )
    return [`output/${key}/embedding`, floats(await found.numbers(), found.shape)] as const
  })
  return new Map(await Promise.all(entries))
}

export const mathematicsTargets: readonly CaseTargetRule[] = [
  { target: /^get_named_beta_schedule/, run: runSchedules },
  { target: /^space_timesteps/, run: runRespacing },
  { target: /^GaussianDiffusion\.q_mean_variance/, run: runForward },
  { target: 'GaussianDiffusion.p_mean_variance', run: runPrediction },
  { target: 'GaussianDiffusion.training_losses', run: runLosses },
  { target: /^losses\.normal_kl/, run: runLikelihood },
  { target: /^UniformSampler/, run: runTimeSamplers },
  { target: 'nn.timestep_embedding', run: runEmbedding },
]
