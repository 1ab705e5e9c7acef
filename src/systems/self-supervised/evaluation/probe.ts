/** The use `probe`: a linear layer on frozen representations, learned from some or all of the labels. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Dataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import * as ops from '../../../ops/index.ts'
import { cosineAnnealingLR, SGD } from '../../../optim/index.ts'
import { defineUse, type UseContext } from '../../../tasks/define.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { haveClasses, requireClasses } from '../../../tasks/pictures/facts.ts'
import { featureExtractor, type LabelledFeatures } from '../../../tasks/pictures/features.ts'
import type { OpenedPictures } from '../../../tasks/pictures/open.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { LinearProbe } from './linear-probe.ts'
import { Pixels, type RepresentationExperiment, sample } from './vote.ts'

/** How the layer is trained. */
export interface ProbeTraining {
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
  readonly seed: number
  readonly classes: number
}

/** Rows of a matrix. */
function rowsOf({ shape: [, width = 0], data }: NDArray, places: ArrayLike<number>): NDArray {
  const rows = new Float32Array(places.length * width)
  for (let i = 0; i < places.length; i++)
    rows.set((data as Float32Array).subarray((places[i] ?? 0) * width, ((places[i] ?? 0) + 1) * width), i * width)
  return { dtype: 'float32', shape: [places.length, width], data: rows }
}

/** Trains a layer behind a norm without weights (MAE's protocol) and says how often it is right on the test features. */
export async function trainProbe(
  train: LabelledFeatures,
  test: LabelledFeatures,
  { steps, batch_size, lr, seed, classes }: ProbeTraining,
): Promise<number> {
  manualSeed(seed)
  const [count = 0, feature_dim = 0] = train.features.shape
  const batch = Math.min(batch_size, count)
  const probe = new LinearProbe({ feature_dim, num_classes: classes, batchnorm_no_affine: true })
  const schedule = cosineAnnealingLR(lr, { tMax: steps })
  const optimizer = new SGD(probe.parameters(), { lr: schedule, momentum: 0.9 })
  const step = compile((x: Tensor, y: Tensor) => void optimizer.minimize(ops.crossEntropy(probe.forward(x), y)))
  const labelsAt = (labels: readonly number[], places: ArrayLike<number>): NDArray => ({
    dtype: 'int64',
    shape: [places.length],
    data: BigInt64Array.from(Array.from(places), (place) => BigInt(labels[place] ?? 0)),
  })
  const random = new Generator(seed)
  let order = random.permutation(count)
  let used = 0
  for (let i = 0; i < steps; i++) {
    if (used + batch > count) [order, used] = [random.permutation(count), 0]
    const places = order.subarray(used, used + batch)
    used += batch
    await step(rowsOf(train.features, places), labelsAt(train.labels, places))
  }
  await step.release()
  probe.eval()
  const score = compile((x: Tensor) => ops.argmax(probe.forward(x), 1))
  const predicted = await (await score(test.features)).numbers()
  await score.release()
  return predicted.filter((label, i) => label === test.labels[i]).length / Math.max(1, predicted.length)
}

/** The use `probe`. */
export const linearProbe = defineUse({
  summary: 'how well one linear layer on the frozen representation tells classes apart (linear evaluation)',
  inputs: '',
  options: z.strictObject({
    labels: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .default([0.01, 0.1, 1])
      .describe('shares of the labels to learn from, with commas between'),
    examples: whole.default(10_000).describe('training pictures, at most, of which these are shares'),
    floors: z
      .boolean()
      .default(false)
      .describe('measure the network as it was before training, and the pixels themselves, too'),
    steps: whole.default(1000).describe('steps of each training'),
    batch_size: whole.default(256).describe('pictures in a step'),
    lr: z.number().positive().default(0.1).describe('learning rate at the start, which falls along half a cosine'),
  }),
  fits: ({ facts }: RepresentationExperiment) => haveClasses(facts),
  run: async function* (
    { model, facts, threads, untrained }: RepresentationExperiment,
    _inputs,
    { labels, examples, floors, ...training },
    context: UseContext<OpenedPictures>,
  ) {
    requireClasses(facts, 'probe')
    const { train, plain = train, test } = await context.openData()
    const options = threadOptions({ threads })
    const chosen: Dataset<PictureFields> = sample(plain, examples, context.seed)
    const features = featureExtractor(model, options)
    const measured = [{ name: '', sides: [await features(chosen), await features(test)] as const }]
    if (floors) {
      const learned = model.stateDict()
      model.loadStateDict(untrained)
      measured.push({ name: 'untrained', sides: [await features(chosen), await features(test)] })
      model.loadStateDict(learned)
      const pixels = featureExtractor(new Pixels(), options)
      measured.push({ name: 'pixels', sides: [await pixels(chosen), await pixels(test)] })
    }
    const classes = facts.labels.length
    const metrics: Record<string, number> = {}
    for (const share of labels) {
      const count = Math.max(classes, Math.round(share * chosen.length))
      // A sample is in random order, and so is each of its beginnings; of all pictures they are not.
      const places = new Generator(context.seed).permutation(chosen.length).subarray(0, count)
      const found: Record<string, number> = {}
      for (const { name, sides } of measured) {
        const [trainSide, testSide] = sides
        const side = {
          features: rowsOf(trainSide.features, places),
          labels: Array.from(places, (place) => trainSide.labels[place] ?? 0),
        }
        const accuracy = await trainProbe(side, testSide, { ...training, classes, seed: context.seed })
        found[name === '' ? 'accuracy' : name] = accuracy
        metrics[`${name === '' ? 'accuracy' : name}_${count}_labels`] = accuracy
      }
      const told = Object.entries(found).map(([name, value]) => `${name} ${percent(value, 2)}`)
      yield { values: { labels: count, ...found }, line: `${String(count).padStart(6)} labels  ${told.join(', ')}` }
    }
    yield { metrics: { ...metrics, classes, test_examples: test.length } }
  },
})
