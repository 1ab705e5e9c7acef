/** Energies of pictures, trained by contrastive divergence: one output, or those of a classifier (JEM). */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Exportable } from '../../../tasks/define.ts'
import type { StepScalars } from '../../../tasks/training.ts'
import { type RandomState, randomState } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { energyLosses } from '../energies/losses.ts'
import { energyOfClass, energyOfLogits, ReplayBuffer, type ReplayConfig } from '../methods/contrastive-divergence.ts'
import { exportOfPictures, type PictureSizes } from './exports.ts'
import { PictureLearner, type Turn } from './model.ts'
import { Scorer } from './networks.ts'

export interface EnergyModelConfig extends ReplayConfig {
  readonly width: number
  /** Width of the hidden layer, which is the representation. */
  readonly hidden: number
  /** Standard deviation of the noise on data. */
  readonly sigma: number
  /** Weight of the squared energies, which keeps them near 0. */
  readonly alpha_l2: number
  /** Weight of the classes' cross-entropy; without classes there is none. */
  readonly p_y_given_x_weight: number
}

export class PictureEnergy extends PictureLearner {
  readonly network: Scorer
  readonly buffer: ReplayBuffer
  override readonly knowsClasses: boolean
  readonly #config: EnergyModelConfig
  readonly #sizes: PictureSizes
  readonly #classes: number

  /** classes: 0 for an energy without labels. */
  constructor(config: EnergyModelConfig, sizes: PictureSizes, classes = 0) {
    super()
    this.network = new Scorer(config.width, config.hidden, Math.max(1, classes), sizes, 'silu')
    this.buffer = new ReplayBuffer(config, [sizes.in_channels, ...sizes.image_size])
    this.#config = config
    this.#sizes = sizes
    this.#classes = classes
    this.knowsClasses = classes > 0
  }

  /** [N, C, H, W] -> [N]; given classes, int [N], of a picture and its class. */
  energy(pictures: Tensor, classes?: Tensor): Tensor {
    const logits = this.network.forward(pictures)
    return classes ? energyOfClass(logits, classes) : energyOfLogits(logits)
  }

  #noisy(pictures: Tensor, state: RandomState): Tensor {
    return ops.add(pictures, ops.mul(ops.randomNormal(pictures.shape, { state }), this.#config.sigma))
  }

  #divergence(pictures: Tensor): StepScalars {
    const { alpha_l2 } = this.#config
    const samples = this.buffer.sample((x) => this.energy(x), sizeOf(pictures.shape, 0))
    const [real, drawn] = [this.energy(this.#noisy(pictures, randomState())), this.energy(samples)]
    const loss = energyLosses.cd_l2.loss(real, drawn, { margin: 0, beta: 1, alpha_l2 })
    return { loss, energy_real: ops.mean(real), energy_drawn: ops.mean(drawn) }
  }

  turns(): readonly Turn[] {
    const scalars = (pictures: Tensor, labels: Tensor): StepScalars => {
      const divergence = this.#divergence(pictures)
      if (this.#classes === 0) return divergence
      const cross_entropy = ops.crossEntropy(this.network.forward(pictures), labels)
      const weighted = ops.mul(cross_entropy, this.#config.p_y_given_x_weight)
      return { ...divergence, loss: ops.add(divergence.loss, weighted), cross_entropy }
    }
    return [{ parameters: this.network.parameters(), scalars }]
  }

  features(pictures: Tensor): Tensor {
    return this.network.features(pictures)
  }

  /** Energies of held-out pictures and of noise: how far they are apart. */
  score(pictures: Tensor, labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>> {
    const energies = {
      energy_real: ops.mean(this.energy(pictures)),
      energy_noise: ops.mean(this.energy(this.buffer.fresh(sizeOf(pictures.shape, 0), state))),
    }
    if (this.#classes === 0) return energies
    const isRight = ops.equal(ops.argmax(this.network.forward(pictures), 1), ops.cast(labels, 'int64'))
    return { ...energies, accuracy: ops.mean(ops.cast(isRight, 'float32')) }
  }

  override draw(count: number, state: RandomState): Tensor {
    return this.buffer.fresh(count, state)
  }

  override refine(pictures: Tensor, state: RandomState, classes?: Tensor): Tensor {
    return ops.clamp(
      this.buffer.forward((x) => this.energy(x, classes), pictures, state),
      -1,
      1,
    )
  }

  exports() {
    const energy = () =>
      exportOfPictures(this.#sizes, (pictures) => ({
        energy: this.energy(pictures),
        representation: this.features(pictures),
        ...(this.#classes > 0 && { logits: this.network.forward(pictures) }),
      }))
    return { energy, slope: () => this.#exportSlope() }
  }

  /** What Langevin dynamics outside needs: `x` float32 [batch, C, H, W] from -1 to 1 -> `energy` [batch], `slope` d energy / d x. */
  #exportSlope(): Exportable<'x'> {
    const { in_channels, image_size } = this.#sizes
    const { sgld_lr, sgld_std } = this.#config
    return {
      inputs: { x: { dtype: 'float32', shape: [1, in_channels, ...image_size] } },
      forward: ({ x }) => {
        const energy = this.energy(x)
        const [slope] = gradient(ops.sum(energy), [x])
        return { energy, slope }
      },
      metadata: { sampling: JSON.stringify({ start: 'uniform from -1 to 1', sgld_lr, sgld_std }) },
    }
  }
}
