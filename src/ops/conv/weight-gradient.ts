/** The gradient of a convolution's weight, in the form that is fastest for its sizes. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf, spatialAxes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'
import { zeros } from '../creation.ts'
import { apply } from '../define.ts'
import { concat, permute, reshape } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'
import { sum } from '../reduction/reduce.ts'
import type { ConvAttributes } from './conv.ts'
import { movedProducts } from './moved-products.ts'
import { isWeightConvolution, weightConvolutionOp } from './weight-convolution.ts'
import { windowColumns } from './windows.ts'

/**
 * The weight's gradient [out, in / groups, ...kernel]: the output's gradient times the windows of the input that each
 * place of the kernel meets, summed over batch and positions. Measured in docs/decisions/014-convolution-gradients.md.
 */
export function convWeightGradient(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  // With axes whose sizes change the other forms would be made for one size.
  if (currentTrace()?.tuned === false) return windowProduct(x, g, weight, attributes)
  if (isWeightConvolution(x.shape, g.shape, weight, attributes))
    return apply(weightConvolutionOp, [x, g], { ...attributes, weight })
  if (sizeOf(x.shape, 0) >= leastBatch) return movedProducts(x, g, weight, attributes)
  return windowProduct(x, g, weight, attributes)
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
