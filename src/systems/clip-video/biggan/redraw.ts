/**
 * Redrawing: the generator is shown which drawing its noise means, and learns to repeat it. Two networks against each other need hours for
 * what this teaches in minutes; it needs classes of which every artist has one drawing, and cannot invent what was never drawn.
 */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import type { ClassFacts } from './classes.ts'
import type { BigGAN } from './generator.ts'
import {
  generatorLoss,
  type Labelled,
  type TrainedGenerator,
  type TrainedNetwork,
  type Updater,
  updateGenerator,
} from './training.ts'

/**
 * Noise [N, Z] that means the given artists, int [N]: the largest of its first `artists` numbers stands at the artist's place, by an exchange
 * of two numbers. Where artists are equally likely, such noise is as normal as it was.
 */
export function artistNoise(noise: Tensor, style: Tensor, artists: number): Tensor {
  const [, width] = noise.sizes(2)
  const largest = ops.argmax(ops.slice(noise, [0, artists], 1), 1) // [N]
  const [from, to] = [largest, style].map((place) => ops.oneHot(place, width, 'float32')) as [Tensor, Tensor]
  const at = (place: Tensor): Tensor => ops.sum(ops.mul(noise, place), 1, { keepDims: true }) // [N, 1]
  return ops.add(noise, ops.mul(ops.sub(to, from), ops.sub(at(from), at(to))))
}

/** Mean distance of colours |a - b| of pictures [N, 3, S, S] at full, half and a quarter of the size: shapes count before edges do. */
export function likenessLoss(made: Tensor, drawn: Tensor): Tensor {
  const difference = ops.sub(made, drawn)
  const sizes = [difference, ops.avgPool2d(difference, 2), ops.avgPool2d(difference, 4)]
  return ops.div(ops.addAll(sizes.map((each) => ops.mean(ops.abs(each)))), sizes.length)
}

/** Weights of what the generator learns by. */
export interface RedrawWeights {
  readonly redraw: number
  /** Of a discriminator's opinion of the same pictures. 0: it is not asked. */
  readonly adversarial: number
}

/** Throws a UsageError where nothing is learned, or one class has many drawings by the same artist. */
export function checkRedraw({ redraw, adversarial }: RedrawWeights, { by }: Pick<ClassFacts, 'by'>): void {
  if (redraw === 0 && adversarial === 0)
    throw new UsageError('setting "optimizer": redraw or adversarial must be above 0, found both 0')
  if (redraw > 0 && by === 'kind') {
    throw new UsageError(
      'setting "optimizer.redraw" must be 0 where data.by is kind: which drawing of a kind is meant, no noise says',
      {
        hint: '--set optimizer.redraw=0 --set optimizer.adversarial=1',
      },
    )
  }
}

/** Inside a traced step: the generator repeats drawings [N, 3, S, S] from noise [N, Z] that means their artists, int [N]. */
export function trainToRedraw(
  generator: TrainedGenerator,
  discriminator: TrainedNetwork,
  drawn: Labelled & { readonly noise: Tensor },
  updater: Updater,
  { redraw, adversarial }: RedrawWeights,
) {
  const images = generator.forward(drawn.noise, drawn.classes)
  const unlike = likenessLoss(images, drawn.images)
  const likeness = ops.mul(unlike, redraw)
  const loss =
    adversarial > 0
      ? ops.add(likeness, ops.mul(generatorLoss(discriminator.forward(images, drawn.classes)), adversarial))
      : likeness
  updateGenerator(generator, loss, updater)
  return { images, unlike, loss }
}

/** What tanh makes a light grey of. */
const whiteGround = 1.5

/** Where it redraws: classes that look alike begin near each other, noise begins without effect, and the ground is light. */
export function beginWithCodes(trained: BigGAN, model: BigGAN, codes: Float32Array | undefined): void {
  if (codes) trained.embeddings.weight.set(ofColumns(codes, trained.embeddings.weight.shape))
  const { z_dim } = trained.config
  for (const [name, variable] of trained.namedParameters()) {
    const [rows = 0, columns = 0] = variable.shape
    const readsNoise = variable.shape.length === 2 && columns === 2 * z_dim && name.endsWith('weight_orig')
    if (!readsNoise) continue
    const values = Float32Array.from(variable.data, Number)
    for (let row = 0; row < rows; row++) values.fill(0, row * columns, row * columns + z_dim)
    variable.set(values)
  }
  // Drawings stand on white, which a bias of 0 would need a thousand steps to reach.
  const ground = trained.generator.conv_to_rgb.bias
  ground?.set(new Array<number>(ground.size).fill(whiteGround))
  model.loadStateDict(trained.stateDict())
}

/** Codes [classes, width] as the weight of a linear layer [width, classes]. */
function ofColumns(codes: Float32Array, [width = 0, classes = 0]: readonly number[]): Float32Array {
  return Float32Array.from(
    { length: width * classes },
    (_, i) => codes[(i % classes) * width + Math.floor(i / classes)] ?? 0,
  )
}
