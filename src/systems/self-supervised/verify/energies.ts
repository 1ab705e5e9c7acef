/** Reference cases of energies: losses, sampling, score matching, latent variables, GANs. */
import { compile } from '../../../compile/compile.ts'
import { init, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { inputNamed, type NamedTensors } from '../../../verify/model-case.ts'
import {
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  inputArrays,
  inputsRead,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  type Settings,
  tensorsBelow,
} from '../../../verify/target.ts'
import { type EnergyActivation, PointNetwork } from '../energies/energy.ts'
import { langevin } from '../energies/inference.ts'
import { DiscreteLatent, freeEnergy, posterior, SparseCoding, zeroTemperature } from '../energies/latent.ts'
import { energyLosses, noiseContrastiveLoss } from '../energies/losses.ts'
import {
  annealedScoreLoss,
  denoisingEnergyLoss,
  denoisingScoreLoss,
  scoreOf,
  slicedScoreLoss,
} from '../energies/score-matching.ts'
import { criticLosses, generatorLosses, gradientPenalty, r1Penalty } from '../methods/gan.ts'
import { loadOfficial } from '../official.ts'
import { entriesOf, type Found, inputArray, lossGradients } from './support.ts'

const activations = ['softplus', 'tanh', 'relu', 'leaky_relu', 'elu', 'silu', 'gelu', 'sigmoid'] as const

const activationOf = (settings: Settings): EnergyActivation =>
  choiceSetting(settings, 'activation', activations, 'softplus')

/** Runs a function of the inputs; -> its outputs and gradients under the case's names. */
async function runLosses(
  reference: ReferenceCase,
  compute: (inputs: NamedTensors) => { readonly outputs: NamedTensors; readonly gradients?: NamedTensors },
): Found {
  const run = compile((given: Record<string, Tensor>) => {
    const { outputs, gradients = {} } = compute(inputsRead(reference, given))
    return { outputs, gradients }
  })
  const { outputs, gradients } = await run(inputArrays(reference))
  await run.release()
  return new Map([...entriesOf('output/', outputs), ...entriesOf('grad/', gradients)])
}

/** An energy of points, and the logarithm of its partition function as noise-contrastive estimation learns it. */
class NormalizedEnergy extends PointNetwork {
  readonly log_z: Variable = init.parameter([1], init.zeros)
}

async function runEnergyLosses(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new NormalizedEnergy(
    [numberSetting(config, 'd'), numberSetting(config, 'hidden'), 1],
    activationOf(config),
  )
  const options = {
    margin: numberSetting(config, 'margin'),
    beta: numberSetting(config, 'beta'),
    alpha_l2: numberSetting(config, 'alpha_l2'),
  }
  const { shape } = inputArray(reference, 'y_neg')
  fixedSetting(config, 'batch', shape[0])
  fixedSetting(config, 'negatives', shape[1])
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  return runLosses(reference, (inputs) => {
    const [positive, negative] = [inputNamed(inputs, 'y_pos'), inputNamed(inputs, 'y_neg')].map((y) =>
      model.energy(y),
    ) as [Tensor, Tensor]
    const nce = noiseContrastiveLoss(positive, negative, {
      logNoisePositive: inputNamed(inputs, 'logq_pos'),
      logNoiseNegative: inputNamed(inputs, 'logq_neg'),
      logZ: model.log_z.value,
    })
    const byName = Object.entries(energyLosses).map(
      ([name, { loss }]) => [name, loss(positive, negative, options)] as const,
    )
    const losses: NamedTensors = { ...Object.fromEntries(byName), nce }
    return { outputs: { e_pos: positive, e_neg: negative, ...losses }, gradients: lossGradients(losses, model) }
  })
}

async function runLangevin(reference: ReferenceCase): Found {
  const { config } = reference
  const hidden = numberSetting(config, 'hidden')
  const model = new PointNetwork([numberSetting(config, 'd'), hidden, hidden, 1], activationOf(config))
  const options = { sgld_lr: numberSetting(config, 'sgld_lr'), sgld_std: numberSetting(config, 'sgld_std') }
  const steps = numberSetting(config, 'n_steps')
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  // The network gives f = -energy.
  const energy = (x: Tensor): Tensor => ops.neg(model.energy(x))
  return runLosses(reference, (inputs) => {
    const noise = inputNamed(inputs, 'noise') // [steps, N, D]
    const draws = Array.from({ length: steps }, (_, k) => ops.select(noise, k, 0))
    const trajectory = langevin(energy, inputNamed(inputs, 'x0'), draws, options)
    const samples = trajectory.at(-1) ?? inputNamed(inputs, 'x0')
    return { outputs: { samples, trajectory: ops.stack(trajectory), f_final: model.energy(samples) } }
  })
}

/** l2(tanh(l1 x + embedding of the noise level)). */
class ScoreNetwork extends PointNetwork {
  readonly emb: { readonly weight: Variable }

  constructor(width: number, hidden: number, levels: number) {
    super([width, hidden, width], 'tanh')
    this.emb = { weight: init.parameter([levels, hidden], init.zeros) }
  }

  /** x [N, D], levels int [N]. */
  conditioned(x: Tensor, levels: Tensor): Tensor {
    const hidden = ops.add(this.l1?.forward(x) ?? x, ops.embedding(levels, this.emb.weight))
    return this.l2?.forward(ops.tanh(hidden)) ?? hidden
  }
}

/** The two networks of the cases. */
class ScoreNetworks extends Module {
  readonly energy: PointNetwork
  readonly score: ScoreNetwork

  constructor(energy: PointNetwork, score: ScoreNetwork) {
    super()
    this.energy = energy
    this.score = score
  }

  forward(x: Tensor): Tensor {
    return this.score.forward(x)
  }
}

async function runScoreMatching(reference: ReferenceCase): Found {
  const { config } = reference
  const [d, hidden] = [numberSetting(config, 'd'), numberSetting(config, 'hidden')]
  const sigmas = numbersSetting(config, 'sigmas')
  const sigma = numberSetting(config, 'sigma')
  const power = numberSetting(config, 'anneal_power', 2)
  choiceSetting(config, 'sliced_noise', ['radermacher', 'gaussian', 'sphere'], 'radermacher') // the directions are given
  const model = new ScoreNetworks(
    new PointNetwork([d, hidden, hidden, 1], activationOf(config)),
    new ScoreNetwork(d, hidden, sigmas.length),
  )
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const energy = (x: Tensor): Tensor => model.energy.energy(x)
  return runLosses(reference, (inputs) => {
    const [x, noise, labels] = [inputNamed(inputs, 'x'), inputNamed(inputs, 'noise'), inputNamed(inputs, 'labels')]
    const table = ops.reshape(tensor([...sigmas]), [sigmas.length, 1])
    const levels = ops.embedding(labels, table) // [N, 1]
    const ofEnergy = {
      dsm_energy: denoisingEnergyLoss(energy, x, noise, sigma),
      ssm: slicedScoreLoss(energy, x, inputNamed(inputs, 'v')),
    }
    const ofScore = {
      dsm_score: denoisingScoreLoss((u) => model.score.forward(u), x, noise, sigma),
      anneal_dsm: annealedScoreLoss((u) => model.score.conditioned(u, labels), x, noise, levels, power),
    }
    return {
      outputs: { ...ofEnergy, ...ofScore, score: scoreOf(energy)(x) },
      gradients: { ...lossGradients(ofEnergy, model.energy), ...lossGradients(ofScore, model.score) },
    }
  })
}

/** Both latent-variable energies of the cases under their names. */
class LatentEnergies extends DiscreteLatent {
  readonly D: Variable
  readonly #sparse: SparseCoding

  constructor(sizes: ConstructorParameters<typeof DiscreteLatent>[0], sparse: SparseCoding) {
    super(sizes)
    this.D = sparse.D
    this.#sparse = sparse
  }

  code(y: Tensor): { readonly z: Tensor; readonly energy: Tensor } {
    const z = this.#sparse.infer(y)
    return { z, energy: this.#sparse.energy(y, z) }
  }
}

async function runLatent(reference: ReferenceCase): Found {
  const { config } = reference
  const y_dim = numberSetting(config, 'y_dim')
  const beta = numberSetting(config, 'beta')
  const sparse = new SparseCoding({
    y_dim,
    sparse_code_dim: numberSetting(config, 'sparse_code_dim'),
    lambda_l1: numberSetting(config, 'lambda_l1'),
    ista_iterations: numberSetting(config, 'ista_iterations'),
    ista_step: numberSetting(config, 'ista_step'),
  })
  const sizes = { x_dim: numberSetting(config, 'x_dim'), y_dim, latents: numberSetting(config, 'latents') }
  const model = new LatentEnergies(sizes, sparse)
  fixedSetting(config, 'batch', sizeOf(inputArray(reference, 'y').shape, 0))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  return runLosses(reference, (inputs) => {
    const y = inputNamed(inputs, 'y')
    const energy = model.forward(inputNamed(inputs, 'x'), y) // [N, K]
    const { place, energy: lowest } = zeroTemperature(energy)
    const free = freeEnergy(energy, beta)
    const { z, energy: sparseEnergy } = model.code(y)
    const losses = { zero_temperature: lowest, free_energy: free, sparse: sparseEnergy }
    const means = Object.fromEntries(Object.entries(losses).map(([name, each]) => [name, ops.mean(each)]))
    return {
      outputs: {
        energy,
        F_inf: lowest,
        z_star: place,
        F_beta: free,
        posterior: posterior(energy, beta),
        sparse_z: z,
        sparse_energy: sparseEnergy,
      },
      gradients: lossGradients(means, model),
    }
  })
}

/** Generator and critic. */
class Players extends Module {
  readonly G: PointNetwork
  readonly D: PointNetwork

  constructor(settings: Settings) {
    super()
    const [z, data, hidden] = [
      numberSetting(settings, 'z_dim'),
      numberSetting(settings, 'data_dim'),
      numberSetting(settings, 'hidden'),
    ]
    const activation = activationOf(settings)
    this.G = new PointNetwork([z, hidden, hidden, data], activation)
    this.D = new PointNetwork([data, hidden, hidden, 1], activation)
  }

  forward(z: Tensor): Tensor {
    return this.G.forward(z)
  }
}

/** Names of gradients of one of the players. */
const below = (player: string, gradients: NamedTensors): NamedTensors =>
  Object.fromEntries(
    Object.entries(gradients).map(([name, value]) => {
      const [loss = '', ...parameter] = name.split('.')
      return [[loss, player, ...parameter].join('.'), value]
    }),
  )

async function runGAN(reference: ReferenceCase): Found {
  const { config } = reference
  const model = new Players(config)
  const [lambda, gamma] = [numberSetting(config, 'LAMBDA', 10), numberSetting(config, 'r1_gamma', 10)]
  fixedSetting(config, 'batch', sizeOf(inputArray(reference, 'real').shape, 0))
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const critic = (x: Tensor): Tensor => model.D.forward(x)
  return runLosses(reference, (inputs) => {
    const real = inputNamed(inputs, 'real')
    const fake = model.G.forward(inputNamed(inputs, 'z'))
    const detached = ops.stopGradient(fake)
    const [onReal, onFake, onDetached] = [critic(real), critic(fake), critic(detached)]
    const prefixed = (prefix: string, losses: Readonly<Record<string, Tensor>>): NamedTensors =>
      Object.fromEntries(Object.entries(losses).map(([name, value]) => [`${prefix}_${name}`, value]))
    const ofCritic = {
      ...prefixed(
        'd',
        Object.fromEntries(Object.entries(criticLosses).map(([name, loss]) => [name, loss(onReal, onDetached)])),
      ),
      gradient_penalty: gradientPenalty(critic, real, detached, inputNamed(inputs, 'alpha'), lambda),
      r1: r1Penalty(critic, real, gamma),
    }
    const ofGenerator = prefixed(
      'g',
      Object.fromEntries(Object.entries(generatorLosses).map(([name, loss]) => [name, loss(onFake)])),
    )
    return {
      outputs: { fake, D_real: onReal, D_fake: onFake, ...ofCritic, ...ofGenerator },
      gradients: {
        ...below('D', lossGradients(ofCritic, model.D)),
        ...below('G', lossGradients(ofGenerator, model.G)),
      },
    }
  })
}

export const energyTargets: readonly CaseTargetRule[] = [
  { target: 'energy-based training losses', run: runEnergyLosses },
  { target: /^SGLD sampler/, run: runLangevin },
  { target: /score matching losses$/, run: runScoreMatching },
  { target: /^latent-variable energies/, run: runLatent },
  { target: 'GAN losses', run: runGAN },
]
