/** The gradient of a convolution's weight, in the form that is fastest for its sizes. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf, spatialAxes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { zeros } from '../creation.ts'
import { concat, permute, reshape } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'
import { sum } from '../reduction/reduce.ts'
import type { ConvAttributes } from './conv.ts'
import { movedProducts } from './moved-products.ts'
import { windowColumns } from './windows.ts'

/**
 * The weight's gradient [out, in / groups, ...kernel]: the output's gradient times the windows of the input that each
 * place of the kernel meets, summed over batch and positions. Measured in docs/decisions/014-convolution-gradients.md.
 */
export function convWeightGradient(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  if (sizeOf(x.shape, 0) >= leastBatch) return movedProducts(x, g, weight, attributes)
  return shiftsBoth(g, weight, attributes)
    ? shiftedProduct(x, g, weight, attributes)
    : windowProduct(x, g, weight, attributes)
}

// Copies of rows with a number for each of fewer examples take longer than those of whole rows of pixels.
const leastBatch = 8

/** Zeros before and after one axis. The runtime's Pad has one thread, its Concat all. */
function surround(x: Tensor, axis: number, before: number, after: number): Tensor {
  const border = (count: number): Tensor[] =>
    count > 0 ? [zeros(x.shape.map((size, i) => (i === axis ? count : size)))] : []
  return concat([...border(before), x, ...border(after)], axis)
}

function paddedInput(x: Tensor, { before, after }: ConvAttributes): Tensor {
  return spatialAxes(x.shape).reduce(
    (padded, axis, i) => surround(padded, axis, sizeOf(before, i), sizeOf(after, i)),
    x,
  )
}

// Narrower than this, the padding is too large a part of each row; with more weights the products are what counts.
const narrowest = 16
const mostChannelPairs = 128 * 128

/** Whether moving the output's gradient along the last axis, and the input along the others, copies less. */
function shiftsBoth(g: Tensor, [out = 0, perGroup = 0, ...kernel]: Shape, { stride, groups }: ConvAttributes): boolean {
  const [across, along] = [elementCount(kernel.slice(0, -1)), sizeOf(kernel, -1)]
  const copies = along * (out / groups) + across * perGroup
  return (
    stride.every((step) => step === 1) &&
    copies < across * along * perGroup &&
    sizeOf(g.shape, -1) >= narrowest &&
    out * perGroup <= mostChannelPairs
  )
}

/**
 * Stride 1: sum over p of g[p] x[p + i + j], with i a place of the kernel on all axes but the last and j its place on
 * the last, equals sum over q of g[q - j] x[q + i]. So one product of the gradient moved along the last axis
 * [along out, positions] and the input moved along the others [in across, positions] gives all places.
 */
function shiftedProduct(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  const { dilation, groups, stride } = attributes
  const [out, perGroup, ...kernel] = channelSizes(weight)
  const n = sizeOf(g.shape, 0)
  const [lead, along] = [kernel.slice(0, -1), sizeOf(kernel, -1)]
  // Positions after the last one that the kernel reaches would meet no gradient.
  const step = sizeOf(dilation, -1)
  const reach = step * (along - 1)
  const positions = [...g.shape.slice(2, -1), sizeOf(g.shape, -1) + reach]
  const count = elementCount(positions)
  const moved = Array.from({ length: along }, (_, j) => {
    const gradient = surround(g, g.rank - 1, j * step, reach - j * step)
    return reshape(gradient, [n, groups, 1, out / groups, count])
  })
  const gradients = reshape(concat(moved, 2), [n, groups, along * (out / groups), count])
  const columns = windowColumns(paddedInput(x, attributes), 2, [...lead, 1], positions, { stride, dilation })
  const inputs = reshape(columns, [n, groups, perGroup * elementCount(lead), count])
  const places = matmulWith(gradients, inputs, { transposeB: true })
  const split = reshape(sum(places, 0), [groups, along, out / groups, perGroup, elementCount(lead)])
  return reshape(permute(split, [0, 2, 3, 4, 1]), weight)
}

// Below this many positions per example a product over the whole batch beats one for each example and their sum.
const fewPositions = 512

/** All windows as columns, one product. */
function windowProduct(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  const { stride, dilation, groups } = attributes
  const [out, perGroup, ...kernel] = channelSizes(weight)
  const [n, , ...positions] = channelSizes(g.shape)
  const count = elementCount(positions)
  const isJoined = count < fewPositions
  // Joined: the batch is one more axis of positions, after the channels.
  const channelsFirst = (t: Tensor): Tensor => permute(t, [1, 0, ...spatialAxes(t.shape)])
  const padded = paddedInput(isJoined ? channelsFirst(x) : x, attributes)
  const places = perGroup * elementCount(kernel)
  const leading = isJoined ? [groups] : [n, groups]
  const inner = isJoined ? n * count : count
  const columns = isJoined
    ? windowColumns(padded, 1, [1, ...kernel], [n, ...positions], {
        stride: [1, ...stride],
        dilation: [1, ...dilation],
      })
    : windowColumns(padded, 2, kernel, positions, { stride, dilation })
  const rows = reshape(isJoined ? channelsFirst(g) : g, [...leading, out / groups, inner])
  const sums = matmulWith(rows, reshape(columns, [...leading, places, inner]), { transposeB: true })
  return reshape(isJoined ? sums : sum(sums, 0), weight) // [G, out/G, in/G * places]
}
