/** What a denoiser shows of its steps: pictures on the way back, the two schedules, the weights of the bound, the learned variance. */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, LinePlot, Picture, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { threadOptions } from '../../tasks/experiment.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { OpenedPictures } from '../../tasks/pictures/open.ts'
import { elementCount, fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import { conditioned } from './conditions.ts'
import type { DenoiserExperiment } from './denoiser.ts'
import { GaussianDiffusion } from './gaussian-diffusion.ts'
import { snapshotSampler } from './sample/snapshot.ts'
import { type DiffusionTables, diffusionTables, namedBetaSchedule } from './schedule.ts'
import { processConfig } from './settings.ts'

/** Pictures of the way back. */
const shown = 8
/** Times at which the variance is looked at. */
const looked = 24

const int64 = (values: readonly number[]): Tensor => constant(fromNumbers('int64', values), [values.length], 'int64')

/** Places from 0 to last, evenly spread. */
const spread = (count: number, last: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.round((i * last) / (count - 1)))

/** One picture on its way from noise, and what the network expects at each place of the way. */
async function wayBack(experiment: DenoiserExperiment): Promise<Figure> {
  const { model, facts, diffusion: settings, threads } = experiment
  const sampler = snapshotSampler(experiment, 1, { seed: 0, ...(threads !== undefined && { threads }) })
  const { diffusion } = sampler
  const states = new Map<number, Float32Array>()
  await sampler.sample({ labels: [0], seed: 0, onPictures: (step, _, pictures) => void states.set(step, pictures) })
  await sampler.release()
  const steps = spread(shown, diffusion.steps)
  const shape = [facts.in_channels, ...facts.image_size]
  const x = new Float32Array(shown * elementCount(shape))
  for (const [i, step] of steps.entries()) x.set(states.get(step) ?? new Float32Array(0), i * elementCount(shape))
  const expects = compile((pictures: Tensor, t: Tensor, labels: Tensor) =>
    ops.clamp(diffusion.pMeanVariance(conditioned(model)({ labels }), pictures, t).predXstart, -1, 1),
  )
  const times = steps.map((step) => Math.max(0, diffusion.steps - 1 - step))
  const given = constant(x, [shown, ...shape], 'float32')
  const expected = (await expects(given, int64(times), int64(steps.map(() => 0)))).array
  await expects.release()
  const captioned = (array: NDArray, caption: (i: number) => string): Picture[] =>
    picturesOf(array).map((picture, i) => ({ ...picture, caption: caption(i) }))
  const originalTime = (i: number): number => diffusion.timestepMap[times[i] ?? 0] ?? 0
  return {
    kind: 'pictures',
    title: 'A picture on its way back',
    caption: `Class ${facts.labels[0] ?? ''}: first the noisy pictures, then what the network expects the picture to be at each of them; ${diffusion.steps} of ${settings.diffusion_steps} steps.`,
    pictures: [
      ...captioned({ dtype: 'float32', shape: [shown, ...shape], data: x }, (i) =>
        steps[i] === diffusion.steps ? 'done' : `t = ${originalTime(i)}`,
      ),
      ...captioned(expected, () => 'expected'),
    ],
    size: 84,
  }
}

/** Where between its bounds the network puts the variance, on average over test pictures. */
async function learnedVariance({ model, diffusion: settings, threads }: DenoiserExperiment, { test }: OpenedPictures) {
  const diffusion = new GaussianDiffusion(processConfig(settings))
  const rows = Array.from({ length: looked }, (_, i) => i % test.length)
  const { image, label } = await test.batch(rows, { epoch: 0, seed: 0 })
  const times = spread(looked, diffusion.steps - 1)
  const noise = constant(new Generator(0).normal(elementCount(image.shape)), image.shape, 'float32')
  const run = compile((pixels: Tensor, labels: Tensor, added: Tensor, t: Tensor) => {
    const x = diffusion.qSample(normalizePixels(pixels), t, added)
    const network = conditioned(model)({ labels: ops.cast(labels, 'int64') })
    const [low, high] = [diffusion.at('posterior_log_variance_clipped', t, x), ops.log(diffusion.at('betas', t, x))]
    const { logVariance } = diffusion.pMeanVariance(network, x, t)
    return ops.mean(ops.div(ops.sub(logVariance, low), ops.maximum(ops.sub(high, low), 1e-6)), [1, 2, 3])
  }, threadOptions({ threads }))
  model.eval()
  const found = toNumbers((await run(image, label, noise, int64(times))).array.data)
  await run.release()
  // At the ends the two bounds are the same variance.
  return times.map((t, i) => ({ x: t + 1, y: found[i] ?? Number.NaN })).slice(1)
}

/** The share of the picture that is left, by both schedules. */
function scheduleFigure(steps: number): LinePlot {
  const kept = (name: 'linear' | 'cosine'): { x: number; y: number }[] =>
    diffusionTables(namedBetaSchedule(name, steps)).alphas_cumprod.map((y, x) => ({ x, y }))
  return {
    kind: 'lines',
    title: 'Two schedules',
    caption:
      'abar, the share of the variance that is the picture. The linear one has used up the picture long before the end.',
    x: { label: 't' },
    y: { label: 'abar' },
    series: (['linear', 'cosine'] as const)
      .filter((name) => name === 'cosine' || steps > 20) // with fewer steps the linear one adds more than there is
      .map((name) => ({ name, points: kept(name) })),
  }
}

/** What a squared error of the noise weighs in the bound. */
function weightFigure({ betas, alphas_cumprod, posterior_variance }: DiffusionTables): LinePlot {
  const points = betas.map((beta, t) => {
    const [variance, kept] = [posterior_variance[Math.max(1, t)] ?? 1, 1 - (alphas_cumprod[t] ?? 0)]
    return { x: t + 1, y: beta ** 2 / (2 * variance * (1 - beta) * kept) }
  })
  return {
    kind: 'lines',
    title: 'What L_simple leaves out',
    caption:
      'The weight of a squared error of the noise in the bound (derivation, line 11); L_simple weighs all alike.',
    x: { label: 't + 1', log: true },
    y: { label: 'weight', log: true },
    series: [{ name: 'in the bound', points: points.slice(1) }],
  }
}

/** The variance of a step, between its bounds. */
function varianceFigure(
  { betas, posterior_variance }: DiffusionTables,
  learned: readonly { x: number; y: number }[],
): Figure[] {
  const bounds: LinePlot = {
    kind: 'lines',
    title: 'The bounds of the variance',
    caption:
      'The variance if the picture were known, as a share of beta: they differ near t = 0 only, where most bits lie.',
    x: { label: 't + 1', log: true },
    y: { label: 'share of beta' },
    series: [
      {
        name: 'posterior variance / beta',
        points: betas.map((beta, t) => ({ x: t + 1, y: (posterior_variance[t] ?? 0) / beta })),
      },
    ],
  }
  if (learned.length === 0) return [bounds]
  return [
    bounds,
    {
      kind: 'lines',
      title: 'The learned variance',
      caption: '0: as if the picture were known; 1: beta. The mean over the pixels of a test picture at each time.',
      x: { label: 't + 1', log: true },
      y: { label: 'v' },
      series: [{ name: 'learned', points: [...learned] }],
    },
  ]
}

/** The report's section on the steps of a denoiser. */
export async function explainSteps(experiment: DenoiserExperiment, data: OpenedPictures): Promise<Section> {
  const { diffusion } = experiment
  const { tables } = new GaussianDiffusion(processConfig(diffusion))
  const learned = diffusion.learn_sigma ? await learnedVariance(experiment, data) : []
  return {
    title: 'The way back',
    intro: 'Each step is a draw around what the network expects; its variance lies between two bounds.',
    figures: [
      await wayBack(experiment),
      scheduleFigure(diffusion.diffusion_steps),
      weightFigure(tables),
      ...varianceFigure(tables, learned),
    ],
  }
}
