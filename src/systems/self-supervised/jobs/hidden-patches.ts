/** The hidden square in the middle of a digit, predicted by squared error and by a softmax over typical squares. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { DataLoader, type Dataset, type PictureFields } from '../../../data/index.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, cosineAnnealingLR } from '../../../optim/index.ts'
import type { Figure } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed, RandomState } from '../../../tensor/random-state.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { PointNetwork } from '../energies/energy.ts'
import type { StudyPictures } from './embedding-runs.ts'

/** What this part uses of the settings. */
export interface PatchSettings {
  readonly patch: number
  readonly patches: number
  readonly hidden: number
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
}

const quality = z.strictObject({ error: z.number(), grey: z.number() })

export const patchMember = z.strictObject({
  truth: quality,
  mean: quality,
  likeliest: quality,
  drawn: quality,
  expected: quality,
  nearest: quality,
})
export type PatchMember = z.infer<typeof patchMember>

/** The pixels in the middle [N, side^2], and the picture without them [N, H W], from 0 to 1. */
function hide(image: Tensor, side: number): { readonly rest: Tensor; readonly middle: Tensor } {
  const [n, , height, width] = image.sizes(4)
  const pixels = ops.div(ops.cast(image, 'float32'), 255)
  const [top, left] = [(height - side) >> 1, (width - side) >> 1]
  const middle = ops.slice(ops.slice(pixels, [top, top + side], 2), [left, left + side], 3)
  const around = [left, width - left - side, top, height - top - side]
  const hole = ops.pad(middle, around) // [N, 1, H, W]
  return { rest: ops.reshape(ops.sub(pixels, hole), [n, -1]), middle: ops.reshape(middle, [n, -1]) }
}

/** So many real squares of the training pictures, drawn at random: sharp, as no mean of squares is. */
async function typicalPatches({ train }: StudyPictures, { patch, patches }: PatchSettings): Promise<NDArray> {
  const count = Math.min(patches, train.length)
  const { image } = await train.batch(
    Array.from({ length: count }, (_, i) => i),
    { epoch: 0, seed: 0 },
  )
  const run = compile((pixels: Tensor) => hide(pixels, patch).middle)
  const found = (await run(image)).array
  await run.release()
  return found
}

/** |a - b|^2 of every pair of rows: [N, D], [K, D] -> [N, K]. */
function distances(rows: Tensor, others: Tensor): Tensor {
  const lengths = (x: Tensor): Tensor => ops.sum(ops.square(x), 1, { keepDims: true })
  return ops.sub(
    ops.add(lengths(rows), ops.transpose(lengths(others))),
    ops.mul(ops.matmul(rows, ops.transpose(others)), 2),
  )
}

interface Predictors {
  /** All kinds of predictions of the squares of pictures, from 0 to 1: [N, side^2] each. */
  readonly predict: (image: Tensor, state: RandomState) => Readonly<Record<keyof PatchMember, Tensor>>
}

/** Trains both networks, which differ in their last layer and loss alone. */
async function trainPredictors(
  pictures: StudyPictures,
  settings: PatchSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<Predictors> {
  const { patch, hidden, steps, batch_size, lr } = settings
  const { facts, train } = pictures
  const inputs = facts.image_size[0] * facts.image_size[1]
  const typical = await typicalPatches(pictures, settings)
  const set = constant(typical.data as Float32Array, typical.shape, 'float32') // [K, side^2]
  const classes = typical.shape[0] ?? 1
  manualSeed(seed)
  const byMean = new PointNetwork([inputs, hidden, hidden, patch * patch], 'relu')
  const bySoftmax = new PointNetwork([inputs, hidden, hidden, classes], 'relu')
  const optimizer = new Adam([...byMean.parameters(), ...bySoftmax.parameters()], {
    lr: cosineAnnealingLR(lr, { tMax: steps }),
  })
  const step = compile((image: Tensor) => {
    const { rest, middle } = hide(image, patch)
    const squared = ops.mseLoss(byMean.forward(rest), middle)
    const entropy = ops.crossEntropy(bySoftmax.forward(rest), ops.argmin(distances(middle, set), 1))
    optimizer.minimize(ops.add(squared, entropy)) // no weight is in both
  }, threads)
  const loader = new DataLoader(train, {
    batchSize: Math.min(batch_size, train.length),
    shuffle: true,
    seed,
    dropLast: true,
  })
  for (let done = 0; done < steps; )
    for await (const { image } of loader) {
      await step(image)
      if (++done >= steps) break
    }
  await step.release()
  return {
    predict: (image, state) => {
      const { rest, middle } = hide(image, patch)
      const logits = bySoftmax.forward(rest)
      const chosen = (places: Tensor): Tensor => ops.embedding(places, set)
      // The greatest of logits with Gumbel noise is a draw from their softmax.
      const uniform = ops.clamp(ops.randomUniform(logits.shape, { state }), 1e-6, 1 - 1e-6)
      const gumbel = ops.neg(ops.log(ops.neg(ops.log(uniform))))
      return {
        truth: middle,
        mean: ops.clamp(byMean.forward(rest), 0, 1),
        likeliest: chosen(ops.argmax(logits, 1)),
        drawn: chosen(ops.argmax(ops.add(logits, gumbel), 1)),
        expected: ops.matmul(ops.softmax(logits, 1), set),
        nearest: chosen(ops.argmin(distances(middle, set), 1)),
      }
    },
  }
}

/** All pictures of a data set at once. */
async function allPictures(data: Dataset<PictureFields>, most = data.length): Promise<NDArray> {
  const rows = Array.from({ length: Math.min(most, data.length) }, (_, i) => i)
  return (await data.batch(rows, { epoch: 0, seed: 0 })).image
}

/** Trains on the pictures and measures the predictions of the test pictures' squares. */
export async function hiddenPatches(
  pictures: StudyPictures,
  settings: PatchSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<PatchMember> {
  const { predict } = await trainPredictors(pictures, settings, seed, threads)
  const state = new RandomState(seed)
  const run = compile((image: Tensor) => {
    const found = predict(image, state)
    const measured = Object.entries(found).flatMap(([name, values]) => [
      [`${name} error`, ops.mseLoss(values, found.truth)] as const,
      [`${name} grey`, ops.mean(ops.mul(ops.mul(values, ops.sub(1, values)), 4))] as const,
    ])
    return Object.fromEntries(measured) as Record<string, Tensor>
  }, threads)
  const found = await run(await allPictures(pictures.test))
  const of = async (name: keyof PatchMember) => ({
    error: (await found[`${name} error`]?.item()) ?? Number.NaN,
    grey: (await found[`${name} grey`]?.item()) ?? Number.NaN,
  })
  const result = {
    truth: await of('truth'),
    mean: await of('mean'),
    likeliest: await of('likeliest'),
    drawn: await of('drawn'),
    expected: await of('expected'),
    nearest: await of('nearest'),
  }
  await run.release()
  return result
}

/** Test pictures with each kind of prediction in its place. */
export async function patchPictures(
  pictures: StudyPictures,
  settings: PatchSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<Figure[]> {
  const { predict } = await trainPredictors(pictures, settings, seed, threads)
  const state = new RandomState(seed)
  const { patch } = settings
  const run = compile((image: Tensor) => {
    const [n, , height, width] = image.sizes(4)
    const [top, left] = [(height - patch) >> 1, (width - patch) >> 1]
    const { rest } = hide(image, patch)
    const whole = (middle: Tensor): Tensor =>
      ops.add(
        ops.reshape(rest, [n, 1, height, width]),
        ops.pad(ops.reshape(middle, [n, 1, patch, patch]), [left, width - left - patch, top, height - top - patch]),
      )
    const found = predict(image, state)
    return { truth: whole(found.truth), mean: whole(found.mean), drawn: whole(found.drawn) }
  }, threads)
  const { truth, mean, drawn } = await run(await allPictures(pictures.test, 10))
  const shown = (title: string, { array }: Tensor & { readonly array: NDArray }): Figure => ({
    kind: 'pictures',
    title,
    pictures: picturesOf(array, [0, 1]),
    size: 84,
  })
  const figures = [
    shown('Test pictures', truth),
    shown('The middle predicted by squared error', mean),
    shown('The middle drawn from a softmax over typical squares', drawn),
  ]
  await run.release()
  return figures
}
