/** A small masked language model: the words beside a hidden one say what it is. Its energy is -logit; what differs is the loss. */
import { Embedding, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { noiseContrastiveLoss } from '../energies/losses.ts'

export interface WordModelConfig {
  /** The last one stands for all unknown words: it is seen, but never the answer. */
  readonly words: number
  readonly context: number
  readonly width: number
  readonly hidden: number
}

/** Embeddings of the words beside, a hidden layer, one output for each known word. */
export class WordModel extends Module {
  readonly embed: Embedding
  readonly hidden: Linear
  readonly out: Linear

  constructor({ words, context, width, hidden }: WordModelConfig) {
    super()
    this.embed = new Embedding(words, width)
    this.hidden = new Linear(2 * context * width, hidden)
    this.out = new Linear(hidden, words - 1)
  }

  /** What is known of the hidden word: int [N, 2 context] -> [N, hidden]. */
  features(beside: Tensor): Tensor {
    return ops.relu(this.hidden.forward(ops.flatten(this.embed.forward(beside), 1)))
  }

  /** The logit of every known word: [N, 2 context] -> [N, V - 1]. The energy of a word is -logit. */
  forward(beside: Tensor): Tensor {
    return this.out.forward(this.features(beside))
  }

  /** Energies of chosen words alone: features [N, hidden], words int [N, K] -> [N, K]. */
  energies(features: Tensor, words: Tensor): Tensor {
    const rows = ops.embedding(words, this.out.weight) // [N, K, hidden]
    const products = ops.squeeze(ops.matmul(rows, ops.unsqueeze(features, -1)), -1)
    const { bias } = this.out
    return ops.neg(
      bias
        ? ops.add(
            products,
            ops.takeAlongAxis(
              ops.expand(ops.unsqueeze(bias, 0), [sizeOf(words.shape, 0), bias.shape[0] ?? 1]),
              words,
              1,
            ),
          )
        : products,
    )
  }
}

/** Words drawn as often as they occur. */
export interface Frequencies {
  /** Logarithms of the frequencies of all words: [V]. */
  readonly log: Tensor
  /** A text's words, of which some are drawn: int [count]. */
  readonly text: Tensor
}

/** Words [N, K] at random places of the text. */
export function drawWords({ text }: Frequencies, n: number, k: number): Tensor {
  const places = ops.floor(ops.randomUniform([n * k], { low: 0, high: sizeOf(text.shape, 0) }))
  return ops.reshape(ops.cast(ops.gather(text, ops.cast(places, 'int64'), 0), 'int64'), [n, k])
}

/** How the energies of drawn words are read. */
export interface NoiseOptions {
  /**
   * Whether they are normalised over all words first, without a gradient through it. Default: false: Z = 1, which the last layer's biases learn
   * (Mnih and Teh 2012).
   */
  readonly normalised?: boolean
}

/** How the model is trained: all words are pushed up by the softmax, or so many drawn ones by noise-contrastive estimation. */
export function wordLoss(
  model: WordModel,
  beside: Tensor,
  hidden: Tensor,
  negatives: number,
  frequencies: Frequencies,
  { normalised = false }: NoiseOptions = {},
): Tensor {
  if (negatives === 0) return ops.crossEntropy(model.forward(beside), hidden)
  const n = sizeOf(hidden.shape, 0)
  const features = model.features(beside)
  const own = ops.unsqueeze(ops.cast(hidden, 'int64'), 1) // [N, 1]
  const drawn = drawWords(frequencies, n, negatives)
  const all = ops.expand(ops.unsqueeze(frequencies.log, 0), [n, sizeOf(frequencies.log.shape, 0)])
  const logOf = (words: Tensor): Tensor => ops.takeAlongAxis(all, words, 1)
  const logZ = normalised
    ? ops.stopGradient(ops.logSumExp(model.out.forward(features), 1, { keepDims: true })) // [N, 1]
    : ops.zeros([n, 1])
  const energies = (words: Tensor): Tensor => ops.add(model.energies(features, words), logZ)
  return noiseContrastiveLoss(ops.squeeze(energies(own), 1), energies(drawn), {
    logNoisePositive: ops.squeeze(logOf(own), 1),
    logNoiseNegative: logOf(drawn),
    logZ: ops.zeros([]),
  })
}
