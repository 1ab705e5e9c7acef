/**
 * 3x3 convolutions with stride 1 by minimal filtering, F(2x2, 3x3) (Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks", section
 * 4.1, after Winograd): a tile of 2x2 results takes 16 products of each channel instead of 36. y = A'[(G w G') * (B' d B)]A for each tile, where d are
 * the 4x4 numbers of the picture that it reads. Both sides of a matrix at once are its Kronecker product with itself: one product from the left.
 */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'
import { emitProduct } from '../products/transposed.ts'
import type { BlockedConvolution } from './blocks.ts'
import { chosenRows, sharedIndices } from './shared-indices.ts'
import type { Side } from './weight-blocks.ts'

type Matrix = readonly (readonly number[])[]

const ofPicture: Matrix = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
]
const ofKernel: Matrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
]
const ofResult: Matrix = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
]

/** Results of a tile along an axis, numbers of the picture that they read, places of the kernel; products of a tile. */
const [tileSize, windowSize, kernelSize] = [2, 4, 3]
const products = windowSize * windowSize

/** The Kronecker product of a matrix with itself. */
const squared = (matrix: Matrix): Matrix =>
  matrix.flatMap((row) => matrix.map((column) => row.flatMap((left) => column.map((right) => left * right))))

const transposed = (matrix: Matrix): Matrix =>
  (matrix[0] ?? []).map((_, column) => matrix.map((row) => sizeOf(row, column)))

function matrixConstant(emit: Emitter, matrix: Matrix): string {
  return emit.constant('float32', [matrix.length, matrix[0]?.length ?? 0], Float32Array.from(matrix.flat()))
}

/** A picture in tiles: rows of them, those of one example after those of the other; `top` and `left`: how far the first window lies outside. */
interface Tiles {
  readonly tall: number
  readonly wide: number
  readonly top: number
  readonly left: number
  /** Numbers of a window along an axis. */
  readonly size: number
}

function tilesOf([, , height = 0, width = 0]: Shape, { top = 0, left = 0, size = tileSize } = {}): Tiles {
  return { tall: Math.ceil(height / tileSize), wide: Math.ceil(width / tileSize), top, left, size }
}

/** A part of the tiles: rows of them, from the one to before the other. */
interface Part {
  readonly from: number
  readonly to: number
}

// What the cache holds of a part; more parts than that are too many nodes for what they save.
const [cachedNumbers, mostParts] = [2 ** 20, 16]

/** Numbers of all products of the tiles, or of what they are made of. */
function productNumbers(output: Shape, [out = 0, inner = 0]: Shape): number {
  const { tall, wide } = tilesOf(output)
  return products * sizeOf(output, 0) * tall * wide * Math.max(out, inner)
}

/** Parts that are about equally large, whose windows and products the cache holds; one that is small beside the weight reads that too often. */
function partsOf(output: Shape, weight: Shape): Part[] {
  const rows = sizeOf(output, 0) * tilesOf(output).tall
  const fewest = 2 * products * sizeOf(weight, 0) * sizeOf(weight, 1)
  const count = Math.ceil(productNumbers(output, weight) / Math.max(cachedNumbers, fewest))
  const perPart = Math.ceil(rows / Math.min(count, mostParts))
  return Array.from({ length: Math.ceil(rows / perPart) }, (_, i) => ({
    from: i * perPart,
    to: Math.min(rows, (i + 1) * perPart),
  }))
}

/** A picture [N, C, height, width] as rows of the channels of a place, and one of zeros after them. */
function rowsOf(emit: Emitter, { name, shape }: Side): string {
  const [n, channels] = channelSizes(shape)
  const flat = emit.node('Reshape', [name, emit.ints([n, channels, -1])])
  const rows = emit.node('Reshape', [emit.node('Transpose', [flat], { perm: [0, 2, 1] }), emit.ints([-1, channels])])
  return emit.node('Concat', [rows, emit.constant('float32', [1, channels], new Float32Array(channels))], { axis: 0 })
}

/** The windows of a part's tiles, from a picture's rows: [size size, tiles C], with zeros outside of the picture. */
function windows(
  emit: Emitter,
  rows: string,
  [n = 0, , height = 0, width = 0]: Shape,
  tiles: Tiles,
  part: Part,
): string {
  const { tall, wide, top, left, size } = tiles
  const { from, to } = part
  const count = size * size * (to - from) * wide
  const list = sharedIndices(['windows', n, height, width, ...Object.values(tiles), from, to], count, (push) => {
    for (let a = 0; a < size; a++)
      for (let b = 0; b < size; b++)
        for (let at = from; at < to; at++)
          for (let j = 0; j < wide; j++) {
            const [row, column] = [(at % tall) * tileSize + a - top, j * tileSize + b - left]
            const isInside = row >= 0 && row < height && column >= 0 && column < width
            push(isInside ? (Math.floor(at / tall) * height + row) * width + column : n * height * width)
          }
  })
  return emit.node('Reshape', [chosenRows(emit, rows, list), emit.ints([size * size, -1])])
}

/** A matrix times [columns, n], as [rows of the matrix, n / width, width]. */
function fromLeft(emit: Emitter, matrix: string, name: string, width: number): string {
  // 0: as many rows as the product has.
  return emit.node('Reshape', [emit.node('MatMul', [matrix, name]), emit.ints([0, -1, width])])
}

/** What a weight [a, b, 3, 3] is multiplied as: [16, a, b]. `turned`: the kernel turned around. */
function kernelFactors(emit: Emitter, name: string, [a = 0, b = 0]: Shape, turned: boolean): string {
  const matrix = squared(ofKernel).map((row) => (turned ? row.toReversed() : row))
  const rows = emit.node('Reshape', [name, emit.ints([a * b, kernelSize * kernelSize])])
  const factors = emitProduct(emit, matrixConstant(emit, matrix), rows, { transposeB: true })
  return emit.node('Reshape', [factors, emit.ints([products, a, b])])
}

/** The results of a part [4, tiles, out] as rows of the picture's places, each with all channels; tiles may reach beyond the picture. */
function placedRows(emit: Emitter, tiles: string, output: Shape, { from, to }: Part): string {
  const [, out, height = 0, width = 0] = channelSizes(output)
  const { tall, wide } = tilesOf(output)
  // The last row of an odd number of them has a row of tiles for itself.
  const heights = Array.from({ length: to - from }, (_, i) =>
    Math.min(tileSize, height - ((from + i) % tall) * tileSize),
  )
  const count = width * heights.reduce((total, rows) => total + rows, 0)
  const list = sharedIndices(['results', height, width, from % tall, to - from], count, (push) => {
    for (const [i, rows] of heights.entries())
      for (let a = 0; a < rows; a++)
        for (let column = 0; column < width; column++) {
          const place = a * tileSize + (column % tileSize)
          push((place * heights.length + i) * wide + Math.floor(column / tileSize))
        }
  })
  return chosenRows(emit, emit.node('Reshape', [tiles, emit.ints([-1, out])]), list)
}

/** What the choice depends on. */
type Sizes = Pick<BlockedConvolution, 'weight' | 'output' | 'options'>

// With fewer channels the products are too small beside what is put into place for them, with fewer positions beside the weight's factors.
const [fewestChannels, fewestPositions] = [96, 256]
// Parts twice as large as the cache likes are as fast; larger ones are not.
const mostNumbers = 2 * mostParts * cachedNumbers
const isOne = (step: number): boolean => step === 1

/** Whether a convolution of these sizes, or its weight's gradient, can be had by tiles, and soonest so. */
export function paysInTiles({ weight, output, options }: Sizes): boolean {
  const [first, second, ...kernel] = channelSizes(weight)
  return (
    kernel.length === 2 &&
    kernel.every((size) => size === kernelSize) &&
    options.group === 1 &&
    [...options.strides, ...options.dilations].every(isOne) &&
    Math.min(first, second) >= fewestChannels &&
    elementCount(output) / sizeOf(output, 1) >= fewestPositions &&
    productNumbers(output, weight) <= mostNumbers
  )
}

// A model for other places has ONNX's operators; for weights that it stores the runtime chooses; lists of rows are for one size.
const mayUseTiles = (emit: Emitter, sizes: Sizes): boolean =>
  emit.fused && emit.oneSize && !emit.storesWeights && paysInTiles(sizes)

/** Writes the convolution; undefined where it cannot be had by tiles, or is not worth it. */
export function lowerInTiles(emit: Emitter, convolution: BlockedConvolution): string | undefined {
  if (!mayUseTiles(emit, convolution)) return undefined
  const { inputs, weight, turned, output, options } = convolution
  const [x = '', stored = '', shift] = inputs
  const [top = 0, left = 0, bottom = 0, right = 0] = options.pads
  const [n, out, height = 0, width = 0] = channelSizes(output)
  const inner = sizeOf(weight, turned ? 0 : 1)
  const reach = kernelSize - 1
  const picture = [n, inner, height + reach - top - bottom, width + reach - left - right]
  const tiles = tilesOf(output, { top, left, size: windowSize })
  const rows = rowsOf(emit, { name: x, shape: picture })
  const kernels = kernelFactors(emit, stored, weight, turned)
  const [forPicture, forResult] = [matrixConstant(emit, squared(ofPicture)), matrixConstant(emit, squared(ofResult))]
  const parts = partsOf(output, weight).map((part) => {
    const factors = fromLeft(emit, forPicture, windows(emit, rows, picture, tiles, part), inner)
    const sums = emitProduct(emit, factors, kernels, { transposeB: !turned }, 3)
    const placed = fromLeft(emit, forResult, emit.node('Reshape', [sums, emit.ints([products, -1])]), out)
    return placedRows(emit, shift === undefined ? placed : emit.node('Add', [placed, shift]), output, part)
  })
  const [only = ''] = parts
  const all = parts.length > 1 ? emit.node('Concat', parts, { axis: 0 }) : only
  const pictures = emit.node('Reshape', [all, emit.ints([n, -1, out])])
  return emit.node('Reshape', [emit.node('Transpose', [pictures], { perm: [0, 2, 1] }), emit.ints(output)])
}

/** The gradient [out, in, 3, 3] of the weight of a convolution of x, from that of its result; undefined as above. */
export function lowerWeightInTiles(emit: Emitter, x: Side, g: Side, sizes: Omit<Sizes, 'output'>): string | undefined {
  const { weight, options } = sizes
  if (!mayUseTiles(emit, { ...sizes, output: g.shape })) return undefined
  const [top = 0, left = 0] = options.pads
  const [out, inner] = channelSizes(weight)
  const [overInput, overResult] = [tilesOf(g.shape, { top, left, size: windowSize }), tilesOf(g.shape)]
  const [ofX, ofG] = [rowsOf(emit, x), rowsOf(emit, g)]
  const [forX, forG] = [matrixConstant(emit, squared(ofPicture)), matrixConstant(emit, transposed(squared(ofResult)))]
  const parts = partsOf(g.shape, weight).map((part) => {
    const pictures = fromLeft(emit, forX, windows(emit, ofX, x.shape, overInput, part), inner)
    const gradients = fromLeft(emit, forG, windows(emit, ofG, g.shape, overResult, part), out)
    return emitProduct(emit, gradients, pictures, { transposeA: true }, 3)
  })
  const sums = parts.reduce((total, part) => emit.node('Add', [total, part]))
  const flat = emit.node('Reshape', [sums, emit.ints([products, out * inner])])
  const kernels = emitProduct(emit, flat, matrixConstant(emit, squared(ofKernel)), { transposeA: true })
  return emit.node('Reshape', [kernels, emit.ints(weight)])
}
