/** DINO (Caron et al. 2021, arXiv 2104.14294): match the sharpened, centred softmax of a moving-average teacher. */
import { BatchNorm1d, GELU, init, type Layer, Linear, Module, Sequential } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { ExponentialMovingAverage } from '../../../optim/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { ShapeError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { copyWeights, JointEmbedding, type JointStep, weightsOf } from '../model.ts'
import { cosineMomentum } from '../schedules.ts'
import { embedCrops } from './swav.ts'

export const dino = {
  name: 'dino',
  title: 'DINO',
  paper: 'Caron et al. 2021, arXiv 2104.14294',
  architecture: 'joint embedding',
  remedy: 'distillation',
  energy: 'cross-entropy of the distribution of x under that of y',
  loss: 'the energy of every crop of the student and each other global crop of the teacher',
  collapse: 'the teacher is a moving average; centring keeps one output from dominating, sharpening a uniform one',
} as const satisfies Declaration

/** The official names. */
export interface DINOHeadConfig {
  readonly in_dim: number
  readonly out_dim: number
  readonly use_bn: boolean
  /** Whether the lengths of the last layer's rows stay 1. */
  readonly norm_last_layer: boolean
  readonly nlayers: number
  readonly hidden_dim: number
  readonly bottleneck_dim: number
}

const small: init.Initializer = (shape) => init.truncNormal(shape, { std: 0.02 })

/** A linear layer whose rows have a length of their own: weight = weight_g weight_v / |weight_v|, PyTorch's weight_norm. */
class WeightNormLinear extends Module {
  readonly weight_g: Variable
  readonly weight_v: Variable

  constructor(inFeatures: number, outFeatures: number) {
    super()
    this.weight_g = init.parameter([outFeatures, 1], init.ones)
    this.weight_v = init.parameter([outFeatures, inFeatures], small)
  }

  forward(x: Tensor): Tensor {
    const lengths = ops.vectorNorm(this.weight_v, 2, 1, { keepDims: true })
    return ops.linear(x, ops.mul(this.weight_v, ops.div(this.weight_g, lengths)))
  }
}

/** MLP with GELU, length 1, linear with normalised weights: [N, in_dim] -> [N, out_dim]. Names as in the official code. */
export class DINOHead extends Module {
  readonly mlp: Layer
  readonly last_layer: WeightNormLinear

  constructor(config: DINOHeadConfig) {
    super()
    const { in_dim, out_dim, use_bn, norm_last_layer, nlayers, hidden_dim, bottleneck_dim } = config
    const linear = (from: number, to: number): Linear =>
      new Linear(from, to, { initWeight: small, initBias: init.zeros })
    const hidden = Array.from({ length: Math.max(nlayers, 1) - 1 }, (_, i): Layer[] => [
      linear(i === 0 ? in_dim : hidden_dim, hidden_dim),
      ...(use_bn ? [new BatchNorm1d(hidden_dim)] : []),
      new GELU(),
    ])
    const last = linear(hidden.length > 0 ? hidden_dim : in_dim, bottleneck_dim)
    this.mlp = hidden.length > 0 ? new Sequential(...hidden.flat(), last) : last
    this.last_layer = new WeightNormLinear(bottleneck_dim, out_dim)
    this.last_layer.weight_g.frozen = norm_last_layer
  }

  forward(x: Tensor): Tensor {
    return this.last_layer.forward(ops.normalize(this.mlp.forward(x), { axis: -1 }))
  }
}

/** How teacher and student are compared. */
export interface DINOLossOptions {
  /** Crops of the student; the teacher has the first two. */
  readonly ncrops: number
  readonly student_temp: number
  readonly teacher_temp: number
  /** Share of the old centre that stays. */
  readonly center_momentum: number
}

/** The loss with its centre: `center` [1, out_dim]. */
export class DINOLoss extends Module {
  readonly center: Variable
  readonly #options: DINOLossOptions

  constructor(outDim: number, options: DINOLossOptions) {
    super()
    this.center = init.buffer([1, outDim], init.zeros)
    this.#options = options
  }

  /** student [ncrops N, out_dim], teacher [2 N, out_dim], crop by crop. Moves the centre after the loss. */
  forward(student: Tensor, teacher: Tensor): Tensor {
    const { ncrops, student_temp, teacher_temp, center_momentum } = this.#options
    if (sizeOf(student.shape, 0) * 2 !== sizeOf(teacher.shape, 0) * ncrops) {
      throw new ShapeError(
        `DINO: the student must have ${ncrops} crops and the teacher 2 of the same pictures, found ${student} and ${teacher}`,
      )
    }
    const logs = ops.chunk(ops.logSoftmax(ops.div(student, student_temp)), ncrops, 0)
    const centred = ops.div(ops.sub(teacher, this.center), teacher_temp)
    const targets = ops.chunk(ops.stopGradient(ops.softmax(centred)), 2, 0)
    const terms = targets.flatMap((target, i) =>
      logs.flatMap((log, j) => (i === j ? [] : [ops.neg(ops.mean(ops.sum(ops.mul(target, log), -1)))])),
    )
    const mean = ops.stopGradient(ops.mean(teacher, 0, { keepDims: true }))
    this.center.assign(ops.add(ops.mul(this.center, center_momentum), ops.mul(mean, 1 - center_momentum)))
    return ops.div(ops.addAll(terms), terms.length)
  }
}

/** The teacher's temperature of each epoch: a straight line in the warm-up, both ends included, then constant. */
export function teacherTemperatures(options: {
  readonly warmup_teacher_temp: number
  readonly teacher_temp: number
  readonly warmup_teacher_temp_epochs: number
  readonly nepochs: number
}): number[] {
  const { warmup_teacher_temp: start, teacher_temp: end, warmup_teacher_temp_epochs: length, nepochs } = options
  return Array.from({ length: Math.max(nepochs, length) }, (_, epoch) =>
    epoch >= length ? end : length === 1 ? start : start + ((end - start) * epoch) / (length - 1),
  )
}

/** Each gradient scaled by limit / (norm + 1e-6) if that is below 1: the official clip_gradients, parameter by parameter. */
export function clipEach(gradients: readonly Tensor[], limit: number): Tensor[] {
  return gradients.map((gradient) => {
    const factor = ops.div(limit, ops.add(ops.vectorNorm(gradient), 1e-6))
    return ops.mul(gradient, ops.minimum(factor, 1))
  })
}

/** An encoder with its head. */
class DINONetwork extends Module {
  readonly backbone: Encoder
  readonly head: DINOHead

  constructor(backbone: Encoder, config: Omit<DINOHeadConfig, 'in_dim'>) {
    super()
    this.backbone = backbone
    this.head = new DINOHead({ ...config, in_dim: backbone.numFeatures })
  }

  forward(crops: readonly Tensor[]): Tensor {
    return this.head.forward(embedCrops(this.backbone, crops))
  }
}

/** The method's own settings, besides those of its head. */
export interface DINOConfig extends Omit<DINOHeadConfig, 'in_dim'>, DINOLossOptions {
  readonly momentum_teacher: number
  /** Steps in which the momentum rises to 1. */
  readonly max_steps: number
}

/** Student and teacher. */
export class DINO extends JointEmbedding {
  readonly student: DINONetwork
  readonly teacher: DINONetwork
  readonly dino_loss: DINOLoss
  /** Steps taken, from which the momentum follows. */
  readonly updates: Variable | undefined
  readonly #average: ExponentialMovingAverage

  /** makeEncoder: called twice; both begin with the same weights. */
  constructor(makeEncoder: () => Encoder, config: DINOConfig) {
    super()
    this.student = new DINONetwork(makeEncoder(), config)
    this.teacher = new DINONetwork(makeEncoder(), config)
    copyWeights(this.teacher, this.student)
    this.dino_loss = new DINOLoss(config.out_dim, config)
    // Lengths that stay 1 stay so exactly.
    const moving = (network: DINONetwork): Variable[] => weightsOf(network).filter(({ frozen }) => !frozen)
    this.#average = new ExponentialMovingAverage(moving(this.student), {
      decay: cosineMomentum(config.momentum_teacher, config.max_steps),
      averages: moving(this.teacher),
    })
    this.updates = this.#average.variables().get('updates')
  }

  protected override get followers(): readonly Module[] {
    return [this.teacher]
  }

  get encoder(): Encoder {
    return this.student.backbone
  }

  embed(x: Tensor): Tensor {
    return this.student.forward([x])
  }

  forward(views: readonly Tensor[]): JointStep {
    const student = this.student.forward(views) // [crops N, out_dim]
    const teacher = this.teacher.forward(views.slice(0, 2)) // [2 N, out_dim]
    const [a, b] = ops.chunk(student, views.length, 0)
    return { loss: this.dino_loss.forward(student, teacher), embeddings: [a ?? student, b ?? student] }
  }

  override afterUpdate(): void {
    this.#average.update()
  }
}
