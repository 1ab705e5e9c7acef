/** How BigGAN is trained (Brock et al. 2018): hinge losses, and weights that are pulled towards orthogonal rows. */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { Optimizer } from '../../../optim/optimizer.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'

/** Noise [N, dim_z] with classes int [N]. */
export interface Latents {
  readonly noise: Tensor
  readonly classes: Tensor
}

/** Pictures [N, 3, R, R] with classes int [N]. */
export interface Labelled {
  readonly images: Tensor
  readonly classes: Tensor
}

/** A network as it is trained: the generator makes pictures of noise and classes, the discriminator scores of pictures and classes. */
export interface TrainedNetwork {
  forward(x: Tensor, classes: Tensor): Tensor
  parameters(): readonly Variable[]
}

/** A generator with its table of classes. */
export interface TrainedGenerator extends TrainedNetwork {
  readonly shared: { readonly weight: Variable }
}

/** What updates a network, and how strongly its weights are pulled towards orthogonal rows. */
export interface Updater {
  readonly optimizer: Pick<Optimizer<never>, 'update'>
  /** 0: not at all. */
  readonly orthogonality: number
}

/** mean(max(0, 1 - real)) and mean(max(0, 1 + fake)). */
function discriminatorLosses(real: Tensor, fake: Tensor): { readonly real: Tensor; readonly fake: Tensor } {
  return { real: ops.mean(ops.relu(ops.sub(1, real))), fake: ops.mean(ops.relu(ops.add(1, fake))) }
}

/** -mean(fake) */
export function generatorLoss(fake: Tensor): Tensor {
  return ops.neg(ops.mean(fake))
}

/** 2 strength ((W W^T) without its diagonal) W, the gradient of the modified orthogonal regularisation (section 3.1): rows may have any length. */
function orthogonalityGradient(weight: Variable, strength: number): Tensor {
  const matrix = ops.flatten(weight.value, 1) // [rows, rest]
  const [rows] = matrix.sizes(2)
  const products = ops.mul(ops.matmul(matrix, ops.transpose(matrix)), ops.sub(1, ops.eye(rows))) // [rows, rows]
  return ops.reshape(ops.mul(ops.matmul(products, matrix), 2 * strength), weight.shape)
}

/** Records an update by gradients, with the pull on weights of at least two axes that are not among the `exempt`. */
function updateBy(
  { optimizer, orthogonality }: Updater,
  parameters: readonly Variable[],
  gradients: readonly Tensor[],
  exempt: readonly Variable[] = [],
): void {
  optimizer.update(
    gradients.map((g, i) => {
      const parameter = parameters[i]
      if (orthogonality === 0 || !parameter || parameter.shape.length < 2 || exempt.includes(parameter)) return g
      return ops.add(g, orthogonalityGradient(parameter, orthogonality))
    }),
  )
}

/** Inside a traced step: the discriminator learns to tell real pictures from new ones, both in one batch. */
export function trainDiscriminator(
  generator: TrainedGenerator,
  discriminator: TrainedNetwork,
  { latents, real }: { readonly latents: Latents; readonly real: Labelled },
  updater: Updater,
) {
  const fakes = ops.stopGradient(generator.forward(latents.noise, latents.classes)) // [N, 3, R, R]
  const count = fakes.sizes(4)[0]
  const classes = ops.concat([latents.classes, real.classes], 0)
  const scores = discriminator.forward(ops.concat([fakes, real.images], 0), classes) // [N + M, output_dim]
  const total = scores.sizes(2)[0]
  const [fake, genuine] = [ops.slice(scores, [0, count], 0), ops.slice(scores, [count, total], 0)]
  const losses = discriminatorLosses(genuine, fake)
  const parameters = discriminator.parameters()
  const gradients = gradient(ops.add(losses.real, losses.fake), parameters)
  updateBy(updater, parameters, gradients)
  return { fake, real: genuine, losses, gradients }
}

/** Records an update of the generator by a loss. */
export function updateGenerator(generator: TrainedGenerator, loss: Tensor, updater: Updater): readonly Tensor[] {
  const parameters = generator.parameters()
  const gradients = gradient(loss, parameters)
  // The table of classes has rows that must not repel each other.
  updateBy(updater, parameters, gradients, [generator.shared.weight])
  return gradients
}

/** Inside a traced step: the generator learns to be taken for real. */
export function trainGenerator(
  generator: TrainedGenerator,
  discriminator: TrainedNetwork,
  latents: Latents,
  updater: Updater,
) {
  const images = generator.forward(latents.noise, latents.classes)
  const fake = discriminator.forward(images, latents.classes)
  const loss = generatorLoss(fake)
  return { images, fake, loss, gradients: updateGenerator(generator, loss, updater) }
}
