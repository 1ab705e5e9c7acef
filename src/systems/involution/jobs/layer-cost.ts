/** The layers whose cost is compared, of equal channels: what one computes, and how much that is. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { Conv2d, Involution, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { type Cost, costOfCalls, residentMebibytes } from '../../measurement.ts'

export const layerNames = ['convolution', 'depthwise', 'involution', 'local-attention', 'attention'] as const
export type LayerName = (typeof layerNames)[number]

export const layerTitles: Readonly<Record<LayerName, string>> = {
  convolution: 'convolution',
  depthwise: 'depthwise convolution',
  involution: 'involution',
  'local-attention': 'self-attention in windows',
  attention: 'self-attention over all pixels',
}

export const costTask = z.object({
  layer: z.enum(layerNames),
  side: z.number(),
  kernel: z.number(),
  channels: z.number(),
  heads: z.number(),
  batch: z.number(),
  calls: z.number(),
  threads: z.number().optional(),
})
export type CostTask = z.infer<typeof costTask>

export const costResult = z.object({ milliseconds: z.number(), peakMebibytes: z.number() })

/** Multiply-adds for one picture, with what makes kernels (r = 4, groups of 16 channels) or queries, keys and values. */
export function multiplyAdds({
  layer,
  side,
  kernel,
  channels,
}: Pick<CostTask, 'layer' | 'side' | 'kernel' | 'channels'>) {
  const [pixels, places] = [side * side, kernel * kernel]
  switch (layer) {
    case 'convolution':
      return pixels * places * channels * channels
    case 'depthwise':
      return pixels * places * channels
    case 'involution':
      return pixels * ((channels * channels) / 4 + (channels / 4) * places * (channels / 16) + channels * places)
    case 'local-attention':
      return pixels * (3 * channels * channels + 2 * places * channels)
    case 'attention':
      return pixels * 3 * channels * channels + 2 * pixels * pixels * channels
  }
}

/** Queries, keys and values by 1x1 convolutions, attention in windows or over all pixels. */
class SelfAttention extends Module {
  readonly qkv: Conv2d
  readonly #heads: number
  readonly #kernel: number | undefined

  constructor(channels: number, heads: number, kernel?: number) {
    super()
    this.qkv = new Conv2d(channels, 3 * channels, 1)
    this.#heads = heads
    this.#kernel = kernel
  }

  forward(x: Tensor): Tensor {
    const [n, channels, height, width] = x.sizes(4)
    const depth = channels / this.#heads
    const [query, key, value] = ops.split(this.qkv.forward(x), channels, 1) as [Tensor, Tensor, Tensor]
    const heads = (part: Tensor): Tensor =>
      ops.permute(ops.reshape(part, [n, this.#heads, depth, height * width]), [0, 1, 3, 2])
    if (this.#kernel === undefined) {
      const found = ops.scaledDotProductAttention(heads(query), heads(key), heads(value))
      return ops.reshape(ops.permute(found, [0, 1, 3, 2]), [n, channels, height, width])
    }
    const [kernel, places] = [this.#kernel, this.#kernel ** 2]
    const windows = ops.reshape(ops.unfold(key, kernel, { padding: (kernel - 1) / 2 }), [
      n,
      this.#heads,
      depth,
      places,
      height,
      width,
    ])
    const own = ops.reshape(query, [n, this.#heads, depth, 1, height, width])
    const scores = ops.div(ops.sum(ops.mul(own, windows), 2), Math.sqrt(depth))
    const kernels = ops.reshape(ops.softmax(scores, 2), [n, this.#heads, kernel, kernel, height, width])
    return ops.involution(value, kernels, { padding: (kernel - 1) / 2 })
  }
}

function makeLayer({ layer, kernel, channels, heads }: CostTask): Module & { forward(x: Tensor): Tensor } {
  const padding = (kernel - 1) / 2
  switch (layer) {
    case 'convolution':
      return new Conv2d(channels, channels, kernel, { padding, bias: false })
    case 'depthwise':
      return new Conv2d(channels, channels, kernel, { padding, bias: false, groups: channels })
    case 'involution':
      return new Involution(channels, kernel, 1)
    case 'local-attention':
      return new SelfAttention(channels, heads, kernel)
    case 'attention':
      return new SelfAttention(channels, heads)
  }
}

/** Time and memory of the layer in evaluation mode. */
export async function measureLayer(task: CostTask): Promise<Cost> {
  const before = residentMebibytes()
  const model = makeLayer(task).eval()
  const { batch, channels, side, threads } = task
  const x: NDArray = {
    dtype: 'float32',
    shape: [batch, channels, side, side],
    data: new Generator(1).normal(batch * channels * side * side),
  }
  const run = compile((x: Tensor) => model.forward(x), threadOptions({ threads }))
  const cost = await costOfCalls(() => run(x), task.calls, before)
  await run.release()
  return cost
}
