/**
 * Convolutions by the kernels of ONNX Runtime that keep channels in blocks, as wide as the processor's vectors: for weights that are
 * known when a model is loaded it takes them by itself, for those of a training step only if the model asks for them. They take 0.6 to
 * 0.95 of the time (docs/decisions/025-channel-blocks.md).
 */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'
import type { ConvAttributes } from './conv.ts'
import { chosenRows, sharedIndices } from './shared-indices.ts'

const domain = 'com.microsoft.nchwc'

export interface BlockedConvolution {
  /** Names of x, weight and, if there is one, bias. */
  readonly inputs: readonly string[]
  /** [out, in, ...kernel]; `turned`: [in, out, ...kernel], and the kernel is turned around. */
  readonly weight: Shape
  readonly turned: boolean
  /** [N, out, ...positions] */
  readonly output: Shape
  /** Attributes of ONNX's Conv. */
  readonly options: {
    readonly strides: readonly number[]
    readonly pads: readonly number[]
    readonly dilations: readonly number[]
    readonly group: number
  }
}

/** The attributes of ONNX's Conv. */
export function onnxOptions({
  stride,
  before,
  after,
  dilation,
  groups,
}: ConvAttributes): BlockedConvolution['options'] {
  return { strides: stride, pads: [...before, ...after], dilations: dilation, group: groups }
}

// With fewer positions for each weight, putting the weights in order takes longer than the faster kernel saves. What a turned
// kernel stands for otherwise (ConvTranspose) is slower.
const fewestPositions = 1024
const fewestTurned = 256

/** Whether blocks of this many channels can be used, and are worth it. */
function paysInBlocks(block: number, { weight, turned, output, options }: BlockedConvolution): boolean {
  const [first, second, ...kernel] = channelSizes(weight)
  const positions = elementCount(output) / sizeOf(output, 1) // of all examples
  return (
    block > 1 &&
    options.group === 1 &&
    kernel.length === 2 &&
    first % block === 0 &&
    second % block === 0 &&
    positions >= (turned ? fewestTurned : fewestPositions)
  )
}

/** Which rows, of a block of out channels each, a blocked weight is made of. */
export interface RowsOfWeight {
  readonly out: number
  readonly inner: number
  /** The places of the kernel, in their order. */
  readonly places: readonly number[]
  /** How the rows lie: [in, places, out blocks], or with the places first: [places, in, out blocks]. */
  readonly placesFirst: boolean
  /** How many places there are to choose from. */
  readonly count: number
}

/** Where the rows of the blocked weight [out blocks, in blocks, places, in of the block] are found. */
function orderOfRows(block: number, { out, inner, places, placesFirst, count }: RowsOfWeight): Int32Array {
  const blocks = out / block
  return sharedIndices(
    ['weight', block, out, inner, placesFirst, count, places],
    blocks * inner * places.length,
    (push) => {
      for (let outBlock = 0; outBlock < blocks; outBlock++)
        for (let start = 0; start < inner; start += block)
          for (const place of places)
            for (let channel = start; channel < start + block; channel++)
              push(blocks * (placesFirst ? place * inner + channel : channel * count + place) + outBlock)
    },
  )
}

/** Puts the rows of a weight in order: a blocked weight, for `window` places. */
export function blockedWeight(emit: Emitter, columns: string, rows: RowsOfWeight, window: readonly number[]): string {
  const order = orderOfRows(emit.channelBlock, rows)
  const chosen = chosenRows(emit, emit.node('Reshape', [columns, emit.ints([-1, emit.channelBlock])]), order)
  return emit.node('Reshape', [chosen, emit.ints([rows.out, rows.inner, ...window])])
}

/** Writes the convolution, with input and output in their usual order of channels; undefined where blocks cannot be used, or are not worth it. */
export function lowerInBlocks(emit: Emitter, convolution: BlockedConvolution): string | undefined {
  if (emit.storesWeights || !paysInBlocks(emit.channelBlock, convolution)) return undefined
  return inUsualOrder(emit, lowerToBlocks(emit, convolution), sizeOf(convolution.output, 1))
}

/** Channels out of their blocks. */
export function inUsualOrder(emit: Emitter, blocked: string, channels: number): string {
  return emit.node('ReorderOutput', [blocked], { channels }, domain)
}

/** Writes the convolution; its result has its channels in blocks: [N, out blocks, ...positions, out of the block]. */
function lowerToBlocks(emit: Emitter, { inputs, weight, turned, options }: BlockedConvolution): string {
  const [x = '', stored = '', ...bias] = inputs
  const kernel = weight.slice(2)
  const count = elementCount(kernel)
  const [out, inner] = turned ? [sizeOf(weight, 1), sizeOf(weight, 0)] : [sizeOf(weight, 0), sizeOf(weight, 1)]
  const matrix = emit.node('Reshape', [stored, emit.ints(turned ? [-1, count] : [out, -1])])
  const columns = emit.node('Transpose', [matrix], { perm: [1, 0] })
  const places = Array.from({ length: count }, (_, place) => (turned ? count - 1 - place : place))
  const filter = blockedWeight(emit, columns, { out, inner, places, placesFirst: turned, count }, kernel)
  return blockedConvolution(emit, [inBlocks(emit, x), filter, ...bias], { kernel_shape: kernel, ...options })
}

/** Channels into blocks: [N, C, ...positions] -> [N, blocks, ...positions, C of the block]; the runtime calls it [N, C, ...positions]. */
export function inBlocks(emit: Emitter, x: string): string {
  return emit.node('ReorderInput', [x], {}, domain)
}

/** The convolution of x in blocks with a weight [out blocks, in blocks, ...kernel, in of the block, out of the block], and a bias. */
export function blockedConvolution(
  emit: Emitter,
  inputs: readonly string[],
  attributes: { readonly kernel_shape: readonly number[] } & BlockedConvolution['options'],
): string {
  return emit.node('Conv', inputs, attributes, domain)
}
