/** The page's generator: a variational auto-encoder's decoder, with the class vector and noise that BigGAN has. */
import { Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { sizes } from './settings.ts'
import { classNames } from './world.ts'

const pixels = 3 * sizes.side ** 2
const classes = classNames.length

/** Noise and class vectors to drawings: a stencil, and the two colours that it lies between. */
export class SketchGenerator extends Module {
  readonly first: Linear
  readonly second: Linear
  readonly stencil: Linear
  readonly palette: Linear
  readonly colours: Linear

  constructor() {
    super()
    const { noise, hidden, side } = sizes
    this.first = new Linear(noise + classes, hidden)
    this.second = new Linear(hidden, hidden)
    this.stencil = new Linear(hidden, side ** 2)
    this.palette = new Linear(noise, hidden / 4)
    this.colours = new Linear(hidden / 4, 6)
  }

  /** noise [N, Z], class vectors [N, K] -> colours from -1 to 1 [N, 3, side, side]. */
  forward(noise: Tensor, classes: Tensor): Tensor {
    const { side } = sizes
    const h = ops.relu(this.first.forward(ops.concat([noise, classes], 1))) // [N, H]
    const deeper = ops.relu(this.second.forward(h)) // [N, H]
    const stencil = ops.reshape(ops.sigmoid(this.stencil.forward(deeper)), [-1, 1, side, side])
    const palette = ops.relu(this.palette.forward(noise)) // [N, H / 4]
    const colours = ops.reshape(ops.tanh(this.colours.forward(palette)), [-1, 6, 1, 1])
    const [ink, ground] = [ops.slice(colours, [0, 3], 1), ops.slice(colours, [3, 6], 1)] // [N, 3, 1, 1]
    return ops.add(ground, ops.mul(stencil, ops.sub(ink, ground)))
  }
}

/** What a generator makes of random noise and any class vectors [count, 3, side, side]: mixtures of shapes, in any colours. No gradients. */
export function mixtures(generator: SketchGenerator, count: number): Tensor {
  const vectors = ops.sigmoid(ops.sub(ops.mul(ops.randomNormal([count, classes]), 2), 2))
  return ops.stopGradient(generator.forward(ops.randomNormal([count, sizes.noise]), vectors))
}

/** Drawings to the normal distributions of their noise; only for training. */
export class SketchEncoder extends Module {
  readonly first: Linear
  readonly last: Linear

  constructor() {
    super()
    const { noise, encoder } = sizes
    this.first = new Linear(pixels + classes, encoder)
    this.last = new Linear(encoder, 2 * noise)
  }

  /** Drawings [N, 3, side, side] and class vectors [N, K] -> means and logarithms of variances [N, Z]. */
  forward(drawings: Tensor, classes: Tensor): { readonly mean: Tensor; readonly logVariance: Tensor } {
    const { noise } = sizes
    const x = ops.concat([ops.flatten(drawings, 1), classes], 1)
    const found = this.last.forward(ops.relu(this.first.forward(x))) // [N, 2 Z]
    return { mean: ops.slice(found, [0, noise], 1), logVariance: ops.slice(found, [noise, 2 * noise], 1) }
  }
}

/** What a code costs, as a share of the squared error of a pixel. */
const codeCost = 0.0015

/** Squared error of the drawing that comes back, and how far the codes are from a standard normal distribution. */
export function sketchLoss(
  encoder: SketchEncoder,
  generator: SketchGenerator,
  drawings: Tensor,
  classes: Tensor,
): Tensor {
  const { mean, logVariance } = encoder.forward(drawings, classes)
  const noise = ops.add(mean, ops.mul(ops.exp(ops.mul(logVariance, 0.5)), ops.randomNormal(mean.shape)))
  const error = ops.mean(ops.square(ops.sub(generator.forward(noise, classes), drawings)))
  const spread = ops.sub(ops.add(ops.square(mean), ops.exp(logVariance)), ops.add(logVariance, 1))
  const divergence = ops.mul(ops.mean(ops.sum(spread, 1)), 0.5)
  return ops.add(error, ops.mul(divergence, codeCost))
}
