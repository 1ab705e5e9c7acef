/**
 * The judge: a small classifier that is trained on clean pictures which no other network of a study has seen. It names the classes of
 * drawn pictures, and what it makes of them before its last layer are the features of all distances. They are no Inception network's:
 * distances are to be compared with each other, not with published ones.
 */
import { compile } from '../../../compile/compile.ts'
import { Conv2d, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { elementCount, type NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'

/** Channels of the spatial features, as many as OpenAI's evaluator takes. */
const spatialChannels = 7

/** Two convolutions of 3x3 with ReLU and pooling, a hidden layer of 64, classes. */
export class Judge extends Module {
  readonly conv1: Conv2d
  readonly conv2: Conv2d
  readonly hidden: Linear
  readonly head: Linear

  constructor({ image_size: [height, width], in_channels, labels }: PictureFacts) {
    super()
    this.conv1 = new Conv2d(in_channels, 16, 3, { padding: 1 })
    this.conv2 = new Conv2d(16, 32, 3, { padding: 1 })
    this.hidden = new Linear(32 * Math.floor(height / 4) * Math.floor(width / 4), 64)
    this.head = new Linear(64, labels.length)
  }

  /** images [N, C, H, W] in [-1, 1] -> [N, 32, H / 2, W / 2]. */
  map(images: Tensor): Tensor {
    const first = ops.maxPool2d(ops.relu(this.conv1.forward(images)), 2) // [N, 16, H / 2, W / 2]
    return ops.relu(this.conv2.forward(first))
  }

  #hidden(map: Tensor): Tensor {
    return ops.relu(this.hidden.forward(ops.flatten(ops.maxPool2d(map, 2), 1))) // [N, 64]
  }

  /** images [N, C, H, W] in [-1, 1] -> logits [N, K]. */
  forward(images: Tensor): Tensor {
    return this.head.forward(this.#hidden(this.map(images)))
  }

  /** images -> features [N, 64], those of places [N, 7 H W / 4], and probabilities [N, K]. */
  features(images: Tensor): { readonly pool: Tensor; readonly spatial: Tensor; readonly probabilities: Tensor } {
    const map = this.map(images)
    const pool = this.#hidden(map)
    return {
      pool,
      spatial: ops.flatten(ops.slice(map, [0, spatialChannels], 1), 1),
      probabilities: ops.softmax(this.head.forward(pool), -1),
    }
  }
}

/** What a network says of pictures. */
export interface Features {
  /** [N, width] */
  readonly pool: NDArray
  /** Of places, [N, width]. */
  readonly spatial?: NDArray
  /** [N, K] */
  readonly probabilities?: NDArray
}

/** Gives the features of pictures uint8 [N, C, H, W]. */
export type FeatureNetwork = (pictures: NDArray) => Promise<Features>

/** Pictures at once. */
const batchSize = 250

/** Runs `run` over batches of rows, the last one filled up, and joins what it gives by name. */
export async function inBatches<Name extends string>(
  { shape, data }: NDArray,
  size: number,
  run: (rows: NDArray) => Promise<Readonly<Record<Name, NDArray>>>,
): Promise<Record<Name, NDArray>> {
  const count = sizeOf(shape, 0)
  const row = data.length / count
  const batch = Math.min(size, count)
  const joined = new Map<string, { readonly shape: number[]; readonly data: Float32Array }>()
  for (let start = 0; start < count; start += batch) {
    const pixels = new Uint8Array(batch * row)
    pixels.set((data as Uint8Array).subarray(start * row, Math.min(count, start + batch) * row))
    const found = await run({ dtype: 'uint8', shape: [batch, ...shape.slice(1)], data: pixels })
    for (const [name, array] of Object.entries<NDArray>(found)) {
      const own = array.shape.slice(1)
      const width = elementCount(own)
      const whole = joined.get(name) ?? { shape: [count, ...own], data: new Float32Array(count * width) }
      const used = (array.data as Float32Array).subarray(0, Math.min(batch, count - start) * width)
      whole.data.set(used, start * width)
      joined.set(name, whole)
    }
  }
  const entries = [...joined].map(([name, array]) => [name, { dtype: 'float32', ...array }] as const)
  return Object.fromEntries<NDArray>(entries) as Record<Name, NDArray>
}

/** The features of a trained judge. */
export function judgeFeatures(judge: Judge, options: ThreadOptions): FeatureNetwork {
  const run = compile((image: Tensor) => judge.features(normalizePixels(image)), options)
  return (pictures) => {
    judge.eval()
    return inBatches(pictures, batchSize, async (rows) => {
      const { pool, spatial, probabilities } = await run(constant(rows.data, rows.shape, 'uint8'))
      return { pool: pool.array, spatial: spatial.array, probabilities: probabilities.array }
    })
  }
}
