/** Bits to learn from: drawn anew at every step, and a fixed set to test with. */
import { z } from 'zod'
import { arrayDataset, type Batch, type BatchContext, type Dataset } from '../../../data/dataset.ts'
import { describeSides, openingOf } from '../../../data/opening.ts'
import { recordWhole } from '../../../data/record.ts'
import type { OpenedData } from '../../../tasks/define.ts'
import { fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import { count, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { deriveSeed, Generator } from '../../../util/random.ts'
import { type BitExamples, bitMemory, bitXor } from './examples.ts'

/** The tasks of bits, by their official names. */
export type BitTask = 'bit-memory' | 'bit-xor'

/** The fields of an example: rows of bits [rows, n], and the bits that are asked for [n]. */
export type BitFields = 'x' | 'y'

/** The settings of a task of bits. */
export function bitSettings(defaults: {
  readonly n: number
  readonly num_patterns: number
  readonly patch_size: number
}) {
  return z.strictObject({
    n: whole.default(defaults.n).describe('bits of a string'),
    num_patterns: whole.default(defaults.num_patterns).describe('strings of an example'),
    patch_size: whole.default(defaults.patch_size).describe('bits of a token; n must be a multiple of it'),
    train_examples: whole.default(16_000).describe('examples of an epoch, drawn anew in each'),
    test_examples: whole.default(1000).describe('examples to test with'),
    data_seed: count.default(0).describe('seed of the test examples'),
  })
}

export type BitSettings = z.infer<ReturnType<typeof bitSettings>>

/** What the model of a task of bits is built from. */
export const bitFacts = z.strictObject({
  task: z.enum(['bit-memory', 'bit-xor']),
  n: whole,
  /** Strings in the input: in bit memory one more than are to be remembered. */
  rows: whole,
  patch_size: whole,
  tokens: whole,
  /** The share of test bits that are right if visible bits are copied and the others guessed. */
  guess: z.number(),
})

export type BitFacts = z.infer<typeof bitFacts>

export type OpenedBits = OpenedData<BitFacts, BitFields>

// The examples are drawn as arrays of numbers, which hold no more.
const maximumBits = 2 ** 25

/** `examples` random ones. */
function drawBits(task: BitTask, { n, num_patterns }: BitSettings, examples: number, random: Generator): BitExamples {
  const integers = (high: number, shape: readonly number[]): NDArray => {
    const size = shape.reduce((product, length) => product * length, 1)
    return { dtype: 'int32', shape, data: random.integers(0, high, size) }
  }
  const bits = integers(2, [examples, num_patterns, n])
  if (task === 'bit-xor') return bitXor(bits)
  return bitMemory(bits, integers(2, [examples, n]), integers(num_patterns, [examples]))
}

/** Each example by itself from the seed, the epoch and its number: what a run draws does not depend on its batches. */
function drawnDataset(task: BitTask, data: BitSettings, rows: number): Dataset<BitFields> {
  const fields = {
    x: { dtype: 'float32', shape: [rows, data.n] },
    y: { dtype: 'int32', shape: [data.n] },
  } as const
  return {
    length: data.train_examples,
    fields,
    batch(indices: ArrayLike<number>, { epoch, seed }: BatchContext): Batch<BitFields> {
      const drawn = Array.from(indices, (index) =>
        drawBits(task, data, 1, new Generator(deriveSeed(seed, 'bits', epoch, index))),
      )
      const joined = (name: BitFields): NDArray => ({
        dtype: fields[name].dtype,
        shape: [drawn.length, ...fields[name].shape],
        data: fromNumbers(
          fields[name].dtype,
          drawn.flatMap((example) => Array.from(example[name].data, Number)),
        ),
      })
      return { x: joined('x'), y: joined('y') }
    },
  }
}

/** The share of bits that are right by copying what the last row shows; a hidden bit is right half of the time. */
function guessShare(task: BitTask, { x }: BitExamples): number {
  if (task === 'bit-xor') return 0.5
  const [, rows = 1, n = 1] = x.shape
  const last = Array.from(x.data, Number).filter((_, i) => Math.floor(i / n) % rows === rows - 1)
  return last.reduce((sum, bit) => sum + (bit === 0 ? 0.5 : 1), 0) / last.length
}

/** Examples of a task of bits; the test examples are the same for the same settings. */
export function openBits(task: BitTask, data: BitSettings): OpenedBits {
  const { n, num_patterns, patch_size, train_examples, test_examples, data_seed } = data
  if (n % patch_size !== 0) {
    throw new UsageError(`data.n must be a multiple of data.patch_size, found ${n} and ${patch_size}`, {
      hint: 'a token is a piece of a string',
    })
  }
  const rows = task === 'bit-memory' ? num_patterns + 1 : num_patterns
  const bits = test_examples * rows * n
  if (bits > maximumBits) {
    throw new UsageError(
      `test examples of ${bits.toLocaleString('en')} bits are more than the ${maximumBits.toLocaleString('en')} that can be held`,
      { hint: 'a smaller data.n, data.num_patterns or data.test_examples' },
    )
  }
  const test = drawBits(task, data, test_examples, new Generator(deriveSeed(data_seed, 'test bits')))
  const tokens = (rows * n) / patch_size
  const y: NDArray = { ...test.y, dtype: 'int32', data: Int32Array.from(Array.from(test.y.data, Number)) }
  const parts = [
    describeSides('example', train_examples, test_examples),
    'training examples are drawn anew in each epoch',
    `${tokens} tokens of ${patch_size} ${patch_size === 1 ? 'bit' : 'bits'}`,
  ]
  return {
    train: drawnDataset(task, data, rows),
    test: arrayDataset({ x: test.x, y }),
    facts: { task, n, rows, patch_size, tokens, guess: guessShare(task, test) },
    opening: openingOf(parts, [], recordWhole('example', {})),
  }
}
