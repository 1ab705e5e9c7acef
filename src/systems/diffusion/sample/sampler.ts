/** Pictures from noise: the loop over the steps of a process, each step one run of a compiled program. */
import { type Compiled, compile } from '../../../compile/compile.ts'
import type { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { elementCount, fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import { deriveSeed, RandomStream } from '../../../util/random.ts'
import type { Conditions } from '../conditions.ts'
import type { GaussianDiffusion, Guide, Network } from '../gaussian-diffusion.ts'

/** A number in [-1, 1] as a byte: (x + 1) 127.5, clamped, the fraction cut off. */
export function byteOf(value: number): number {
  return Math.trunc(Math.min(255, Math.max(0, (value + 1) * 127.5)))
}

/** Pictures [B, C, H, W] in [-1, 1] as bytes [B, H, W, C]. */
export function toBytes({ shape, data }: NDArray): NDArray {
  const [batch, channels, height, width] = sizes(shape, 4)
  const bytes = new Uint8Array(data.length)
  const plane = height * width
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) {
        bytes[(n * plane + i) * channels + c] = byteOf(Number(data[(n * channels + c) * plane + i]))
      }
    }
  }
  return { dtype: 'uint8', shape: [batch, height, width, channels], data: bytes }
}

export const samplerNames = ['ddim', 'ancestral'] as const

/**
 * So many steps of a process of `trained` ones, as `spaceTimesteps` reads them. Ancestral: evenly from the first to the last. DDIM: by a
 * whole stride from the first, as OpenAI's scripts have it, the next number of steps for which there is one. It leaves out the last time,
 * where next to nothing of a picture is left: whatever a guide adds to the noise would be multiplied by thousands there.
 */
export function respacingOf(sampler: (typeof samplerNames)[number], steps: number, trained: number): string {
  if (sampler === 'ancestral' || steps >= trained) return String(Math.min(steps, trained))
  const stride = Math.max(1, Math.ceil(trained / steps))
  const counts = [stride, stride - 1].filter((each) => each > 0).map((each) => Math.ceil(trained / each))
  return `ddim${counts.find((count) => count >= steps) ?? trained}`
}

/** What samples, and how. */
export interface SamplerOptions extends ThreadOptions {
  readonly diffusion: GaussianDiffusion
  /** All that computes: in evaluation mode while sampling. */
  readonly modules: readonly Module[]
  /** The denoiser under conditions. */
  readonly network: (conditions: Conditions) => Network
  /** Toward these labels. Default: no guidance. */
  readonly guide?: ((labels: Tensor) => Guide) | undefined
  /** Of one picture. */
  readonly shape: readonly [channels: number, height: number, width: number]
  readonly sampler: (typeof samplerNames)[number]
  /** Of DDIM: how much noise it adds again. Default: 0, none. */
  readonly eta?: number
  /** Pictures at once. */
  readonly batchSize: number
}

/** Called after each step of all batches. */
type OnStep = (done: number, all: number) => void

/** A picture of which only a part is made. */
export interface KnownPicture {
  /** [C, H, W] in [-1, 1] */
  readonly picture: Float32Array
  /** 1 where the picture is kept, 0 where it is made, for each of its elements. */
  readonly kept: Float32Array
}

/** Which pictures are wanted. */
export interface SampleRequest {
  /** The label of each picture; any number where there are no classes. */
  readonly labels: readonly number[]
  /** The noise of picture i follows from it and from i alone. */
  readonly seed: number | bigint
  /** What the pictures are made from, [count, C, H, W]. Default: noise. */
  readonly start?: NDArray | undefined
  /** The small picture of each, [count, C, h, w], for a network that makes pictures larger. */
  readonly lowRes?: NDArray | undefined
  /** Part of this picture is in all of them. */
  readonly known?: KnownPicture | undefined
  /** Sees the pictures of a batch, which begins with picture `first`, before the first step and after each one. */
  readonly onPictures?: ((step: number, first: number, pictures: Float32Array) => void) | undefined
  readonly onStep?: OnStep | undefined
  readonly signal?: AbortSignal | undefined
}

/** Which pictures are to be encoded. */
export interface EncodeRequest extends Pick<SampleRequest, 'labels' | 'seed' | 'onStep' | 'signal'> {
  /** [count, C, H, W] in [-1, 1] */
  readonly pictures: NDArray
}

/** What a step is given that changes from batch to batch. */
interface StepInput {
  readonly labels: Tensor
  readonly lowRes: Tensor | undefined
}

/** Noise that an encoding begins with, as a share of the pictures' range of 1. */
const drawnShare = 0.1

/** Draws its noise: all that a picture needs comes from a stream of its own. */
class BatchNoise {
  readonly #streams: readonly RandomStream[]
  readonly #shape: readonly number[]
  readonly #size: number

  constructor(seed: number | bigint, first: number, shape: readonly number[]) {
    const [count = 0] = shape
    this.#streams = Array.from({ length: count }, (_, i) => new RandomStream(deriveSeed(seed, 'picture', first + i)))
    this.#shape = shape
    this.#size = elementCount(shape) / count
  }

  /** Noise number `call`; `lane` 1 is that of a known picture, 2 that of an encoding. */
  draw(call: number, lane = 0): Float32Array {
    const noise = new Float32Array(elementCount(this.#shape))
    for (const [i, stream] of this.#streams.entries()) noise.set(stream.normal(call, lane, this.#size), i * this.#size)
    return noise
  }

  tensor(call: number, lane = 0): Tensor {
    return constant(this.draw(call, lane), this.#shape, 'float32')
  }
}

/** The noise that picture `index` of a seed starts from. */
export function startingNoise(seed: number | bigint, index: number, size: number): Float32Array {
  return new BatchNoise(seed, index, [1, size]).draw(0)
}

/**
 * Draws pictures. One program is compiled, for batches of one size: what a last batch has too many is thrown away. All noise of a
 * picture comes from a stream of its own, so it is the same in any batch (but for rounding: sums may be ordered differently).
 */
export class PictureSampler {
  readonly #options: SamplerOptions
  readonly #state: Variable
  readonly #step: Compiled<[t: Tensor, noise: Tensor | undefined, labels: Tensor, lowRes: Tensor | undefined], object>
  readonly #encode: Compiled<[t: Tensor, labels: Tensor], object>
  readonly #restore: Compiled<[t: Tensor, noise: Tensor, picture: Tensor, kept: Tensor], object>

  constructor(options: SamplerOptions) {
    const { diffusion, network, guide, sampler, eta = 0, batchSize, threads } = options
    const compiling = threadOptions({ threads })
    this.#options = options
    this.#state = new Variable([batchSize, ...options.shape])
    this.#step = compile((t: Tensor, noise: Tensor | undefined, labels: Tensor, lowRes: Tensor | undefined) => {
      const [x, guided] = [this.#state.value, { guide: guide?.(labels) }]
      const told = network({ labels, lowRes })
      const { sample } =
        noise && sampler === 'ancestral'
          ? diffusion.pSample(told, x, t, noise, guided)
          : diffusion.ddimSample(told, x, t, { ...guided, eta, ...(noise && { noise }) })
      this.#state.assign(sample)
      return {}
    }, compiling)
    this.#encode = compile((t: Tensor, labels: Tensor) => {
      this.#state.assign(diffusion.ddimReverseSample(network({ labels }), this.#state.value, t).sample)
      return {}
    }, compiling)
    this.#restore = compile((t: Tensor, noise: Tensor, picture: Tensor, kept: Tensor) => {
      const noisy = diffusion.qSample(ops.broadcastTo(picture, this.#state.shape), t, noise)
      this.#state.assign(ops.where(ops.greater(kept, 0.5), noisy, this.#state.value))
      return {}
    }, compiling)
  }

  /** The process whose steps are taken. */
  get diffusion(): GaussianDiffusion {
    return this.#options.diffusion
  }

  /** Pictures [count, C, H, W] in about [-1, 1]. */
  sample(request: SampleRequest): Promise<NDArray> {
    return this.#inBatches(request.labels, (input, first) => this.#sampleBatch(request, input, first), request.lowRes)
  }

  /**
   * What DDIM makes these pictures from: its steps in reverse, but for the last one, whose result would be the noise that the network
   * predicts and not a picture on the way. The way begins with a tenth of noise, which is drawn: pixels that are always the same, as the
   * ground of digits, would else become pixels without noise, and the picture could be seen in it.
   */
  encode(request: EncodeRequest): Promise<NDArray> {
    return this.#inBatches(request.labels, (input, first) => this.#encodeBatch(request, input, first))
  }

  /** Runs `make` for each batch while all networks are in evaluation mode, and gathers what it leaves in the state. */
  async #inBatches(
    labels: readonly number[],
    make: (input: StepInput, first: number) => Promise<void>,
    lowRes?: NDArray,
  ): Promise<NDArray> {
    const { modules, shape, batchSize } = this.#options
    const makeAll = async (): Promise<NDArray> => {
      const size = elementCount(shape)
      const pictures = new Float32Array(labels.length * size)
      for (let first = 0; first < labels.length; first += batchSize) {
        const chosen = Array.from({ length: batchSize }, (_, i) => labels[first + i] ?? labels[first] ?? 0)
        const small = lowRes && constant(this.#rows(lowRes, first), [batchSize, ...lowRes.shape.slice(1)], 'float32')
        await make({ labels: constant(fromNumbers('int64', chosen), [batchSize], 'int64'), lowRes: small }, first)
        const found = Float32Array.from(this.#state.data, Number)
        pictures.set(found.subarray(0, Math.min(found.length, (labels.length - first) * size)), first * size)
      }
      return { dtype: 'float32', shape: [labels.length, ...shape], data: pictures }
    }
    return modules.reduce((body, module) => () => module.inEvalMode(body), makeAll)()
  }

  /** A batch of the rows of an array, filled up with the last ones. */
  #rows({ shape, data }: NDArray, first: number): Float32Array {
    const [count = 0] = shape
    const size = data.length / count
    const rows = new Float32Array(this.#options.batchSize * size)
    for (let i = 0; i < this.#options.batchSize; i++) {
      const row = Math.min(first + i, count - 1)
      for (let j = 0; j < size; j++) rows[i * size + j] = Number(data[row * size + j])
    }
    return rows
  }

  #time(t: number): Tensor {
    const { batchSize } = this.#options
    return constant(new BigInt64Array(batchSize).fill(BigInt(t)), [batchSize], 'int64')
  }

  async #sampleBatch(request: SampleRequest, { labels, lowRes }: StepInput, first: number): Promise<void> {
    const { seed, start, known, onPictures, onStep, signal } = request
    const { diffusion, shape, batchSize, sampler, eta = 0 } = this.#options
    const { steps } = diffusion
    const noise = new BatchNoise(seed, first, [batchSize, ...shape])
    const drawsAgain = sampler === 'ancestral' || eta !== 0
    const all = Math.ceil(request.labels.length / batchSize) * steps
    this.#state.set(start ? this.#rows(start, first) : noise.draw(0))
    if (known) await this.#keep(known, steps - 1, noise)
    const show = (step: number): void => onPictures?.(step, first, Float32Array.from(this.#state.data, Number))
    show(0)
    for (let t = steps - 1; t >= 0; t--) {
      signal?.throwIfAborted()
      await this.#step(this.#time(t), drawsAgain ? noise.tensor(steps - t) : undefined, labels, lowRes)
      if (known) await this.#keep(known, t - 1, noise)
      show(steps - t)
      onStep?.((first / batchSize) * steps + steps - t, all)
    }
  }

  /** Puts the known part back, with the noise of time t; after the last step, as it is. */
  async #keep({ picture, kept }: KnownPicture, t: number, noise: BatchNoise): Promise<void> {
    if (t < 0) {
      const found = this.#state.data
      this.#state.set(
        Float32Array.from(toNumbers(found), (value, i) => {
          const place = i % picture.length
          return (kept[place] ?? 0) > 0.5 ? (picture[place] ?? 0) : value
        }),
      )
      return
    }
    const [shape, again] = [[1, ...this.#options.shape], noise.tensor(this.#options.diffusion.steps - t, 1)]
    await this.#restore(this.#time(t), again, constant(picture, shape, 'float32'), constant(kept, shape, 'float32'))
  }

  async #encodeBatch(
    { pictures, seed, onStep, signal, ...request }: EncodeRequest,
    { labels }: StepInput,
    first: number,
  ) {
    const { diffusion, batchSize, shape } = this.#options
    const { sqrt_alphas_cumprod: kept, sqrt_one_minus_alphas_cumprod: added } = diffusion.tables
    const start = Math.max(
      0,
      added.findIndex((share) => share >= drawnShare),
    )
    const noise = new BatchNoise(seed, first, [batchSize, ...shape]).draw(0, 2)
    this.#state.set(
      this.#rows(pictures, first).map((value, i) => (kept[start] ?? 1) * value + (added[start] ?? 0) * (noise[i] ?? 0)),
    )
    const steps = diffusion.steps - 1 - start
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted()
      await this.#encode(this.#time(start + step), labels)
      onStep?.((first / batchSize) * steps + step + 1, Math.ceil(request.labels.length / batchSize) * steps)
    }
  }

  /** Frees the programs. */
  async release(): Promise<void> {
    await Promise.all([this.#step, this.#encode, this.#restore].map((program) => program.release()))
  }
}
