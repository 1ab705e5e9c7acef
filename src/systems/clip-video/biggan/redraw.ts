/**
 * Redrawing: the generator is shown which drawing its noise means, and learns to repeat it. Two networks against each other need hours for
 * what this teaches in minutes; it needs classes of which every artist has one drawing, and cannot invent what was never drawn.
 */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import type { ClassFacts } from './classes.ts'
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
