/** Sums over examples and positions, which are the gradient of a convolution's weight, by the runtime's convolution with channels in blocks. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import { TenfoldError } from '../../util/errors.ts'
import type { Emitter } from '../define.ts'
import { blockedConvolution, inBlocks } from './blocks.ts'
import { chosenRows, sharedIndices } from './shared-indices.ts'

/** How one axis of a picture is read: zeros before and after the data, and how far apart places of the result, and of the kernel, are. */
export interface Reading {
  readonly before: number
  readonly after: number
  readonly stride: number
  readonly dilation: number
}

/** A convolution's input, or its result's gradient: [N, channels, ...sizes]. */
export interface Side {
  readonly name: string
  readonly shape: Shape
}

export interface Sums {
  /** [N, within, height, width] */
  readonly picture: Side
  /** [N, across, height, width] */
  readonly kernel: Side
  /** How the picture's height and width are read. */
  readonly rows: Reading
  readonly columns: Reading
  /** Height and width of the result. */
  readonly window: readonly number[]
}

/** How the sums are parted: into `groups` of examples, and the kernel's rows into `bands`; with several bands a group is one block of examples. */
interface Parts {
  readonly groups: number
  readonly bands: number
}

// The part of the kernel that is read again and again should stay in the second-level cache.
const cachedElements = 2 ** 17
// A band reads as many rows of the picture more as the window has: few rows would be read several times.
const fewestRows = 2
// The runtime computes as many blocks of the kernel's channels at once.
const clusterBlocks = 4
// More groups are more results to add up; fewer are too few pieces for the runtime to hand to threads: it cuts at rows of the result.
const mostGroups = 8

const divisors = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => i + 1).filter((divisor) => count % divisor === 0)

/** undefined where the kernel [N, across, height, width] does not come in whole blocks, or its rows in bands that the cache holds. */
function partsOf([n = 0, across = 0, height = 0, width = 0]: Shape, block: number): Parts | undefined {
  if (n === 0 || n % block !== 0 || across % block !== 0) return undefined
  const perRow = width * block * Math.min(across, clusterBlocks * block)
  const fewest = n === block && across <= clusterBlocks * block ? 2 : 1
  const fitting = divisors(height).filter((bands) => {
    const rows = height / bands
    return (bands === 1 || rows >= fewestRows) && rows * perRow <= cachedElements
  })
  const bands = fitting.find((count) => count >= fewest) ?? fitting[0]
  if (bands === undefined) return undefined
  const groups = divisors(n / block).filter((count) => bands > 1 || count <= mostGroups)
  return { groups: groups.at(-1) ?? 1, bands }
}

/** Whether a side of the convolution can be the kernel, with examples and channels in blocks of that many. */
export const fitsInBlocks = (kernel: Shape, block: number): boolean => partsOf(kernel, block) !== undefined

/**
 * [across blocks, window, within, across of the block]: for each place of the window, the products of the kernel's channels with the picture's
 * that lie there, summed over examples and the kernel's positions. The examples are the convolution's channels; the picture's own channels lie
 * innermost along its width, the kernel is dilated by as many (docs/decisions/063-weight-convolution.md).
 */
export function sumsInBlocks(emit: Emitter, sums: Sums): string {
  const { kernel, picture, rows, columns, window } = sums
  const [, across, height, width] = sizesOf(kernel.shape)
  const within = sizeOf(picture.shape, 1)
  const block = emit.channelBlock
  const parts = partsOf(kernel.shape, block)
  if (!parts) throw new TenfoldError(`internal: a kernel ${formatShape(kernel.shape)} that does not fit in blocks`)
  const group = parts.groups * parts.bands
  const inputs = [placedPicture(emit, sums, parts), placedKernel(emit, kernel, parts)]
  const results = blockedConvolution(emit, inputs, {
    kernel_shape: [height / parts.bands, width],
    strides: [rows.stride, 1],
    dilations: [rows.dilation, columns.dilation * within],
    pads: parts.bands === 1 ? [rows.before, 0, rows.after, 0] : [0, 0, 0, 0],
    group,
  })
  const shape = [across / block, elementCount(window), within, block]
  if (group === 1) return emit.node('Reshape', [results, emit.ints(shape)])
  const all = emit.node('Reshape', [results, emit.ints([group, ...shape])])
  return emit.node('ReduceSum', [all, emit.ints([0])], { keepdims: 0 })
}

function sizesOf(shape: Shape): [number, number, number, number] {
  const [n, channels, height = 0, width = 0] = channelSizes(shape)
  return [n, channels, height, width]
}

/** [N, within, height, width] -> [1, N bands, rows of a band, columns within], with its zeros, in blocks. */
function placedPicture(emit: Emitter, { picture, kernel, rows, columns, window }: Sums, { bands }: Parts): string {
  const [n, within, height, width] = sizesOf(picture.shape)
  const block = emit.channelBlock
  const count = within * height * width
  // With one band the convolution adds the zeros above and below by itself, and skips them.
  const apart = (sizeOf(kernel.shape, 2) / bands) * rows.dilation
  const high = bands === 1 ? height : apart - rows.dilation + (sizeOf(window, 0) - 1) * rows.stride + 1
  const wide = (columns.before + width + columns.after) * within
  const list = sharedIndices(
    ['picture', ...picture.shape.slice(1), bands, apart, high, ...Object.values(columns), rows.before],
    bands * high * wide,
    (push) => {
      for (let band = 0; band < bands; band++)
        for (let i = 0; i < high; i++)
          for (let column = -columns.before; column < width + columns.after; column++)
            for (let channel = 0; channel < within; channel++) {
              const row = bands === 1 ? i : band * apart + i - rows.before
              const isInside = row >= 0 && row < height && column >= 0 && column < width
              push(isInside ? (channel * height + row) * width + column : count)
            }
    },
  )
  const examples = emit.node('Reshape', [picture.name, emit.ints([1, n, within * height, width])])
  const numbers = emit.node('Reshape', [inBlocks(emit, examples), emit.ints([n / block, count, block])])
  const zeros = emit.constant('float32', [n / block, 1, block], new Float32Array(n))
  const placed = chosenRows(emit, emit.node('Concat', [numbers, zeros], { axis: 1 }), list, 1)
  return emit.node('Reshape', [placed, emit.ints([1, n * bands, high, wide])])
}

/** [N, across, height, width] -> a weight [groups bands across, N / groups, rows of a band, width] in blocks. */
function placedKernel(emit: Emitter, { name, shape }: Side, { groups, bands }: Parts): string {
  const [n, across, height, width] = sizesOf(shape)
  const block = emit.channelBlock
  const [perGroup, blocks] = [n / groups, across / block]
  const [count, perBand] = [height * width, (height * width) / bands]
  const list = sharedIndices(['kernel', perGroup, blocks, count, bands, block], blocks * perGroup * count, (push) => {
    for (let band = 0; band < bands; band++)
      for (let channels = 0; channels < blocks; channels++)
        for (let start = 0; start < perGroup; start += block)
          for (let position = band * perBand; position < (band + 1) * perBand; position++)
            for (let example = start; example < start + block; example++)
              push((example * blocks + channels) * count + position)
  })
  const rows = emit.node('Reshape', [inBlocks(emit, name), emit.ints([groups, perGroup * blocks * count, block])])
  const weight = [groups * bands * across, perGroup, height / bands, width]
  return emit.node('Reshape', [chosenRows(emit, rows, list, 1), emit.ints(weight)])
}
