/** CLIP in training on drawings with their names (section 2 of the paper), and what is done with it. */
import { compile } from '../../../compile/compile.ts'
import type { Dataset } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import type { MetricDescriptions } from '../../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from '../../../tasks/settings.ts'
import { trainingTask } from '../../../tasks/training.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Metrics } from '../../../train/loop.ts'
import { loadCLIPVocabulary } from '../checkpoint.ts'
import { explainPairs } from '../explain.ts'
import { CLIP, contrastiveLoss, unit } from '../model.ts'
import type { OpenedPairs, PairFacts, PairFields } from '../pairs/open.ts'
import { meanDirection, ranksOf, unitRows, within } from '../pairs/retrieval.ts'
import { inRounds } from '../pairs/rounds.ts'
import { inPrompt, promptTemplates } from '../pairs/texts.ts'
import { type ClipSettings, clipConfig } from '../settings.ts'
import { CompactTokenizer } from './compact-vocabulary.ts'
import { clipExports } from './exports.ts'
import { clipNormalized } from './normalization.ts'

export const pairMetrics = {
  loss: { goal: 'min' },
  accuracy: { goal: 'max', unit: 'percent' },
  top1: { goal: 'max', unit: 'percent' },
  top5: { goal: 'max', unit: 'percent' },
  ensemble_top1: { goal: 'max', unit: 'percent' },
  ensemble_top5: { goal: 'max', unit: 'percent' },
  scale: { goal: 'max' },
} as const satisfies MetricDescriptions

/** What training uses of the settings. */
export interface PairConfig {
  readonly model: ClipSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings & { readonly passes: number }
}

/** exp(logit_scale) stays at 100 at most (section 2.5). */
const largestScale = Math.log(100)
/** Texts and pictures that are encoded at a time. */
const encodedAtOnce = 256

/** A mini CLIP with its words. */
export interface ClipExperiment extends Experiment<OpenedPairs>, ThreadOptions {
  readonly model: CLIP
  readonly facts: PairFacts
  readonly settings: ClipSettings
  /** Normalised pictures [N, 3, size, size], as `clipNormalized` gives them -> [N, E]. */
  readonly see: (pictures: Tensor) => Tensor
  readonly tokenizer: () => Promise<CompactTokenizer>
  /** Features of length 1 of texts, a row each. */
  readonly readTexts: (texts: readonly string[]) => Promise<Float64Array[]>
  /** Features of length 1 of pictures uint8 [N, 3, size, size]. */
  readonly seePictures: (pictures: NDArray) => Promise<Float64Array[]>
}

/** Trains and uses a small CLIP. All random numbers follow from the seed. */
export function pairExperiment(config: PairConfig, facts: PairFacts, options: BuildOptions): ClipExperiment {
  const { model: settings, optimizer, train } = config
  manualSeed(options.seed)
  const model = new CLIP(clipConfig(settings, facts.size, facts.tokens.length))
  const threads = threadOptions(options)
  const see = (pictures: Tensor): Tensor =>
    model.encodeImage(
      settings.enlarge === 1
        ? pictures
        : ops.interpolate(pictures, undefined, { scaleFactor: settings.enlarge, mode: 'bilinear' }),
    )
  const ofBytes = (image: Tensor): Tensor => see(clipNormalized(ops.div(ops.cast(image, 'float32'), 255)))
  const encodeTexts = compile((tokens: Tensor) => unit(model.encodeText(tokens)), threads)
  const encodePictures = compile((image: Tensor) => unit(ofBytes(image)), threads)
  let words: CompactTokenizer | undefined
  const tokenizer = async (): Promise<CompactTokenizer> => {
    words ??= new CompactTokenizer(await loadCLIPVocabulary(), facts.tokens, settings.context_length)
    return words
  }

  /** In parts of one size, the last one filled up, so that nothing is traced again. */
  const inParts = async (
    array: NDArray,
    rowSize: number,
    encode: (part: NDArray) => Promise<Tensor>,
  ): Promise<Float64Array[]> => {
    const [count = 0, ...rest] = array.shape
    const wasTraining = model.training
    model.eval()
    const rows: Float64Array[] = []
    const data = array.data as Uint8Array | Int32Array
    for (let start = 0; start < count; start += encodedAtOnce) {
      const size = count <= 8 ? count : encodedAtOnce
      const part = array.dtype === 'uint8' ? new Uint8Array(size * rowSize) : new Int32Array(size * rowSize)
      part.set(data.subarray(start * rowSize, Math.min(count, start + size) * rowSize))
      const found = await encode({ dtype: array.dtype, shape: [size, ...rest], data: part })
      rows.push(...unitRows(found.array).slice(0, count - start))
    }
    if (wasTraining) model.train()
    return rows
  }
  const readTexts = async (texts: readonly string[]): Promise<Float64Array[]> =>
    inParts((await tokenizer()).tokenize(texts), settings.context_length, encodeTexts)
  const seePictures = (pictures: NDArray): Promise<Float64Array[]> =>
    inParts(pictures, 3 * facts.size ** 2, encodePictures)

  const evaluate = async ({ test }: { readonly test: Dataset<PairFields> }): Promise<Metrics> => {
    const { image, label } = await test.batch([...Array(test.length).keys()], { epoch: 0, seed: 0 })
    const pictures = await seePictures(image)
    const labels = label.data as Int32Array
    const names = await readTexts(facts.names)
    const bare = ranksOf(pictures, names, labels)
    const prompts = await readTexts(promptTemplates.flatMap((t) => facts.names.map((name) => inPrompt(t, name))))
    const ensembles = facts.names.map((_, i) =>
      meanDirection(promptTemplates.flatMap((_t, t) => prompts[t * facts.names.length + i] ?? [])),
    )
    const ensemble = ranksOf(pictures, ensembles, labels)
    return {
      top1: within(bare, 1),
      top5: within(bare, 5),
      ensemble_top1: within(ensemble, 1),
      ensemble_top5: within(ensemble, 5),
      scale: Math.exp(Number(model.logit_scale.data[0])),
    }
  }

  const experiment: ClipExperiment = {
    model,
    facts,
    settings,
    ...threads,
    see,
    tokenizer,
    readTexts,
    seePictures,
    weights: model.variables(),
    initialize: (weights) => void model.loadStateDict(weights, { strict: false }),
    evaluate: (data) => evaluate(data),
    prepare: (data) => ({
      task: trainingTask({
        model,
        loader: inRounds(
          new DataLoader(data.train, {
            batchSize: train.batch_size,
            shuffle: true,
            seed: options.seed,
            dropLast: true,
          }),
          train.passes,
        ),
        optimizer,
        epochs: train.epochs,
        scalars: ({ image, tokens }) => {
          const logits = model.logits(ofBytes(image), model.encodeText(tokens))
          const [batch] = logits.logits_per_image.sizes(2)
          const found = ops.equal(ops.argmax(logits.logits_per_image, 1), ops.arange(batch))
          return { loss: contrastiveLoss(logits), accuracy: ops.mean(ops.cast(found, 'float32')) }
        },
        updated: () => model.logit_scale.assign(ops.minimum(model.logit_scale.value, largestScale)),
        evaluate: () => evaluate(data),
        ...threads,
      }),
      loop: loopOptions(train, pairMetrics),
    }),
    exports: clipExports({ model, facts, settings, see }),
    explain: async (data) => explainPairs(experiment, data),
  }
  return experiment
}
