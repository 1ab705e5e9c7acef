/**
 * PIRL (Misra and van der Maaten 2019, arXiv 1912.01991) and NPID (Wu et al. 2018, arXiv 1805.01978): a memory of every picture's embedding,
 * and noise-contrastive estimation against it. As VISSL's NCELossWithMemory, under its names.
 */
import { Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { defaultGenerator } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'
import type { Declaration } from '../config.ts'
import type { Encoder } from '../encoder.ts'
import { JointEmbedding, type JointStep, placesOf, twoViews } from '../model.ts'

export const pirl = {
  name: 'pirl',
  title: 'PIRL',
  paper: 'Misra and van der Maaten 2019, arXiv 1912.01991',
  architecture: 'joint embedding',
  remedy: 'contrastive',
  energy: '-cos(f, m)',
  loss: 'noise-contrastive estimation of the own memory against those of K other pictures',
  collapse: 'random entries of the memory bank are negatives',
} as const satisfies Declaration

/** The published settings. */
const pirlDefaults = {
  temperature: 0.07,
  num_negatives: 32_000,
  momentum: 0.5,
  loss_weights: [0.5, 0.5],
  embedding_dim: 128,
} as const

/** VISSL's names. */
export interface MemoryConfig {
  /** Pictures: entries of the memory. */
  readonly num_train_samples: number
  readonly embedding_dim: number
  readonly temperature: number
  /** Share of an entry that stays when it is renewed. */
  readonly momentum: number
  readonly loss_type: 'nce' | 'cross_entropy'
  /** Z of the model's probabilities; below 0: the first batch decides. */
  readonly norm_constant: number
  readonly norm_embedding: boolean
  /** Whether the memory begins with entries of length 1. */
  readonly norm_init: boolean
  /** A weight for each embedding of a picture. */
  readonly loss_weights: readonly number[]
  /** Whether each embedding renews the memory, or the one at `update_mem_with_emb_index`. */
  readonly update_mem_on_forward: boolean
  readonly update_mem_with_emb_index: number
}

/** Keeps a probability from 0. */
const eps = 1e-7

/** The memory bank with its loss. */
export class NCELossWithMemory extends Module {
  /** [num_train_samples, embedding_dim] */
  readonly memory: Variable
  /** Z, a vector of one element; below 0 until the first batch. */
  readonly norm_constant: Variable
  readonly #config: MemoryConfig

  constructor(config: MemoryConfig) {
    super()
    const { num_train_samples: entries, embedding_dim: width, norm_init } = config
    if (!config.update_mem_on_forward && config.update_mem_with_emb_index < 0) {
      throw new UsageError(
        `PIRL: an embedding must renew the memory, found update_mem_on_forward false and update_mem_with_emb_index ${config.update_mem_with_emb_index}`,
      )
    }
    this.#config = config
    this.memory = new Variable([entries, width], { data: initialMemory(entries, width, norm_init) })
    this.norm_constant = new Variable([1], { data: Float32Array.of(config.norm_constant) })
  }

  /**
   * embeddings: of each picture as often as there are loss weights (PIRL: of the transformed picture, of the picture), [N, D] each.
   * target: the pictures' places in the memory, int [N]. negatives: for each embedding the places it is compared to, int [N, K + 1], whose
   * first column the targets replace. -> the loss.
   */
  forward(embeddings: readonly Tensor[], target: Tensor, negatives: readonly Tensor[]): Tensor {
    const { loss_weights, norm_embedding, update_mem_on_forward, update_mem_with_emb_index, loss_type } = this.#config
    const losses = embeddings.map((given, i) => {
      const [weight, others] = [loss_weights[i], negatives[i]]
      if (weight === undefined || !others) {
        throw new ShapeError(
          `PIRL: there must be a loss weight and negatives for each embedding, found ${embeddings.length} embeddings, ${loss_weights.length} weights, ${negatives.length} lists of negatives`,
        )
      }
      const embedding = norm_embedding ? ops.normalize(given) : given
      const scores = this.#scores(embedding, target, others) // [N, K + 1]
      if (update_mem_on_forward || update_mem_with_emb_index === i) this.#renew(embedding, target)
      const loss =
        loss_type === 'nce'
          ? nceLoss(this.#probabilities(scores), this.#config.num_train_samples)
          : ops.crossEntropy(scores, ops.zeros([sizeOf(scores.shape, 0)], 'int64'))
      return ops.mul(loss, weight)
    })
    return ops.addAll(losses)
  }

  /** Similarities to the own entry and to others, over the temperature: [N, K + 1]. */
  #scores(embedding: Tensor, target: Tensor, others: Tensor): Tensor {
    const own = ops.cast(ops.unsqueeze(target, 1), 'int64')
    const places = ops.concat([own, ops.slice(ops.cast(others, 'int64'), [1, sizeOf(others.shape, 1)], 1)], 1)
    const entries = ops.stopGradient(ops.embedding(places, this.memory)) // [N, K + 1, D]
    const products = ops.squeeze(ops.matmul(entries, ops.unsqueeze(embedding, -1)), -1)
    return ops.div(products, this.#config.temperature)
  }

  /** exp(score) / Z: the model's probabilities, but for that Z is a guess, the mean of the first batch. */
  #probabilities(scores: Tensor): Tensor {
    const raised = ops.exp(scores)
    const guess = ops.reshape(ops.mul(ops.mean(raised), this.#config.num_train_samples), [1])
    const z = ops.where(ops.less(this.norm_constant, 0), ops.stopGradient(guess), this.norm_constant)
    this.norm_constant.assign(z)
    return ops.div(raised, z)
  }

  #renew(embedding: Tensor, target: Tensor): void {
    const { momentum } = this.#config
    const places = ops.cast(target, 'int64')
    const old = ops.mul(ops.embedding(places, this.memory), momentum)
    const moved = ops.normalize(ops.add(old, ops.mul(ops.stopGradient(embedding), 1 - momentum)))
    this.memory.assign(ops.indexCopy(this.memory, places, moved, 0))
  }
}

/**
 * -log P(data) of the first column and -log P(noise) of the others (NPID, equations 7 and 8), summed, over the batch. p [N, K + 1]: the
 * model's probabilities of entries; noise draws each of the n with 1 / n.
 */
function nceLoss(p: Tensor, n: number): Tensor {
  const columns = sizeOf(p.shape, 1)
  const k = columns - 1
  const noise = k / n
  const positive = ops.slice(p, [0, 1], 1)
  const negatives = ops.slice(p, [1, columns], 1)
  const isData = ops.log(ops.div(positive, ops.add(positive, noise + eps)))
  const isNoise = ops.log(ops.div(noise, ops.add(negatives, noise + eps)))
  return ops.div(ops.neg(ops.add(ops.sum(isData), ops.sum(isNoise))), sizeOf(p.shape, 0))
}

/** Uniform within sqrt(3 / D). */
function initialMemory(entries: number, width: number, isNormalised: boolean): Float32Array {
  const bound = 1 / Math.sqrt(width / 3)
  const data = Float32Array.from(defaultGenerator().uniform(entries * width), (u) => (2 * u - 1) * bound)
  return isNormalised ? unitRows(data, width) : data
}

/** Rows of so many numbers, brought to length 1 where they are. */
function unitRows(data: Float32Array, width: number): Float32Array {
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width)
    const norm = Math.max(Math.hypot(...row), 1e-12)
    for (let j = 0; j < width; j++) row[j] = (row[j] ?? 0) / norm
  }
  return data
}

/** PIRL's own settings, under VISSL's names where it has them. */
export interface PIRLConfig {
  /** jigsaw: nine tiles in random order; rotation: a quarter turn or more. */
  readonly pretext: 'jigsaw' | 'rotation'
  readonly embedding_dim: number
  readonly num_negatives: number
  readonly temperature: number
  readonly momentum: number
  /** nce: the paper's; cross_entropy: of the own entry among the drawn ones, which needs no guess of Z. */
  readonly loss_type: MemoryConfig['loss_type']
  /** Whether the memory begins with the embeddings of all pictures, instead of random directions that a first epoch has to forget. */
  readonly init_memory: boolean
}

/** Tiles along a side. */
const grid = 3

/** Nine tiles of each picture, what does not divide left out: [N, C, H, W] -> [9 N, C, H / 3, W / 3], tile by tile. */
export function jigsawTiles(pictures: Tensor): Tensor {
  const [n, c, height, width] = pictures.sizes(4)
  const [h, w] = [Math.floor(height / grid), Math.floor(width / grid)]
  const whole = ops.slice(ops.slice(pictures, [0, grid * h], 2), [0, grid * w], 3)
  const cut = ops.reshape(whole, [n, c, grid, h, grid, w])
  return ops.reshape(ops.permute(cut, [2, 4, 0, 1, 3, 5]), [grid * grid * n, c, h, w])
}

/** Each picture turned by 0, 1, 2 or 3 quarters, drawn at random: square [N, C, S, S]. */
export function quarterTurns(pictures: Tensor): Tensor {
  const n = sizeOf(pictures.shape, 0)
  const draw = ops.reshape(ops.floor(ops.randomUniform([n], { low: 0, high: 4 })), [n, 1, 1, 1])
  const flipped = ops.flip(pictures, [2, 3])
  const quarter = ops.flip(ops.transpose(pictures, 2, 3), [2])
  const turns = [quarter, flipped, ops.flip(quarter, [2, 3])]
  return turns.reduce((so, turned, i) => ops.where(ops.equal(draw, i + 1), turned, so), pictures)
}

/** An encoder with a head for pictures and one for what the pretext task makes of them; both are compared to the memory (equation 5). */
export class PIRL extends JointEmbedding {
  readonly encoder: Encoder
  /** f: of the picture. */
  readonly head: Linear
  /** g: of a tile, or of the turned picture. */
  readonly transformed_head: Linear
  /** Of nine tiles together. */
  readonly tiles_head: Linear | undefined
  readonly nce: NCELossWithMemory
  readonly #config: PIRLConfig
  readonly #entries: number

  /** examples: training pictures, each of which has an entry of the memory. */
  constructor(encoder: Encoder, examples: number, config: PIRLConfig) {
    super()
    const { pretext, embedding_dim: width, temperature, momentum, loss_type } = config
    this.encoder = encoder
    this.head = new Linear(encoder.numFeatures, width)
    this.transformed_head = new Linear(encoder.numFeatures, width)
    this.tiles_head = pretext === 'jigsaw' ? new Linear(grid * grid * width, width) : undefined
    this.nce = new NCELossWithMemory({
      num_train_samples: examples,
      embedding_dim: width,
      temperature,
      momentum,
      loss_type,
      norm_constant: -1,
      norm_embedding: true,
      norm_init: true,
      loss_weights: pirlDefaults.loss_weights,
      update_mem_on_forward: false,
      update_mem_with_emb_index: 1,
    })
    this.#config = config
    this.#entries = examples
  }

  override beforeEpoch(epoch: number) {
    if (epoch > 0 || !this.#config.init_memory) return undefined
    return async ({ data }: NDArray): Promise<void> => {
      const entries = Float32Array.from(toNumbers(data))
      this.nce.memory.set(unitRows(entries, this.#config.embedding_dim))
    }
  }

  embed(x: Tensor): Tensor {
    return this.head.forward(this.encoder.features(x))
  }

  /** The embedding of what the pretext task makes of pictures: [N, D]. */
  #transformed(pictures: Tensor): Tensor {
    const n = sizeOf(pictures.shape, 0)
    if (!this.tiles_head) return this.transformed_head.forward(this.encoder.features(quarterTurns(pictures)))
    const tiles = this.transformed_head.forward(this.encoder.features(jigsawTiles(pictures))) // [9 N, D]
    const own = ops.permute(ops.reshape(tiles, [grid * grid, n, this.#config.embedding_dim]), [1, 0, 2]) // [N, 9, D]
    const order = ops.argsort(ops.randomUniform([n, grid * grid]), 1)
    const shuffled = ops.takeAlongAxis(own, ops.unsqueeze(order, -1), 1)
    return this.tiles_head.forward(ops.flatten(shuffled, 1))
  }

  forward(views: readonly Tensor[], places?: Tensor): JointStep {
    const [picture, other] = twoViews('PIRL', views)
    const target = placesOf('PIRL', places)
    const [v, vt] = [this.embed(picture), this.#transformed(other)] // [N, D]
    const n = sizeOf(v.shape, 0)
    const draw = (): Tensor =>
      ops.cast(
        ops.floor(ops.randomUniform([n, this.#config.num_negatives + 1], { low: 0, high: this.#entries })),
        'int64',
      )
    return { loss: this.nce.forward([vt, v], target, [draw(), draw()]), embeddings: [v, vt] }
  }
}
