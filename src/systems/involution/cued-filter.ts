/** A task in which the right filter depends on a local cue: each pixel is asked for the value of another one, its colour says in which direction. */
import { Conv2d, Involution, Module, ReLU, Sequential } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'

/** The models that are compared, by how they are called. */
export const models = ['involution', 'convolution', 'convolution-relu'] as const
export type ModelName = (typeof models)[number]

export const titles: Readonly<Record<ModelName, string>> = {
  involution: 'one involution',
  convolution: 'one convolution',
  'convolution-relu': 'convolution, ReLU, 1x1 convolution',
}

/** Sizes of the task and of the layers. */
export interface CuedTask {
  /** Of the layers: one for each colour, the signal, empty ones. */
  readonly channels: number
  /** K. */
  readonly kernel_size: number
  /** Height and width of a picture. */
  readonly side: number
  /** Colours. */
  readonly cues: number
}

/** Where each colour's pixels find their value: `distance` rows or columns away, in eight directions in turn. */
function offsetsOf(cues: number, kernelSize: number): [down: number, right: number][] {
  const reach = (kernelSize - 1) / 2
  const directions: [number, number][] = [
    [0, 1],
    [1, 0],
    [0, -1],
    [-1, 0],
    [1, 1],
    [-1, -1],
    [1, -1],
    [-1, 1],
  ]
  return directions.slice(0, cues).map(([down, right]) => [down * reach, right * reach])
}

/** Colours come in squares of so many pixels, as surfaces of a thing do. */
const cell = 4

/** One picture [channels, side, side] of a signal [side, side] and the colours of its squares, and what is asked for [side, side]. */
export function cuedPicture(
  { channels, kernel_size, side, cues }: CuedTask,
  signal: ArrayLike<number>,
  colors: ArrayLike<number>,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const area = side * side
  const [x, y] = [new Float32Array(channels * area), new Float32Array(area)]
  const offsets = offsetsOf(cues, kernel_size)
  const cells = Math.ceil(side / cell)
  for (let i = 0; i < area; i++) {
    const [row, column] = [Math.floor(i / side), i % side]
    const cue = colors[Math.floor(row / cell) * cells + Math.floor(column / cell)] ?? 0
    const [down, right] = offsets[cue] ?? [0, 0]
    const [from, across] = [row + down, column + right]
    x[cue * area + i] = 1
    x[cues * area + i] = signal[i] ?? 0
    const isInside = from >= 0 && across >= 0 && from < side && across < side
    y[i] = isInside ? (signal[from * side + across] ?? 0) : 0
  }
  return { x, y }
}

/** Pictures and what is asked for: x [N, channels, side, side], y [N, 1, side, side]. */
export function cuedPictures(
  settings: CuedTask,
  count: number,
  seed: bigint,
): { readonly x: NDArray; readonly y: NDArray } {
  const { channels, side, cues } = settings
  const random = new Generator(seed)
  const area = side * side
  const cells = Math.ceil(side / cell)
  const [x, y] = [new Float32Array(count * channels * area), new Float32Array(count * area)]
  for (let n = 0; n < count; n++) {
    const signal = random.normal(area)
    const colors = random.integers(0, cues, cells * cells)
    const drawn = cuedPicture(settings, signal, colors)
    x.set(drawn.x, n * channels * area)
    y.set(drawn.y, n * area)
  }
  return {
    x: { dtype: 'float32', shape: [count, channels, side, side], data: x },
    y: { dtype: 'float32', shape: [count, 1, side, side], data: y },
  }
}

/** A layer whose channel after the colours is the answer. */
export class Filter extends Module {
  readonly layer: Involution | Conv2d | Sequential
  readonly #answer: number

  constructor(name: ModelName, { channels, kernel_size, cues }: CuedTask) {
    super()
    const conv = (): Conv2d => new Conv2d(channels, channels, kernel_size, { padding: (kernel_size - 1) / 2 })
    this.layer =
      name === 'involution'
        ? new Involution(channels, kernel_size, 1, { groupChannels: 16 })
        : name === 'convolution'
          ? conv()
          : new Sequential(conv(), new ReLU(), new Conv2d(channels, channels, 1))
    this.#answer = cues
  }

  /** [N, channels, H, W] -> [N, 1, H, W]. */
  forward(x: Tensor): Tensor {
    return ops.slice(this.layer.forward(x), [this.#answer, this.#answer + 1], 1)
  }
}
