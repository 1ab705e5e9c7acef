/** What the worker of Expire-Span's page computes: a model that learns what to remember of generated texts, and reads one that was typed. */

import type { BatchTensors } from '../../data/dataset.ts'
import * as ops from '../../ops/index.ts'
import { Adam, constantScheduleWithWarmup } from '../../optim/index.ts'
import { blockReader, CarriedMemory } from '../../systems/expire-span/carried.ts'
import type { SequenceConfig } from '../../systems/expire-span/config.ts'
import { type AnyModel, ExpireSpan, TransformerSeq } from '../../systems/expire-span/model.ts'
import { textReader } from '../../systems/expire-span/read-text.ts'
import { counted, meanLoss, streamScorer } from '../../systems/expire-span/scoring.ts'
import { questionStream, type StreamFields } from '../../systems/expire-span/stream.ts'
import { corridor } from '../../systems/expire-span/tasks/corridor.ts'
import { cue } from '../../systems/expire-span/tasks/cue.ts'
import { type DistanceBand, errorByDistance } from '../../systems/expire-span/tasks/distances.ts'
import { type Draws, drawsOf, type QuestionText } from '../../systems/expire-span/tasks/text.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { deriveSeed } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { type ExpirePageSettings, fixedSpan, shapes, sizes, type TaskName } from './settings.ts'
import { colors, kinds } from './words.ts'

/** A text of the page's words, padded to whole blocks. */
export interface AskedText {
  readonly tokens: Int32Array
  readonly elapsed: Int32Array
}

/** What the model does with a text. */
export interface Remembered {
  /** How many steps each token is to be remembered, [layers][tokens]. */
  readonly spans: readonly (readonly number[])[]
  /** Of each token that asks, the probability of each colour, [tokens][colours]. */
  readonly answers: readonly (readonly number[])[]
}

/** What each layer kept at a step of the training. */
export interface Kept {
  readonly step: number
  /** Memories, [layers]. */
  readonly memories: readonly number[]
  /** Those that have not expired, [layers]; none where nothing expires. */
  readonly alive: readonly number[]
}

interface World {
  readonly classes: number
  readonly vocabulary: number
  /** A text; `longest`: the longest way to a question. */
  readonly write: (length: number, draws: Draws, longest: number) => QuestionText
}

/** A task with its sizes. */
function worldOf(task: TaskName): World {
  const { views } = sizes
  if (task === 'corridor') {
    const options = { colors: colors.length, views, min_length: 3, log_lengths: true }
    return {
      classes: corridor.classes({ ...options, max_length: 1 }),
      vocabulary: corridor.names({ ...options, max_length: 1 }).length,
      write: (length, draws, max_length) => corridor.generate(length, draws, { ...options, max_length }),
    }
  }
  const options = { objects: kinds.length, colors: colors.length, views, cue: task, min_length: 20 } as const
  return {
    classes: cue.classes({ ...options, max_length: 1 }),
    vocabulary: cue.names({ ...options, max_length: 1 }).length,
    write: (length, draws, max_length) => cue.generate(length, draws, { ...options, max_length }),
  }
}

function modelOf({ task, memory, ramp }: ExpirePageSettings, vocab_sz: number): AnyModel {
  const { layers, longest, first } = shapes[task]
  const common: SequenceConfig = {
    hid_sz: sizes.width,
    inner_hid_sz: sizes.inner,
    nlayers: layers,
    mem_sz: sizes.block,
    nheads: sizes.heads,
    head_dim: 0,
    dropout: 0,
    attn_lim: fixedSpan(memory) ?? longest,
    pre_norm: true,
    vocab_sz,
  }
  if (memory !== 'expire') return new TransformerSeq({ ...common, adapt_span: false })
  return new ExpireSpan({
    ...common,
    expire_span: true,
    // The page's own price multiplies it, so that it can change as the model trains.
    expire_span_loss: 1,
    expire_span_ramp: ramp,
    expire_span_init_percentage: first,
    expire_span_noisy: false,
    expire_span_pre_div: 1,
    expire_span_layerdrop: 0,
  })
}

/** Makes the model and its texts. */
export async function expireProgram(settings: ExpirePageSettings, { progress }: Host) {
  progress({ what: 'making the network' })
  const { task, seed } = settings
  manualSeed(seed)
  const world = worldOf(task)
  const { rows, block, steps } = sizes
  const { train: trainLength, test: testLength } = shapes[task]
  const texts = (side: string, length: number, longest: number): QuestionText[] =>
    Array.from({ length: rows }, (_, row) => world.write(length, drawsOf(deriveSeed(seed, `${side} ${row}`)), longest))
  const stream = questionStream(texts('train', steps * block, trainLength), block)
  const asked = texts('test', sizes.test, testLength)
  const tests = questionStream(asked, block)

  // Class 0 is for what is not asked.
  const model = modelOf(settings, Math.max(world.vocabulary, world.classes + 1))
  const lr = constantScheduleWithWarmup(sizes.lr, { numWarmupSteps: sizes.warmup })
  const optimizer = new Adam(model.parameters(), { lr })
  const memory = new CarriedMemory(model, rows)
  type Given = BatchTensors<StreamFields> & { readonly price: Tensor }
  const learn = blockReader(model, ({ input, target, elapsed, price }: Given, readBlock) => {
    const { logProbs, auxLoss } = readBlock(input, undefined, elapsed)
    const loss = meanLoss(counted(logProbs, target, 0), 0)
    optimizer.minimize(ops.add(loss, ops.mul(ops.mean(auxLoss), price)), { clipNorm: 0.3 })
    return loss
  })
  const score = streamScorer(model, { rows, clears: true, omitted: 0 })
  const read = textReader(model)
  const history: Kept[] = []
  let price = settings.price
  let done = 0

  return {
    step: async () => {
      if (done === steps) return undefined
      const indices = Array.from({ length: rows }, (_, row) => done * rows + row)
      const batch = await stream.batch(indices, { epoch: 0, seed })
      const given = { ...batch, price: { dtype: 'float32', shape: [], data: Float32Array.of(price) } }
      const { result, next, alive } = await learn(given as never, memory.memories)
      memory.advance(next)
      done++
      if (done % sizes.recorded === 0) history.push({ step: done, memories: memory.lengths, alive })
      return { loss: result.item() }
    },
    requests: {
      /** Sets what remembering costs. */
      price: (weight: number): void => {
        price = weight
      },
      /** What was kept, over the steps of the training. */
      kept: (): readonly Kept[] => history,
      /** How well new texts are answered, by how far back the answer is. */
      test: async (): Promise<{ readonly error: number; readonly bands: readonly DistanceBand[] }> => {
        const { error, wrong } = await score(tests)
        return { error, bands: errorByDistance(asked, wrong) }
      },
      /** Reads a text from an empty memory. */
      read: async (text: AskedText): Promise<Remembered> => {
        const { spans, logProbs } = await read(text)
        const width = logProbs.length / text.tokens.length
        const answers = Array.from(text.tokens, (_, i) => {
          // The classes of answers are 1, 2, ...: of what else it might say nothing is left after some steps.
          const of = colors.map((_color, color) => Math.exp(logProbs[i * width + 1 + color] ?? 0))
          const sum = of.reduce((all, one) => all + one, 0)
          return of.map((probability) => probability / sum)
        })
        return { spans, answers }
      },
    },
    release: async () => {
      await Promise.all([learn.compiled.release(), score.release(), read.release()])
    },
  }
}
