/** A small neural translator: the transformer of Vaswani et al. 2017, trained here on a corpus with known proportions. */
import { compile } from '../../../compile/compile.ts'
import { arrayDataset, type BatchTensors, DataLoader, type Dataset } from '../../../data/index.ts'
import { Decoder, EncoderDecoder, type GenerateOptions, generate } from '../../../models/index.ts'
import * as ops from '../../../ops/index.ts'
import { trainBriefly } from '../../../tasks/brief-training.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { UsageError } from '../../../util/errors.ts'
import { int64Rows } from '../token-rows.ts'
import { type ParallelSentence, special } from './corpus.ts'

/** Tokens of a sentence, at most, with the one that ends it. */
const maxTokens = 16

/** Sizes and training. */
export interface TranslatorOptions {
  readonly width: number
  readonly layers: number
  readonly heads: number
  readonly dropout: number
  /** Share of probability that goes to all words alike in training. */
  readonly labelSmoothing: number
  readonly steps: number
  readonly batchSize: number
  readonly lr: number
  readonly weightDecay: number
  readonly seed: number
  readonly threads?: number
}

type Fields = 'source' | 'input' | 'label'

/** A pronoun that comes next, by its probability: shares of the two. */
export interface PronounProbability {
  readonly he: number
  readonly she: number
}

/** What a trained translator can be asked. */
export class NeuralTranslator {
  readonly model: EncoderDecoder
  readonly #ids: ReadonlyMap<string, number>
  readonly #words: readonly string[]
  readonly #decoder: Decoder
  readonly #encode: (source: NDArray) => Promise<{ readonly memory: Tensor; readonly mask: Tensor }>
  readonly #next: (source: NDArray) => Promise<Tensor>
  readonly #losses: (batch: BatchTensors<Fields>) => { readonly loss: Tensor; readonly accuracy: Tensor }

  private constructor(words: readonly string[], { width, layers, heads, dropout, seed }: TranslatorOptions) {
    manualSeed(seed)
    this.#words = words
    this.#ids = new Map(words.map((word, id) => [word, id]))
    const model = new EncoderDecoder({
      vocab_size: words.length,
      max_positions: maxTokens,
      d_model: width,
      heads,
      encoder_layers: layers,
      decoder_layers: layers,
      dropout,
    })
    this.model = model
    this.#decoder = new Decoder(
      (ids, cache, { memory, mask }) => {
        if (!memory || !mask) throw new UsageError('the translator needs a source')
        return model.decode(ids, { memory, sourceMask: mask, cache })
      },
      { maxTokens },
    )
    this.#encode = compile((source: Tensor) => {
      const mask = ops.notEqual(source, special.pad)
      return { memory: model.encode(source, mask), mask }
    })
    this.#next = compile((source: Tensor) => {
      const begin = ops.full([source.sizes(2)[0], 1], special.bos, 'int64')
      return ops.softmax(model.forward(source, begin, ops.notEqual(source, special.pad)), -1) // [N, 1, V]
    })
    this.#losses = ({ source, input, label }) => {
      const logits = model.forward(source, input, ops.notEqual(source, special.pad)) // [N, L, V]
      const [flat, labels] = [ops.flatten(logits, 0, 1), ops.flatten(label)]
      const right = ops.logicalAnd(ops.equal(ops.argmax(flat, -1), labels), ops.notEqual(labels, special.pad))
      const counted = ops.sum(ops.cast(ops.notEqual(labels, special.pad), 'float32'))
      return {
        loss: ops.crossEntropy(flat, labels, { ignoreIndex: special.pad }),
        accuracy: ops.div(ops.sum(ops.cast(right, 'float32')), counted),
      }
    }
  }

  /** Trains one. Deterministic for a seed. Throws a TenfoldError if the loss does not stay finite. */
  static async train(
    corpus: readonly ParallelSentence[],
    test: readonly ParallelSentence[],
    words: readonly string[],
    options: TranslatorOptions,
  ): Promise<NeuralTranslator> {
    const made = new NeuralTranslator(words, options)
    const { steps, batchSize, lr, weightDecay, seed, labelSmoothing, threads } = options
    await trainBriefly<EncoderDecoder, Fields>({
      name: 'translator',
      model: made.model,
      train: made.#dataset(corpus),
      test: made.#dataset(test),
      training: { steps, batch_size: batchSize, lr, weight_decay: weightDecay },
      seed,
      scalars: (model, { source, input, label }) => {
        const logits = model.forward(source, input, ops.notEqual(source, special.pad))
        const smoothing = { labelSmoothing, ignoreIndex: special.pad }
        return { loss: ops.crossEntropy(ops.flatten(logits, 0, 1), ops.flatten(label), smoothing) }
      },
      evaluator: () => (data) => made.#evaluate(data),
      ...(threads !== undefined && { threads }),
    })
    made.model.eval()
    return made
  }

  async #evaluate(data: Dataset<Fields>): Promise<{ metrics: { accuracy: number; loss: number } }> {
    this.model.eval()
    const score = compile(this.#losses)
    let [accuracy, loss, batches] = [0, 0, 0]
    for await (const batch of new DataLoader(data, { batchSize: Math.min(data.length, 256), dropLast: true })) {
      const found = await score(batch)
      accuracy += found.accuracy.item()
      loss += found.loss.item()
      batches++
    }
    await score.release()
    this.model.train()
    return { metrics: { accuracy: accuracy / batches, loss: loss / batches } }
  }

  /** Ids of a text, ended and filled up. Throws a UsageError for an unknown word, or too many. */
  #tokens(text: string): number[] {
    const ids = text.split(' ').flatMap((word) => {
      // A translator that has learnt nothing yet may say nothing.
      if (word === '') return []
      const id = this.#ids.get(word)
      if (id === undefined) throw new UsageError(`the corpus has no word "${word}"`)
      return id
    })
    if (ids.length >= maxTokens)
      throw new UsageError(`a sentence has at most ${maxTokens - 1} words, found ${ids.length}`)
    return [...ids, special.eos]
  }

  #sources(texts: readonly string[]): NDArray {
    return padded(texts.map((text) => this.#tokens(text)))
  }

  #dataset(sentences: readonly ParallelSentence[]): Dataset<Fields> {
    const targets = sentences.map(({ target }) => this.#tokens(target))
    return arrayDataset({
      source: this.#sources(sentences.map(({ source }) => source)),
      input: padded(targets.map((ids) => [special.bos, ...ids.slice(0, -1)])),
      label: padded(targets),
    })
  }

  #text(tokens: readonly number[]): string {
    return tokens
      .filter((id) => id > special.eos)
      .map((id) => this.#words[id] ?? '')
      .join(' ')
  }

  /**
   * Translations of each text: the likeliest, or as `options` say (`numBeams` and `numReturnSequences` for the best ones, `doSample`,
   * `temperature` and `seed` for drawn ones).
   */
  async translate(texts: readonly string[], options: GenerateOptions = {}): Promise<string[][]> {
    const { memory, mask } = await this.#encode(this.#sources(texts))
    const found = await generate(
      this.#decoder,
      texts.map(() => [special.bos]),
      {
        maxNewTokens: maxTokens - 1,
        eosTokenId: special.eos,
        ...options,
        inputs: { memory: memory.array, mask: mask.array },
      },
    )
    const each = found.length / texts.length
    return texts.map((_, i) => found.slice(i * each, (i + 1) * each).map(({ tokens }) => this.#text(tokens)))
  }

  /** The probability that the translation of each text begins with "he" or "she"; they need not add up to 1. */
  async pronouns(texts: readonly string[]): Promise<PronounProbability[]> {
    const next = await this.#next(this.#sources(texts))
    const { data } = next.array
    const at = (row: number, word: string): number =>
      Number(data[row * this.#words.length + (this.#ids.get(word) ?? 0)])
    return texts.map((_, row) => ({ he: at(row, 'he'), she: at(row, 'she') }))
  }

  /** The vector of a word in the table that both languages share. */
  vector(word: string): Float64Array {
    const { d_model } = this.model.config
    const id = this.#ids.get(word)
    if (id === undefined) throw new UsageError(`the corpus has no word "${word}"`)
    return Float64Array.from(
      this.model.embedding.weight.data.subarray(id * d_model, (id + 1) * d_model) as Float32Array,
    )
  }

  /** Changes vectors of words. */
  setVectors(vectors: ReadonlyMap<string, Float64Array>): void {
    const { weight } = this.model.embedding
    const data = Float32Array.from(weight.data as Float32Array)
    for (const [word, vector] of vectors) data.set(vector, (this.#ids.get(word) ?? 0) * vector.length)
    weight.set(data)
  }
}

/** Rows of ids, filled up with padding to the longest sentence there may be: int64 [N, maxTokens]. */
const padded = (rows: readonly (readonly number[])[]): NDArray => int64Rows(rows, maxTokens, special.pad)
