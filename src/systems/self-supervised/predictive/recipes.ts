/** The recipes of learners of single pictures: autoencoders, GAN, energies. They differ in `model` and in the optimizer. */
import { z } from 'zod'
import type { MetricDescriptions, Use } from '../../../tasks/define.ts'
import type { BuildOptions } from '../../../tasks/experiment.ts'
import { openPictures, pictureDataSettings, picturePackages } from '../../../tasks/pictures/choose.ts'
import { type PictureFacts, pictureFacts } from '../../../tasks/pictures/facts.ts'
import { evaluateShots } from '../../../tasks/pictures/few-shot-evaluation.ts'
import { type OptimizerDefaults, optimizerSettings, trainSettings } from '../../../tasks/settings.ts'
import { share, whole } from '../../../train/settings.ts'
import { defineRecipe, type Recipe } from '../../define.ts'
import { fineTuneWithLabels } from '../evaluation/fine-tuning.ts'
import { nearestPictures } from '../evaluation/nearest.ts'
import { linearProbe } from '../evaluation/probe.ts'
import { voteMetrics } from '../evaluation/vote.ts'
import { probeSettings } from '../settings.ts'
import { type ViewFamily, viewFamilies } from '../views.ts'
import { type GANConfig, games, PictureGAN, penalties } from './adversarial.ts'
import { PictureDenoiser, PictureMAE, PictureVAE } from './autoencoders.ts'
import { type EnergyModelConfig, PictureEnergy } from './energy-model.ts'
import { type LearnerExperiment, learnerExperiment } from './experiment.ts'
import type { PictureLearner } from './model.ts'
import { reconstructPictures, sampleLearner } from './uses.ts'

interface LearnerRecipe<Shape extends z.ZodRawShape> {
  readonly name: string
  readonly title: string
  readonly model: z.ZodObject<Shape, z.core.$strict>
  readonly optimizer?: Partial<OptimizerDefaults>
  readonly epochs: number
  readonly batch_size?: number
  /** Whether it learns from the labels. Default: false. */
  readonly needsClasses?: boolean
  readonly metrics: MetricDescriptions
  readonly uses: Readonly<Record<string, Use<LearnerExperiment>>>
  readonly make: (model: z.output<z.ZodObject<Shape, z.core.$strict>>, facts: PictureFacts) => PictureLearner
}

const families = Object.keys(viewFamilies) as [ViewFamily, ...ViewFamily[]]

/** A recipe of single pictures: all but the model is the same. */
function learnerRecipe<Shape extends z.ZodRawShape>({
  name,
  title,
  model,
  optimizer = {},
  epochs,
  batch_size = 128,
  needsClasses = false,
  metrics: own,
  uses,
  make,
}: LearnerRecipe<Shape>): Recipe {
  const metrics: MetricDescriptions = { ...voteMetrics, ...own }
  const config = z.strictObject({
    data: pictureDataSettings({ folder: 'mnist', mayLackClasses: !needsClasses }).prefault({}),
    views: z
      .strictObject({
        family: z
          .enum(families)
          .default('none')
          .describe(`random changes of training pictures: ${families.join(', ')}`),
      })
      .prefault({}),
    // Every setting of a model has a default.
    model: model.prefault({} as never),
    probe: probeSettings().prefault({}),
    optimizer: optimizerSettings({ lr: 1e-3, weight_decay: 0, clip_norm: 0, ...optimizer })
      .omit({ ema_decay: true })
      .prefault({}),
    train: trainSettings({ epochs, batch_size, monitor: ['knn_accuracy', ...Object.keys(own)] }).prefault({}),
  })
  type Config = z.output<typeof config>
  return defineRecipe({
    name,
    summary: `${title}, on MNIST or any pictures (--set data.folder=DIR, =cifar10)`,
    facts: pictureFacts,
    metrics,
    config: config as unknown as z.ZodType<Config & Record<string, unknown>>,
    packages: ({ data }) => picturePackages(data),
    open: ({ data }, { known }) => openPictures(data, {}, known, { mayLackClasses: !needsClasses }),
    build: (
      settings: Config & Record<string, unknown>,
      facts: PictureFacts,
      options: BuildOptions,
    ): LearnerExperiment => {
      const chosen = settings.model as z.output<z.ZodObject<Shape, z.core.$strict>>
      return learnerExperiment(() => make(chosen, facts), settings, facts, metrics, options)
    },
    uses: {
      ...uses,
      probe: linearProbe,
      finetune: fineTuneWithLabels,
      nearest: nearestPictures,
      fewshot: evaluateShots,
    },
  })
}

const least = { goal: 'min' } as const
const nats = { goal: 'min', unit: 'nats' } as const
const amount = z.number().min(0)
const positive = z.number().positive()

const denoisingAutoencoder = learnerRecipe({
  name: 'denoising-autoencoder',
  title: 'Denoising autoencoder',
  model: z.strictObject({
    hidden: whole.default(512).describe('width of the code'),
    corruption: z.enum(['gaussian', 'mask']).default('mask').describe('noise, or pixels set to black'),
    mask_share: share.default(0.4).describe('of mask: share of the pixels that are hidden'),
    sigma: positive.default(0.5).describe('of gaussian: standard deviation of the noise, of pixels from 0 to 1'),
    tied_weights: z.boolean().default(true).describe("whether the decoder's matrix is the encoder's transposed"),
  }),
  epochs: 10,
  metrics: { loss: least },
  uses: { reconstruct: reconstructPictures },
  make: (model, facts) => new PictureDenoiser(model, facts),
})

const mae = learnerRecipe({
  name: 'mae',
  title: 'Masked autoencoder (MAE) with a ViT',
  model: z.strictObject({
    patch_size: whole.default(4).describe('side of a patch in pixels'),
    embed_dim: whole.default(96).describe('width of the encoder, a multiple of 4'),
    depth: whole.default(4).describe('its blocks'),
    num_heads: whole.default(4).describe('its heads'),
    decoder_embed_dim: whole.default(64).describe('width of the decoder, a multiple of 4'),
    decoder_depth: whole.default(1).describe('its blocks'),
    decoder_num_heads: whole.default(4).describe('its heads'),
    mlp_ratio: positive.default(2).describe('hidden width of the MLPs over the width'),
    norm_pix_loss: z.boolean().default(false).describe('compare patches that are standardised one by one'),
    mask_ratio: z.number().gt(0).lt(1).default(0.75).describe('share of the patches that are hidden'),
  }),
  optimizer: { lr: 2e-3, warmup_share: 0.05, weight_decay: 0.05, decayed: 'matrices', betas: [0.9, 0.95] },
  epochs: 8,
  metrics: { loss: least },
  uses: { reconstruct: reconstructPictures },
  make: (model, facts) => new PictureMAE(model, facts),
})

const vae = learnerRecipe({
  name: 'vae',
  title: 'Variational autoencoder',
  model: z.strictObject({
    hidden: whole.default(400).describe('width of the hidden layers'),
    z_dim: whole.default(20).describe('latent variables'),
    likelihood: z
      .enum(['bernoulli', 'gaussian', 'gaussian_learned'])
      .default('bernoulli')
      .describe('of a pixel: bernoulli, gaussian of width sigma_x, or of a width that the decoder says'),
    beta: amount.default(1).describe('weight of the KL divergence: what limits z'),
    sigma_x: positive.default(0.3).describe('of gaussian: its standard deviation, of pixels from 0 to 1'),
  }),
  epochs: 15,
  metrics: { loss: nats, kl: nats, iwae: { goal: 'max', unit: 'nats' } },
  uses: { sample: sampleLearner, reconstruct: reconstructPictures },
  make: (model, facts) => new PictureVAE(model, facts),
})

const energyMetrics = { energy_real: least, energy_drawn: { goal: 'max' }, loss: least } as const

const gan = learnerRecipe({
  name: 'gan',
  title: 'Generative adversarial network',
  model: z.strictObject({
    game: z
      .enum(Object.keys(games) as [keyof typeof games, ...(keyof typeof games)[]])
      .default('nonsaturating')
      .describe('the losses of critic and generator'),
    penalty: z
      .enum(penalties)
      .default('r1')
      .describe("of the critic's slope: at data (r1), or between data and generated pictures (gradient, WGAN-GP)"),
    penalty_weight: amount.default(1).describe('gamma of r1, lambda of gradient (published: 10 both)'),
    z_dim: whole.default(64).describe('numbers that a picture is made of'),
    generator_width: whole.default(32).describe("channels of the generator's last hidden layer"),
    critic_width: whole.default(32).describe("channels of the critic's first convolution"),
    hidden: whole.default(128).describe("width of the critic's hidden layer, the representation"),
    critic_steps: whole.default(1).describe('updates of the critic in a step (WGAN: 5)'),
  }),
  optimizer: { name: 'adam', lr: 5e-4, betas: [0.5, 0.999], schedule: 'constant' },
  epochs: 5,
  metrics: { ...energyMetrics, generator_loss: least, penalty: least },
  uses: { sample: sampleLearner },
  make: (model: GANConfig, facts) => new PictureGAN(model, facts),
})

const energyShape = {
  width: whole.default(24).describe('channels of the first convolution'),
  hidden: whole.default(128).describe('width of the hidden layer, the representation'),
  sgld_lr: positive
    .default(30)
    .describe('step size of Langevin dynamics (JEM: 1; with that the chains do not keep up with so short a training)'),
  sgld_std: amount.default(0.01).describe('and its noise'),
  n_steps: whole.default(20).describe('Langevin steps of each training step'),
  buffer_size: whole.default(2000).describe('chains that go on from step to step'),
  reinit_freq: share.default(0.05).describe('share of them that begin anew'),
  sigma: amount.default(0.03).describe('standard deviation of the noise on data'),
  alpha_l2: amount.default(0.1).describe('weight of the squared energies'),
} as const

const energyOptimizer = { name: 'adam', lr: 3e-4, betas: [0, 0.999], warmup_share: 0.02, clip_norm: 1 } as const

const energy = learnerRecipe({
  name: 'energy',
  title: 'Energy-based model by contrastive divergence',
  model: z.strictObject(energyShape),
  optimizer: energyOptimizer,
  epochs: 1,
  batch_size: 64,
  metrics: { ...energyMetrics, energy_noise: { goal: 'max' } },
  uses: { sample: sampleLearner },
  make: (model, facts) => new PictureEnergy({ ...model, p_y_given_x_weight: 0 } as EnergyModelConfig, facts),
})

const jem = learnerRecipe({
  name: 'jem',
  title: 'JEM, a classifier that is an energy-based model (it learns from the labels)',
  needsClasses: true,
  model: z.strictObject({
    ...energyShape,
    p_y_given_x_weight: amount.default(1).describe('weight of the cross-entropy of the classes'),
  }),
  optimizer: energyOptimizer,
  epochs: 1,
  batch_size: 64,
  metrics: {
    ...energyMetrics,
    energy_noise: { goal: 'max' },
    accuracy: { goal: 'max', unit: 'percent' },
    cross_entropy: least,
  },
  uses: { sample: sampleLearner },
  make: (model, facts) => new PictureEnergy(model as EnergyModelConfig, facts, facts.labels.length),
})

export const learnerRecipes = [denoisingAutoencoder, mae, vae, gan, energy, jem]
