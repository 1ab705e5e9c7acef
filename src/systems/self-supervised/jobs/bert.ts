/** Is a masked language model contrastive? Cross-entropy over all words, and noise-contrastive estimation with K drawn ones, side by side. */
import { z } from 'zod'
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, cosineAnnealingLR } from '../../../optim/index.ts'
import type { Report, Table } from '../../../report/figures.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { count, whole } from '../../../train/settings.ts'
import { dot } from '../../../util/vectors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { spreadOf } from '../../study.ts'
import { type Frequencies, WordModel, wordLoss } from './word-model.ts'
import { type HiddenWords, type OpenedWords, openWords, windowBatch, windowBatches, wordSettings } from './words.ts'

const config = z.strictObject({
  negatives: z
    .array(count)
    .min(1)
    .default([0, 1, 4, 16, 64])
    .describe('words that are drawn and pushed up for each hidden one; 0: all, by the softmax'),
  directions: z
    .array(whole)
    .default([1, 4, 16, 64, 256])
    .describe('numbers of drawn words for which gradients are compared, in the model trained by the softmax'),
  width: whole.default(32).describe('of the embeddings of words'),
  hidden: whole.default(128).describe('width of the hidden layer'),
  seeds: whole.default(3).describe('trainings of each model'),
  steps: whole.default(1500).describe('steps of a training'),
  batch_size: whole.default(256).describe('examples in a step'),
  lr: z.number().positive().default(3e-3).describe('learning rate of Adam, which falls along half a cosine'),
  test: whole.default(4000).describe('held-out words, at most'),
  data: wordSettings.prefault({}),
})
type BertSettings = z.infer<typeof config>

const member = z.strictObject({
  /** Of held-out words, in nats: with the energies normalised over all words, and taken as they are (Z = 1). */
  loss: z.number(),
  raw: z.number(),
  accuracy: z.number(),
  /** Mean and standard deviation of log Z over held-out places. */
  logZ: z.number(),
  logZSpread: z.number(),
})
type Member = z.infer<typeof member>

/** How often words are hidden in the training windows; one that never is counts as if it were once. */
function frequenciesOf({ words, train }: OpenedWords): Frequencies & { readonly biases: Float32Array } {
  const middle = (train.width - 1) / 2
  const text = Int32Array.from({ length: train.count }, (_, i) => train.windows[i * train.width + middle] ?? 0)
  const counts = new Float64Array(words.length)
  for (const word of text) counts[word] = (counts[word] ?? 0) + 1
  const log = Float32Array.from(counts, (value) => Math.log(Math.max(1, value) / train.count))
  return {
    log: constant(log, [words.length], 'float32'),
    text: constant(text, [train.count], 'int32'),
    biases: log.subarray(0, -1),
  }
}

async function trainModel(
  negatives: number,
  opened: OpenedWords,
  settings: BertSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<WordModel> {
  const { width, hidden, steps, batch_size, lr, data } = settings
  manualSeed(seed)
  const model = new WordModel({ words: opened.words.length, context: data.context, width, hidden })
  const frequencies = frequenciesOf(opened)
  // Every word begins as probable as it is common, whatever stands beside it: that is what is drawn from, and Z is 1.
  model.out.bias?.set(frequencies.biases)
  const optimizer = new Adam(model.parameters(), { lr: cosineAnnealingLR(lr, { tMax: steps }) })
  const step = compile(
    (beside: Tensor, word: Tensor) => void optimizer.minimize(wordLoss(model, beside, word, negatives, frequencies)),
    threads,
  )
  let done = 0
  for (const { beside, hidden: word } of windowBatches(opened.train, batch_size, seed)) {
    await step(beside, word)
    if (++done >= steps) break
  }
  await step.release()
  return model
}

/** The first so many windows. */
const firstWindows = (data: HiddenWords, most: number) =>
  windowBatch(
    data,
    Array.from({ length: Math.min(most, data.count) }, (_, i) => i),
  )

async function score(model: WordModel, { test }: OpenedWords, most: number, threads: ThreadOptions): Promise<Member> {
  const run = compile((beside: Tensor, hidden: Tensor) => {
    const logits = model.forward(beside)
    const logZ = ops.logSumExp(logits, 1)
    const loss = ops.crossEntropy(logits, hidden)
    const isRight = ops.equal(ops.argmax(logits, 1), ops.cast(hidden, 'int64'))
    return { loss, raw: ops.sub(loss, ops.mean(logZ)), accuracy: ops.mean(ops.cast(isRight, 'float32')), logZ }
  }, threads)
  const { beside, hidden } = firstWindows(test, most)
  const found = await run(beside, hidden)
  const { mean, deviation } = spreadOf(await found.logZ.numbers())
  const result = {
    loss: await found.loss.item(),
    raw: await found.raw.item(),
    accuracy: await found.accuracy.item(),
    logZ: mean,
    logZSpread: deviation,
  }
  await run.release()
  return result
}

const direction = z.array(z.strictObject({ negatives: z.number(), cosine: z.number() }))

/** The cosine of the gradients of both losses by the last layer's weights, in a model trained by the softmax, on the same batch. */
async function compareGradients(opened: OpenedWords, settings: BertSettings, seed: number, threads: ThreadOptions) {
  const model = await trainModel(0, opened, settings, seed, threads)
  const frequencies = frequenciesOf(opened)
  const { beside, hidden } = firstWindows(opened.train, settings.batch_size)
  const slopeOf = async (negatives: number): Promise<number[]> => {
    const run = compile(
      (x: Tensor, y: Tensor) =>
        gradient(wordLoss(model, x, y, negatives, frequencies, { normalised: true }), [model.out.weight])[0],
      threads,
    )
    const values = await (await run(beside, hidden)).numbers()
    await run.release()
    return values
  }
  const whole = await slopeOf(0)
  const found: z.infer<typeof direction> = []
  for (const negatives of settings.directions) {
    const own = await slopeOf(negatives)
    found.push({ negatives, cosine: dot(own, whole) / Math.sqrt(dot(own, own) * dot(whole, whole)) })
  }
  return found
}

const about = (values: readonly number[]): string => {
  const { mean, deviation } = spreadOf(values)
  return `${mean.toFixed(3)}${values.length > 1 ? ` ± ${deviation.toFixed(3)}` : ''}`
}

async function run(settings: BertSettings, context: JobContext): Promise<Report> {
  const { negatives, directions, seeds, ...common } = settings
  const opened = await openWords(settings.data, context.seed)
  const threads = threadOptions(context)
  let done = 0
  const rows = await eachOf(context, negatives, async (each) => {
    const results = await eachOf(context, seedsFrom(context.seed, seeds), async (seed) => {
      context.signal?.throwIfAborted()
      const name = `negatives-${each}-seed${seed}`
      const { part, wasThere } = await context.keep(name, { ...common, each, seed }, member, async () =>
        score(await trainModel(each, opened, settings, seed, threads), opened, settings.test, threads),
      )
      context.progress(
        `${++done}/${negatives.length * seeds}  ${name}  ${part.loss.toFixed(3)} nats${wasThere ? '  kept' : ''}`,
        {
          part: name,
          ...part,
          kept: wasThere,
        },
      )
      return part
    })
    return { negatives: each, results }
  })
  const { part: cosines } = await context.keep(
    'gradients',
    { ...common, directions, seed: context.seed },
    direction,
    () => compareGradients(opened, settings, context.seed, threads),
  )
  const losses: Table = {
    kind: 'table',
    title: 'Held-out words',
    caption:
      'Nats; normalised: with the softmax over all words; as it is: with Z = 1, which is what noise-contrastive estimation learns. log Z: mean and spread over places.',
    columns: ['pushed up', 'normalised', 'as it is', 'log Z', 'its spread', 'accuracy'],
    rows: rows.map(({ negatives: each, results }) => [
      each === 0 ? `all ${opened.words.length - 1} words (softmax)` : `${each} drawn`,
      about(results.map(({ loss }) => loss)),
      about(results.map(({ raw }) => raw)),
      about(results.map(({ logZ }) => logZ)),
      about(results.map(({ logZSpread }) => logZSpread)),
      about(results.map(({ accuracy }) => accuracy)),
    ]),
  }
  return {
    title: 'self-supervised / bert',
    subtitle: 'Is a masked language model contrastive? The softmax, and noise-contrastive estimation with drawn words',
    summary: [],
    sections: [
      {
        title: 'What was found',
        figures: [
          losses,
          {
            kind: 'lines',
            title: 'The same direction',
            caption:
              "Cosine of the gradients of both losses by the last layer's weights, in the model trained by the softmax, on one batch; energies normalised.",
            x: { label: 'drawn words', log: true },
            y: { label: 'cosine' },
            series: [
              {
                name: 'noise-contrastive estimation',
                points: cosines.map(({ negatives: x, cosine: y }) => ({ x, y })),
              },
            ],
          },
        ],
      },
    ],
    footer: `${opened.train.count.toLocaleString('en')} hidden words to learn from, ${Math.min(settings.test, opened.test.count)} to test with; ${settings.steps} steps of ${settings.batch_size}, Adam at ${settings.lr}, not tuned; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`,
  }
}

export const bert = defineJob({
  name: 'bert',
  summary: 'is a masked language model contrastive? softmax over all words beside noise-contrastive estimation',
  config,
  run,
})
