/** The hidden word, predicted by squared error (a mean of vectors of words) and by a softmax over the vocabulary. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { Embedding, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, cosineAnnealingLR } from '../../../optim/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { WordModel } from './word-model.ts'
import { type OpenedWords, windowBatch, windowBatches } from './words.ts'

/** What this part uses of the settings. */
export interface PredictedWordSettings {
  readonly width: number
  readonly hidden: number
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
}

export const hiddenWordMember = z.strictObject({
  mean: z.strictObject({ accuracy: z.number(), length: z.number() }),
  softmax: z.strictObject({
    accuracy: z.number(),
    /** Mean probability of the likeliest word. */
    confidence: z.number(),
    perplexity: z.number(),
  }),
})

/** Numbers of a word's fixed vector. */
const vectorSize = 128
/** Held-out words, at most. */
const mostTested = 4000

/** As `WordModel`, but for the last layer: it predicts the vector of the word. */
class VectorModel extends Module {
  readonly embed: Embedding
  readonly hidden: Linear
  readonly out: Linear

  constructor(words: number, context: number, width: number, hidden: number) {
    super()
    this.embed = new Embedding(words, width)
    this.hidden = new Linear(2 * context * width, hidden)
    this.out = new Linear(hidden, vectorSize)
  }

  /** int [N, 2 context] -> [N, vectorSize] */
  forward(beside: Tensor): Tensor {
    return this.out.forward(ops.relu(this.hidden.forward(ops.flatten(this.embed.forward(beside), 1))))
  }
}

/** A random direction for every word: [words, vectorSize], of length 1. */
function fixedVectors(words: number): Tensor {
  const data = Float32Array.from(new Generator(0).normal(words * vectorSize))
  return ops.normalize(constant(data, [words, vectorSize], 'float32'))
}

/** Trains both and tries them on held-out words. */
export async function predictHiddenWords(
  { words, train, test }: OpenedWords,
  settings: PredictedWordSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<z.infer<typeof hiddenWordMember>> {
  const { width, hidden, steps, batch_size, lr } = settings
  const context = (train.width - 1) / 2
  manualSeed(seed)
  const byMean = new VectorModel(words.length, context, width, hidden)
  const bySoftmax = new WordModel({ words: words.length, context, width, hidden })
  const optimizer = new Adam([...byMean.parameters(), ...bySoftmax.parameters()], {
    lr: cosineAnnealingLR(lr, { tMax: steps }),
  })
  const step = compile((beside: Tensor, word: Tensor) => {
    const target = ops.embedding(word, fixedVectors(words.length))
    const squared = ops.div(ops.sum(ops.square(ops.sub(byMean.forward(beside), target))), word.size)
    optimizer.minimize(ops.add(squared, ops.crossEntropy(bySoftmax.forward(beside), word))) // no weight is in both
  }, threads)
  let done = 0
  for (const { beside, hidden: word } of windowBatches(train, batch_size, seed)) {
    await step(beside, word)
    if (++done >= steps) break
  }
  await step.release()
  const score = compile((beside: Tensor, word: Tensor) => {
    const isRight = (found: Tensor): Tensor => ops.mean(ops.cast(ops.equal(found, ops.cast(word, 'int64')), 'float32'))
    const predicted = byMean.forward(beside)
    const logits = bySoftmax.forward(beside)
    const probabilities = ops.softmax(logits, 1)
    return {
      meanRight: isRight(ops.argmax(ops.matmul(predicted, ops.transpose(fixedVectors(words.length))), 1)),
      length: ops.mean(ops.vectorNorm(predicted, 2, 1)),
      softmaxRight: isRight(ops.argmax(logits, 1)),
      confidence: ops.mean(ops.max(probabilities, 1)),
      loss: ops.crossEntropy(logits, word),
    }
  }, threads)
  const rows = Array.from({ length: Math.min(mostTested, test.count) }, (_, i) => i)
  const { beside, hidden: word } = windowBatch(test, rows)
  const found = await score(beside, word)
  const result = {
    mean: { accuracy: await found.meanRight.item(), length: await found.length.item() },
    softmax: {
      accuracy: await found.softmaxRight.item(),
      confidence: await found.confidence.item(),
      perplexity: Math.exp(await found.loss.item()),
    },
  }
  await score.release()
  return result
}
