/** The recipes: one for each method of joint embedding, on pictures without their labels. They differ in `method` and in the optimizer. */
import { z } from 'zod'
import { whole } from '../../train/settings.ts'
import { defineMethod } from './method-recipe.ts'
import { BarlowTwins } from './methods/barlow-twins.ts'
import { BYOL } from './methods/byol.ts'
import { DeepCluster } from './methods/deepcluster.ts'
import { DINO } from './methods/dino.ts'
import { MoCo } from './methods/moco.ts'
import { PIRL } from './methods/pirl.ts'
import { SimCLR } from './methods/simclr.ts'
import { SimSiam } from './methods/simsiam.ts'
import { SwAV } from './methods/swav.ts'
import { VICReg } from './methods/vicreg.ts'

const positive = z.number().positive()
const sharpness = (usual: number, description: string) => positive.default(usual).describe(description)
const width = (usual: number, description: string) => whole.default(usual).describe(description)

export const simclr = defineMethod({
  name: 'simclr',
  title: 'SimCLR',
  method: z.strictObject({
    temperature: sharpness(0.2, 'temperature of the similarities; the less, the harder the nearest negatives'),
    hidden_dim: width(128, "width of the projector's hidden layers"),
    proj_out_dim: width(64, 'width of the embedding'),
    num_proj_layers: width(2, 'layers of the projector'),
  }),
  make: ({ encoder, method }) => new SimCLR(encoder(), method),
})

export const moco = defineMethod({
  name: 'moco',
  title: 'MoCo',
  method: z.strictObject({
    dim: width(64, 'width of the embedding'),
    K: width(4096, 'keys in the queue, a multiple of the batch'),
    m: z.number().min(0).max(1).default(0.99).describe('share of the key encoder that stays at a step'),
    T: sharpness(0.2, 'temperature'),
    mlp: z.boolean().default(true).describe('a hidden layer in the head (v2)'),
  }),
  complaint: ({ K }, batch) =>
    K % batch === 0 ? undefined : `method.K must be a multiple of train.batch_size, found ${K} and ${batch}`,
  make: ({ encoder, method }) => new MoCo(encoder, method),
})

export const swav = defineMethod({
  name: 'swav',
  title: 'SwAV',
  method: z.strictObject({
    nmb_prototypes: width(100, 'prototypes'),
    hidden_mlp: width(128, "width of the projector's hidden layer"),
    feat_dim: width(64, 'width of the embedding'),
    temperature: sharpness(0.1, 'temperature of the predictions'),
    epsilon: sharpness(0.05, 'how soft the codes are'),
    sinkhorn_iterations: width(3, 'rounds of Sinkhorn'),
    queue_length: z.number().int().min(0).default(0).describe('embeddings of earlier batches that help with the codes'),
    without_equipartition: z
      .boolean()
      .default(false)
      .describe('codes by a softmax, without equal shares: it may collapse'),
  }),
  multiCrop: true,
  complaint: ({ queue_length: length }, batch) =>
    length === 0 || length >= batch
      ? undefined
      : `method.queue_length must be 0 or at least train.batch_size, found ${length} and ${batch}`,
  make: ({ encoder, method }) => new SwAV(encoder(), { ...method, crops_for_assign: [0, 1] }),
})

export const byol = defineMethod({
  name: 'byol',
  title: 'BYOL',
  method: z.strictObject({
    projector_hidden_size: width(256, "width of the projector's hidden layer"),
    projector_output_size: width(64, 'width of the embedding'),
    predictor_hidden_size: width(256, "width of the predictor's hidden layer"),
    base_target_ema: z
      .number()
      .min(0)
      .max(1)
      .default(0.97)
      .describe('share of the target that stays at the first step'),
    constant_target_ema: z.boolean().default(false).describe('keep that share, instead of raising it to 1'),
    without_predictor: z.boolean().default(false).describe('compare embeddings without a predictor'),
  }),
  make: ({ encoder, method, steps }) => new BYOL(encoder, { ...method, max_steps: steps }),
})

export const simsiam = defineMethod({
  name: 'simsiam',
  title: 'SimSiam',
  method: z.strictObject({
    dim: width(128, 'width of the embedding'),
    pred_dim: width(32, "width of the predictor's hidden layer"),
    without_stop_gradient: z.boolean().default(false).describe('let the gradient into the target: it collapses'),
    without_predictor: z.boolean().default(false).describe('compare embeddings without a predictor: it collapses'),
  }),
  optimizer: { name: 'sgd', lr: 0.05 },
  make: ({ encoder, method }) => new SimSiam(encoder(), method),
})

export const dino = defineMethod({
  name: 'dino',
  title: 'DINO',
  method: z.strictObject({
    out_dim: width(256, 'width of the output'),
    use_bn: z.boolean().default(true).describe('batch norm in the head'),
    norm_last_layer: z.boolean().default(true).describe("whether the last layer's rows have length 1"),
    nlayers: width(2, 'layers of the head'),
    hidden_dim: width(256, 'width of its hidden layers'),
    bottleneck_dim: width(64, 'width before the last layer'),
    student_temp: sharpness(0.1, "the student's temperature"),
    teacher_temp: sharpness(0.04, "the teacher's: lower, so that it is sharper"),
    center_momentum: z.number().min(0).max(1).default(0.9).describe('share of the centre that stays'),
    momentum_teacher: z
      .number()
      .min(0)
      .max(1)
      .default(0.97)
      .describe('share of the teacher that stays at the first step'),
  }),
  multiCrop: true,
  make: ({ encoder, method, crops, steps }) => new DINO(encoder, { ...method, ncrops: crops, max_steps: steps }),
})

export const barlowTwins = defineMethod({
  name: 'barlow-twins',
  title: 'Barlow Twins',
  method: z.strictObject({
    projector: z.array(whole).min(1).default([256, 256]).describe("widths of the projector's layers"),
    lambd: z.number().min(0).default(0.0051).describe('weight of the correlations off the diagonal'),
    without_invariance: z.boolean().default(false).describe('leave out the diagonal: that views agree'),
  }),
  make: ({ encoder, method }) => new BarlowTwins(encoder(), method),
})

export const vicreg = defineMethod({
  name: 'vicreg',
  title: 'VICReg',
  method: z.strictObject({
    mlp: z.array(whole).min(1).default([256, 256]).describe("widths of the expander's layers"),
    sim_coeff: z.number().min(0).default(25).describe('weight of invariance'),
    std_coeff: z.number().min(0).default(25).describe('weight of variance; 0: it collapses'),
    cov_coeff: z.number().min(0).default(1).describe('weight of covariance'),
  }),
  make: ({ encoder, method }) => new VICReg(encoder(), method),
})

export const pirl = defineMethod({
  name: 'pirl',
  title: 'PIRL',
  method: z.strictObject({
    pretext: z
      .enum(['jigsaw', 'rotation'])
      .default('jigsaw')
      .describe('what a picture must still be known after: nine tiles in random order, or quarter turns'),
    embedding_dim: width(64, 'width of the embedding'),
    num_negatives: width(1024, 'entries of the memory that each picture is compared to'),
    loss_type: z
      .enum(['cross_entropy', 'nce'])
      .default('cross_entropy')
      .describe(
        "of the own entry among the drawn ones; nce is the paper's, with a guess of Z that long trainings forget",
      ),
    init_memory: z
      .boolean()
      .default(true)
      .describe(
        'begin with the embeddings of all pictures, not with random directions that a first epoch has to forget',
      ),
    temperature: sharpness(0.07, 'temperature'),
    momentum: z.number().min(0).max(1).default(0.5).describe('share of an entry of the memory that stays'),
  }),
  make: ({ encoder, method, examples }) => new PIRL(encoder(), examples, method),
})

export const deepcluster = defineMethod({
  name: 'deepcluster',
  title: 'DeepCluster',
  method: z.strictObject({
    nmb_prototypes: width(100, 'groups'),
    hidden_mlp: width(128, "width of the projector's hidden layer"),
    feat_dim: width(64, 'width of the embedding'),
    temperature: sharpness(0.1, 'temperature of the predictions'),
    kmeans_iters: width(10, 'rounds of k-means before each epoch'),
  }),
  make: ({ encoder, method, examples }) => new DeepCluster(encoder(), examples, method),
})

/** In the post's order, as `declarations`. */
export const methods = [pirl, moco, simclr, swav, deepcluster, byol, simsiam, dino, barlowTwins, vicreg] as const

export const recipes = methods.map(({ recipe }) => recipe)
