/** A frozen transformer on a task of bits: training, evaluation, uses. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import { answerEach, defineUse, type Exportable, type MetricDescriptions } from '../../../tasks/define.ts'
import type { BuildOptions, Experiment, ThreadOptions } from '../../../tasks/experiment.ts'
import type { TrainSettings } from '../../../tasks/settings.ts'
import { trainable } from '../../../tasks/training.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { explainBits } from '../explain.ts'
import { bodyRate } from '../freezing.ts'
import { FrozenTransformer } from '../model.ts'
import { type FrozenOptimizerSettings, type ModelSettings, modelConfig } from '../settings.ts'
import { bitLogits, scoreOf } from '../tasks.ts'
import type { BitFacts, BitFields, OpenedBits } from './data.ts'

/** How a task of bits is judged: bits, whole strings, the loss; and what copying and guessing would reach. */
export const bitMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  exact: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  guess_accuracy: { goal: 'max', unit: 'percent', constant: true },
} as const satisfies MetricDescriptions

/** A trained model with what it knows of its task. */
export interface TrainedOnBits {
  readonly model: FrozenTransformer
  readonly facts: BitFacts
}

/** Sums over a batch: right bits, strings of right bits only, losses. */
function counts(model: FrozenTransformer, { x, y }: BatchTensors<BitFields>) {
  const bits = ops.cast(ops.greater(y, 0), 'int64') // [B, n]
  const logits = bitLogits(model.forward(x)) // [B n, 2]
  const right = ops.equal(ops.argmax(logits, -1), ops.reshape(bits, [-1]))
  const perString = ops.reshape(ops.cast(right, 'float32'), bits.shape)
  return {
    bits: ops.sum(perString),
    strings: ops.sum(ops.min(perString, -1)),
    losses: ops.crossEntropy(logits, ops.reshape(bits, [-1]), { reduction: 'sum' }),
  }
}

/** Runs a model over examples. `guess`: what copying and guessing would reach. */
export function bitEvaluator(guess: number, n: number) {
  return (model: FrozenTransformer, options: ThreadOptions) => {
    const run = compile((batch: BatchTensors<BitFields>) => counts(model, batch), options)
    return async (data: Dataset<BitFields>) => {
      let [bits, strings, losses] = [0, 0, 0]
      await model.inEvalMode(async () => {
        for await (const batch of new DataLoader(data, { batchSize: Math.min(100, data.length) })) {
          const found = await run(batch)
          bits += found.bits.item()
          strings += found.strings.item()
          losses += found.losses.item()
        }
      })
      const all = data.length * n
      return {
        metrics: { accuracy: bits / all, exact: strings / data.length, loss: losses / all, guess_accuracy: guess },
      }
    }
  }
}

/** The settings that training uses. */
export interface BitConfig {
  readonly model: ModelSettings
  readonly optimizer: FrozenOptimizerSettings
  readonly train: TrainSettings
}

/** The experiment of a task of bits. */
export function buildBits(config: BitConfig, facts: BitFacts, options: BuildOptions) {
  const { task, n, patch_size, tokens, guess } = facts
  const sizes = { input_dim: patch_size, output_dim: 2 * patch_size, tokens }
  const { score, ...trained } = trainable({
    make: () => new FrozenTransformer(modelConfig(config.model, sizes)),
    config,
    metrics: bitMetrics,
    options,
    scalars: (model, { x, y }: BatchTensors<BitFields>) => ({ ...scoreOf(task, model.forward(x), y) }),
    meansOfExamples: true,
    evaluator: bitEvaluator(guess, n),
    lrScale: bodyRate(config.optimizer),
  })
  const { model } = trained
  return {
    ...trained,
    facts,
    exports: { model: () => exportBits({ model, facts }) },
    explain: ({ test }) => explainBits(model, facts, test),
  } satisfies Experiment<OpenedBits> & TrainedOnBits
}

/** `x` float32 [batch, rows, n] -> `logits` and `probabilities` [batch, n, 2]. */
function exportBits({ model, facts: { task, n, rows } }: TrainedOnBits): Exportable<'x'> {
  model.eval()
  return {
    inputs: { x: { dtype: 'float32', shape: [1, rows, n] } },
    forward: ({ x }) => {
      const logits = ops.reshape(model.forward(x), [-1, n, 2])
      return { logits, probabilities: ops.softmax(logits, -1) }
    },
    metadata: {
      task,
      preprocessing: JSON.stringify(
        task === 'bit-memory'
          ? { one: 1, zero: -1, hidden: 0, order: 'strings, then the one to complete' }
          : { one: 1, zero: 0 },
      ),
    },
  }
}

/** What a bit is in the input, by how it is written. */
const written: Readonly<Record<BitFacts['task'], Readonly<Record<string, number>>>> = {
  'bit-memory': { '1': 1, '0': -1, '?': 0 },
  'bit-xor': { '1': 1, '0': 0 },
}

/** `10110 0?1??` as rows of numbers. Throws a UsageError where it is no example of the task. */
export function parseBits(text: string, { task, n, rows }: BitFacts): Float32Array {
  const strings = text.trim().split(/\s+/)
  const digits = written[task]
  const wrong = strings.findIndex((string) => string.length !== n)
  const found = wrong < 0 ? strings.length : `one of ${strings[wrong]?.length}`
  if (strings.length !== rows || wrong >= 0)
    throw new UsageError(`an example has ${rows} strings of ${n} bits with a space between, found ${found}`)
  return Float32Array.from([...strings.join('')], (digit) => {
    const value = digits[digit]
    if (value === undefined) {
      throw new UsageError(`a bit is written ${Object.keys(digits).sort().join(', ')}, found ${JSON.stringify(digit)}`)
    }
    return value
  })
}

/** The use `predict`: the bits that are asked for. */
export const predictBits = (example: string) =>
  defineUse({
    summary: 'the bits that the model says for strings of bits; in bit memory a hidden bit is written ?',
    inputs: example,
    options: z.strictObject({}),
    run: async function* ({ model, facts }: TrainedOnBits, texts) {
      model.eval()
      const { n, rows } = facts
      const run = compile((x: Tensor) => ops.argmax(ops.reshape(model.forward(x), [1, n, 2]), -1))
      yield* answerEach(texts, async (text) => {
        const bits = await run(constant(parseBits(text, facts), [1, rows, n], 'float32'))
        return [{ input: text, text: toNumbers(bits.array.data).join('') }]
      })
      await run.release()
    },
  })
