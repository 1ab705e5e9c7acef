/** A GAN of pictures: generator and critic take turns in every step. */
import * as ops from '../../../ops/index.ts'
import type { StepScalars } from '../../../tasks/training.ts'
import { type RandomState, randomState } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { criticLosses, generatorLosses, gradientPenalty, r1Penalty } from '../methods/gan.ts'
import { exportOfLatents, exportOfPictures, type PictureSizes } from './exports.ts'
import { PictureLearner, type Turn } from './model.ts'
import { Generator, Scorer } from './networks.ts'

/** What the two play for: the critic's loss and the generator's that belongs to it. */
export const games = {
  nonsaturating: { critic: criticLosses.bce, generator: generatorLosses.nonsaturating },
  minimax: { critic: criticLosses.bce, generator: generatorLosses.minimax },
  hinge: { critic: criticLosses.hinge, generator: generatorLosses.hinge },
  lsgan: { critic: criticLosses.lsgan, generator: generatorLosses.lsgan },
  wgan: { critic: criticLosses.wgan, generator: generatorLosses.hinge },
} as const

/** What keeps the critic's slope bounded. */
export const penalties = ['none', 'r1', 'gradient'] as const

export interface GANConfig {
  readonly game: keyof typeof games
  /** r1: its slope at data; gradient: how far it is from 1 between data and generated pictures (WGAN-GP). */
  readonly penalty: (typeof penalties)[number]
  /** gamma of R1, lambda of the gradient penalty. */
  readonly penalty_weight: number
  readonly z_dim: number
  readonly generator_width: number
  readonly critic_width: number
  /** Width of the critic's hidden layer, which is the representation. */
  readonly hidden: number
  /** Updates of the critic in a step. */
  readonly critic_steps: number
}

export class PictureGAN extends PictureLearner {
  readonly generator: Generator
  readonly critic: Scorer
  readonly #config: GANConfig
  readonly #sizes: PictureSizes

  constructor(config: GANConfig, sizes: PictureSizes) {
    super()
    this.generator = new Generator(config.z_dim, config.generator_width, sizes)
    this.critic = new Scorer(config.critic_width, config.hidden, 1, sizes, 'leaky_relu')
    this.#config = config
    this.#sizes = sizes
  }

  /** So many generated pictures. */
  override draw(count: number, state: RandomState): Tensor {
    return this.generator.forward(ops.randomNormal([count, this.#config.z_dim], { state }))
  }

  #penalty(real: Tensor, fake: Tensor): Tensor | undefined {
    const { penalty, penalty_weight } = this.#config
    const critic = (pictures: Tensor): Tensor => this.critic.forward(pictures)
    if (penalty === 'r1') return r1Penalty(critic, real, penalty_weight)
    if (penalty === 'none') return undefined
    const alpha = ops.randomUniform([sizeOf(real.shape, 0), 1, 1, 1])
    return gradientPenalty(critic, real, fake, alpha, penalty_weight)
  }

  #criticTurn(real: Tensor): StepScalars {
    const fake = ops.stopGradient(this.draw(sizeOf(real.shape, 0), randomState()))
    const [onReal, onFake] = [this.critic.forward(real), this.critic.forward(fake)]
    const loss = games[this.#config.game].critic(onReal, onFake)
    const penalty = this.#penalty(real, fake)
    return {
      loss: penalty ? ops.add(loss, penalty) : loss,
      energy_real: ops.neg(ops.mean(onReal)),
      energy_drawn: ops.neg(ops.mean(onFake)),
      ...(penalty && { penalty }),
    }
  }

  #generatorTurn(real: Tensor): StepScalars {
    const onFake = this.critic.forward(this.draw(sizeOf(real.shape, 0), randomState()))
    return { loss: games[this.#config.game].generator(onFake) }
  }

  turns(): readonly Turn[] {
    const critic: Turn = { parameters: this.critic.parameters(), scalars: (real) => this.#criticTurn(real) }
    const generator: Turn = {
      name: 'generator',
      parameters: this.generator.parameters(),
      scalars: (real) => this.#generatorTurn(real),
    }
    return [...new Array<Turn>(this.#config.critic_steps).fill(critic), generator]
  }

  /** The critic's hidden layer (Radford et al. 2015, section 5). */
  features(pictures: Tensor): Tensor {
    return this.critic.features(pictures)
  }

  score(pictures: Tensor, _labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>> {
    const drawn = this.draw(sizeOf(pictures.shape, 0), state)
    const energy = (x: Tensor): Tensor => ops.neg(ops.mean(this.critic.forward(x)))
    return { energy_real: energy(pictures), energy_drawn: energy(drawn) }
  }

  exports() {
    const { z_dim } = this.#config
    return {
      generator: () => exportOfLatents(z_dim, (z) => this.generator.forward(z)),
      critic: () =>
        exportOfPictures(this.#sizes, (pictures) => ({
          representation: this.features(pictures),
          energy: ops.neg(ops.squeeze(this.critic.forward(pictures), -1)),
        })),
    }
  }
}
