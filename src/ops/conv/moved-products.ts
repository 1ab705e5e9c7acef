/** The gradient of a convolution's weight as products of operands that are moved against each other, with the batch innermost. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf } from '../../tensor/shape.ts'
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { zeros } from '../creation.ts'
import { apply } from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { indexSelectOp } from '../indexing/indexing.ts'
import { concat, permute, reshape, slice } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'
import type { ConvAttributes } from './conv.ts'
import { sharedIndices } from './shared-indices.ts'
import { kernelPlaces } from './windows.ts'

/** How an operand is read along one axis: its element for each place of the kernel and each position of the product. */
interface Reading {
  readonly size: number
  /** Places of the kernel for which it is moved. */
  readonly places: number
  readonly positions: number
  /** Outside of 0 to `size` there are zeros. */
  readonly at: (place: number, position: number) => number
}

/** Who moves: the output's gradient along the last axes, the input along all others. */
interface Plan {
  readonly ofInput: readonly Reading[]
  readonly ofGradient: readonly Reading[]
  /** Elements that are written before the product. */
  readonly copied: number
}

const asItIs = (size: number): Reading => ({ size, places: 1, positions: size, at: (_, position) => position })
const product = (numbers: readonly number[]): number => numbers.reduce((total, number) => total * number, 1)
const placesOf = (axes: readonly Reading[]): number => product(axes.map(({ places }) => places))
const positionsOf = (axes: readonly Reading[]): number => product(axes.map(({ positions }) => positions))

// Putting one element of the weight into its place takes about as long as copying this many rows' elements.
const elementsForOnePermuted = 10

/** Sum over p of g[p] x[p s + j d - b] for each place j, or with stride 1 sum over q of g[q + b - j d] x[q]: what copies least. */
function planOf(x: Shape, g: Shape, weight: Shape, { stride, before, dilation, groups }: ConvAttributes): Plan {
  const [out, perGroup, ...kernel] = channelSizes(weight)
  const plans = kernel.concat(0).flatMap((_, first): Plan[] => {
    if (stride.slice(first).some((step) => step !== 1)) return []
    const readings = kernel.map((places, i): readonly [Reading, Reading] => {
      const [start, apart, step] = [sizeOf(before, i), sizeOf(dilation, i), sizeOf(stride, i)]
      const [input, gradient] = [sizeOf(x, i + 2), sizeOf(g, i + 2)]
      if (i >= first)
        return [
          asItIs(input),
          { size: gradient, places, positions: input, at: (place, at) => at + start - place * apart },
        ]
      const at = (place: number, position: number): number => position * step + place * apart - start
      return [{ size: input, places, positions: gradient, at }, asItIs(gradient)]
    })
    const [ofInput, ofGradient] = [readings.map(([reading]) => reading), readings.map(([, reading]) => reading)]
    const rows = (moved: boolean, channels: number, axes: readonly Reading[]): number =>
      moved ? channels * placesOf(axes) : 0
    const moved = rows(first > 0, perGroup * groups, ofInput) + rows(first < kernel.length, out, ofGradient)
    const permuted = first < kernel.length ? elementsForOnePermuted * elementCount(weight) : 0
    return [{ ofInput, ofGradient, copied: moved * sizeOf(x, 0) * positionsOf(ofInput) + permuted }]
  })
  return plans.reduce((best, plan) => (plan.copied < best.copied ? plan : best))
}

/** The rows of an operand with `count` rows and one of zeros after them, for all places and for positions of the first axis from `from` to `to`. */
function rowsOf(axes: readonly Reading[], from: number, to: number): Int32Array {
  // Where an axis is read is linear in place and position.
  const readings = axes.flatMap(({ size, places, positions, at }) => [
    size,
    places,
    positions,
    at(0, 0),
    at(1, 0),
    at(0, 1),
  ])
  const counts = axes.map(({ positions: all }, i) => (i === 0 ? to - from : all))
  return sharedIndices(['moved', from, to, ...readings], placesOf(axes) * product(counts), (push) => {
    const positions = kernelPlaces(counts)
    const count = product(axes.map(({ size }) => size))
    for (const place of kernelPlaces(axes.map(({ places }) => places)))
      for (const position of positions)
        push(
          axes.reduce((row, { size, at }, i) => {
            const index = at(sizeOf(place, i), sizeOf(position, i) + (i === 0 ? from : 0))
            return row === count || index < 0 || index >= size ? count : row * size + index
          }, 0),
        )
  })
}

/** [N, C, ...sizes] -> for a part of the positions along the first axis [C places, positions N]. */
type Part = (from: number, to: number) => Tensor

function partsOf(x: Tensor, axes: readonly Reading[]): Part {
  const [n, channels, ...sizes] = channelSizes(x.shape)
  const turned = permute(reshape(x, [n, -1]), [1, 0]) // rows of one number for each example: all moves are by whole rows
  const isMoved = (reading: Reading): boolean =>
    reading.places > 1 || reading.positions !== reading.size || reading.at(0, 0) !== 0
  const leading = axes.slice(0, 1 + axes.findLastIndex(isMoved))
  const block = n * elementCount(sizes.slice(leading.length))
  const perStep = n * product(axes.slice(1).map(({ positions }) => positions))
  if (leading.length === 0) {
    const whole = reshape(turned, [channels, -1])
    return (from, to) => slice(whole, [from * perStep, to * perStep], 1)
  }
  const rows = concat([reshape(turned, [channels, -1, block]), zeros([channels, 1, block])], 1)
  return (from, to) => {
    const list = rowsOf(leading, from, to)
    const index = constant(list, [list.length], 'int32')
    const read = apply(indexSelectOp, [rows, index], { axis: 1, ignored: null })
    return reshape(read, [channels * placesOf(axes), (to - from) * perStep])
  }
}

// Copies are made and multiplied in parts of 4 MB, which the caches hold, once they are twice as large.
const partElements = 2 ** 20
// The product packs its second operand: fewer rows of the first do not repay it.
const fewRows = 128

/**
 * The weight's gradient [out, in / groups, ...kernel]. With the batch as the innermost axis every move of input or gradient, whatever the axis and
 * the stride, is one Gather of rows with a number for each example; rows outside are the row of zeros after the last
 * (docs/decisions/061-moved-products.md).
 */
export function movedProducts(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  const { groups } = attributes
  const [out, perGroup] = channelSizes(weight)
  const { ofInput, ofGradient, copied } = planOf(x.shape, g.shape, weight, attributes)
  const [inputs, gradients] = [partsOf(x, ofInput), partsOf(g, ofGradient)]
  const places = placesOf(ofGradient)
  const inputFirst = places === 1 && out / groups <= fewRows
  const grouped = (part: Tensor): Tensor =>
    groups === 1 ? part : reshape(part, [groups, sizeOf(part.shape, 0) / groups, -1])
  const steps = ofInput[0]?.positions ?? 1
  const count = copied < 2 * partElements ? 1 : Math.min(steps, Math.ceil(copied / partElements))
  const products = Array.from({ length: count }, (_, i) => {
    const [from, to] = [i, i + 1].map((end) => Math.round((end * steps) / count)) as [number, number]
    const [input, gradient] = [grouped(inputs(from, to)), grouped(gradients(from, to))]
    const pair = inputFirst ? ([input, gradient] as const) : ([gradient, input] as const)
    return matmulWith(...pair, { transposeB: true })
  })
  const total = products.reduce((sum, next) => add(sum, next))
  if (inputFirst) return reshape(permute(reshape(total, [groups, -1, out / groups]), [0, 2, 1]), weight)
  const split = reshape(total, [out, places, (perGroup * elementCount(weight.slice(2))) / places])
  return reshape(places === 1 ? split : permute(split, [0, 2, 1]), weight)
}
