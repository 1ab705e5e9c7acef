/** Pictures from noise: the loop over the steps of a process, each step one run of a compiled program. */
import { type Compiled, compile } from '../../compile/compile.ts'
import type { Module } from '../../nn/index.ts'
import type { ThreadOptions } from '../../tasks/experiment.ts'
import { elementCount, fromNumbers, type NDArray } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { deriveSeed, RandomStream } from '../../util/random.ts'
import type { GaussianDiffusion, Guide, Network } from './gaussian-diffusion.ts'

/** Pictures [B, C, H, W] in [-1, 1] as bytes [B, H, W, C]: (x + 1) 127.5, clamped, the fraction cut off. */
export function toBytes({ shape, data }: NDArray): NDArray {
  const [batch, channels, height, width] = sizes(shape, 4)
  const bytes = new Uint8Array(data.length)
  const plane = height * width
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) {
        const value = (Number(data[(n * channels + c) * plane + i]) + 1) * 127.5
        bytes[(n * plane + i) * channels + c] = Math.trunc(Math.min(255, Math.max(0, value)))
      }
    }
  }
  return { dtype: 'uint8', shape: [batch, height, width, channels], data: bytes }
}

export const samplerNames = ['ddim', 'ancestral'] as const

/** What samples, and how. */
export interface SamplerOptions extends ThreadOptions {
  readonly diffusion: GaussianDiffusion
  /** All that computes: in evaluation mode while sampling. */
  readonly modules: readonly Module[]
  /** The denoiser for labels int64 [B]. */
  readonly network: (labels: Tensor) => Network
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

/** Which pictures are wanted. */
export interface SampleRequest {
  /** The label of each picture; any number where there are no classes. */
  readonly labels: readonly number[]
  /** The noise of picture i follows from it and from i alone. */
  readonly seed: number
  /** Called after each step. */
  readonly onStep?: (done: number, all: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Draws pictures. One program is compiled, for batches of one size: what a last batch has too many is thrown away. All noise of a
 * picture comes from a stream of its own, so it is the same in any batch (but for rounding: sums may be ordered differently).
 */
export class PictureSampler {
  readonly #options: SamplerOptions
  readonly #state: Variable
  readonly #step: Compiled<[t: Tensor, noise: Tensor | undefined, labels: Tensor], object>

  constructor(options: SamplerOptions) {
    const { diffusion, network, guide, sampler, eta = 0, batchSize, threads } = options
    this.#options = options
    this.#state = new Variable([batchSize, ...options.shape])
    this.#step = compile(
      (t: Tensor, noise: Tensor | undefined, labels: Tensor) => {
        const [x, guided] = [this.#state.value, { guide: guide?.(labels) }]
        const { sample } =
          noise && sampler === 'ancestral'
            ? diffusion.pSample(network(labels), x, t, noise, guided)
            : diffusion.ddimSample(network(labels), x, t, { ...guided, eta, ...(noise && { noise }) })
        this.#state.assign(sample)
        return {}
      },
      threads === undefined ? {} : { threads },
    )
  }

  /** Pictures [count, C, H, W] in about [-1, 1]. */
  async sample(request: SampleRequest): Promise<NDArray> {
    const { modules, shape, batchSize } = this.#options
    const { labels } = request
    const training = modules.map((module) => module.training)
    for (const module of modules) module.eval()
    try {
      const size = elementCount(shape)
      const pictures = new Float32Array(labels.length * size)
      for (let start = 0; start < labels.length; start += batchSize) {
        const found = await this.#batch(request, start)
        pictures.set(found.subarray(0, Math.min(found.length, (labels.length - start) * size)), start * size)
      }
      return { dtype: 'float32', shape: [labels.length, ...shape], data: pictures }
    } finally {
      for (const [i, module] of modules.entries()) module.train(training[i] ?? false)
    }
  }

  async #batch({ labels, seed, onStep, signal }: SampleRequest, start: number): Promise<Float32Array> {
    const { diffusion, shape, batchSize, sampler, eta = 0 } = this.#options
    const streams = Array.from(
      { length: batchSize },
      (_, i) => new RandomStream(deriveSeed(seed, 'picture', start + i)),
    )
    const size = elementCount(shape)
    const noiseOf = (call: number): Float32Array => {
      const noise = new Float32Array(batchSize * size)
      for (const [i, stream] of streams.entries()) noise.set(stream.normal(call, 0, size), i * size)
      return noise
    }
    const chosen = Array.from({ length: batchSize }, (_, i) => labels[start + i] ?? labels[start] ?? 0)
    const given = constant(fromNumbers('int64', chosen), [batchSize], 'int64')
    const drawsAgain = sampler === 'ancestral' || eta !== 0
    const batches = Math.ceil(labels.length / batchSize)
    this.#state.set(noiseOf(0))
    for (let t = diffusion.steps - 1; t >= 0; t--) {
      signal?.throwIfAborted()
      const time = constant(new BigInt64Array(batchSize).fill(BigInt(t)), [batchSize], 'int64')
      const noise = drawsAgain ? constant(noiseOf(diffusion.steps - t), this.#state.shape, 'float32') : undefined
      await this.#step(time, noise, given)
      onStep?.((start / batchSize) * diffusion.steps + diffusion.steps - t, batches * diffusion.steps)
    }
    return Float32Array.from(this.#state.data, Number)
  }

  /** Frees the program. */
  release(): Promise<void> {
    return this.#step.release()
  }
}
