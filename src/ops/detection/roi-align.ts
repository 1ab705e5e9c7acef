/** RoIAlign (He et al. 2017): parts of feature maps, sampled at whole and broken places, in one size. As torchvision has it. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sameShape, sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireFlag, requirePositive, requireWhole } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { stopGradient } from '../control.ts'
import { perAxis } from '../conv/windows.ts'
import { full, zeros } from '../creation.ts'
import {
  apply,
  checked,
  constantOf,
  defineOp,
  emitConstants,
  inputAt,
  type Operand,
  requireDType,
  toFloat,
  toTensorList,
} from '../define.ts'
import { maximum, mul } from '../elementwise/binary.ts'
import { cast } from '../elementwise/choice.ts'
import { addAll } from '../elementwise/composite.ts'
import { within } from '../indexing/places.ts'
import { oneHot } from '../indexing/selection.ts'
import { eye } from '../movement/diagonal.ts'
import { concat, permute, reshape, slice } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'

export interface RoiAlignAttributes {
  readonly outputSize: readonly [rows: number, columns: number]
  readonly spatialScale: number
  /** 0: as many as a bin has elements. */
  readonly samplingRatio: number
  readonly aligned: boolean
}

const sampleBoxes = constantOf(Float32Array.of(0.5, 0.8, 4.3, 3.7, 1.2, -0.6, 2.9, 6.1, 3.1, 2.2, 3.4, 2.3), [3, 4])
const sampleExamples = constantOf(Float32Array.of(1, 0, 1), [3, 1])
const sample = (x: Tensor, options: RoiAlignOptions): Tensor =>
  roiAlign(x, concat([sampleExamples, sampleBoxes], 1), [2, 3], options)

/** Inputs: x [N, C, H, W], corners of boxes [K, 4], the example of each, int64 [K]. */
export const roiAlignOp = defineOp<RoiAlignAttributes>({
  name: 'roiAlign',
  infer: (inputs, { outputSize }) => {
    const [x, boxes, examples] = [0, 1, 2].map((i) => inputAt('roiAlign', inputs, i))
    if (!x || !boxes || !examples) return []
    requireDType('roiAlign', 'input', x, ['float32'])
    if (x.shape.length !== 4 || elementCount(x.shape.slice(1)) === 0)
      throw new ShapeError(
        `roiAlign: the input must be [N, C, H, W] with at least one pixel, found ${formatShape(x.shape)}`,
      )
    const count = sizeOf(boxes.shape, 0)
    if (x.shape[0] === 0 && count > 0)
      throw new ShapeError(`roiAlign: ${count} boxes are of no example, the input is ${formatShape(x.shape)}`)
    if (!sameShape(boxes.shape, [count, 4]) || !sameShape(examples.shape, [count]))
      throw new ShapeError(`roiAlign: the boxes must be [K, 4], found ${formatShape(boxes.shape)}`)
    return [{ dtype: 'float32', shape: [count, sizeOf(x.shape, 1), ...outputSize] }]
  },
  // As in torchvision, the boxes have no gradient.
  gradient: (o, { inputs, attributes }, [g]) => {
    const [x, boxes, examples] = [0, 1, 2].map((i) => inputAt('roiAlign', inputs, i))
    return [g && x && boxes && examples && o.roiAlignInputGradient(g, boxes, examples, x.shape, attributes)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
    const isEmpty = [0, 1].some((i) => elementCount(inputAt('roiAlign', inputTypes, i).shape) === 0)
    if (isEmpty) return emitConstants(emit, outputTypes)
    const { outputSize, spatialScale, samplingRatio, aligned } = attributes
    return emit.node('RoiAlign', inputs, {
      coordinate_transformation_mode: aligned ? 'half_pixel' : 'output_half_pixel',
      mode: 'avg',
      output_height: outputSize[0],
      output_width: outputSize[1],
      sampling_ratio: samplingRatio,
      spatial_scale: { float: spatialScale },
    })
  },
  samples: () => [
    { inputs: [[2, 2, 5, 6]], call: (x) => sample(x, { samplingRatio: 2, aligned: true }) },
    { inputs: [[2, 1, 5, 6]], call: (x) => sample(x, { spatialScale: 1.5 }) },
  ],
  errors: () => [
    { inputs: [[2, 5, 6]], call: (x) => sample(x, {}) },
    { inputs: [[2, 1, 5, 6]], call: (x) => sample(x, { samplingRatio: 0.5 }) },
    { inputs: [[2, 1, 5, 6]], call: (x) => sample(x, { spatialScale: 0 }) },
    { inputs: [[2, 1, 5, 6]], call: (x) => roiAlign(x, sampleBoxes, 2) },
  ],
})

/**
 * How much each element of one axis gives to each bin of each box, [K, size, bins]: RoIAlign of features [1, size, size, 1] of
 * which channel c is 1 at place c and 0 elsewhere, along the other axis a box of one element. So every rule of sampling is the
 * kernel's own.
 */
function shares(boxes: Tensor, axis: 0 | 1, size: number, bins: number, attributes: RoiAlignAttributes): Tensor {
  const count = sizeOf(boxes.shape, 0)
  const [low, high] = [slice(boxes, [1 - axis, 2 - axis], 1), slice(boxes, [3 - axis, 4 - axis], 1)]
  const [start, end] = [zeros([count, 1]), full([count, 1], 1 / attributes.spatialScale)]
  const turned = axis === 0 ? [start, low, end, high] : [low, start, high, end]
  const features = reshape(eye(size), axis === 0 ? [1, size, size, 1] : [1, size, 1, size])
  const found = apply(roiAlignOp, [features, concat(turned, 1), zeros([count], 'int64')], {
    ...attributes,
    outputSize: axis === 0 ? [bins, 1] : [1, bins],
  })
  return reshape(found, [count, size, bins])
}

// Elements of the widest tensor of a block of boxes: 32 MB.
const blockSize = 8_388_608

/**
 * The gradient of the features, of shape `input` [N, C, H, W], from that of the parts, g [K, C, rows, columns]. Bilinear
 * sampling is a product of what it does along rows and along columns: two products of matrices instead of a sum scattered over
 * four neighbours of every sample.
 */
export function roiAlignInputGradient(
  g: Tensor,
  boxes: Tensor,
  examples: Tensor,
  input: Shape,
  attributes: RoiAlignAttributes,
): Tensor {
  const [batch, channels, height, width] = sizes(input, 4)
  const [count, , rows, columns] = g.sizes(4)
  if (count === 0 || batch === 0) return zeros(input)
  const most = Math.max(1, Math.floor(blockSize / (channels * rows * width)))
  const blocks = Array.from({ length: Math.ceil(count / most) }, (_, i) => {
    const range = [i * most, Math.min(count, (i + 1) * most)] as const
    const here = range[1] - range[0]
    const [part, corners, owners] = [slice(g, range, 0), slice(boxes, range, 0), slice(examples, range, 0)]
    const across = reshape(shares(corners, 1, width, columns, attributes), [here, 1, width, columns])
    const wide = matmulWith(part, across, { transposeB: true }) // [K, C, rows, W]
    const down = shares(corners, 0, height, rows, attributes) // [K, H, rows]
    const owned = reshape(cast(oneHot(owners, batch), 'float32'), [here, batch, 1, 1])
    const placed = reshape(mul(owned, reshape(down, [here, 1, height, rows])), [here, batch * height, rows])
    const left = reshape(permute(placed, [1, 0, 2]), [batch * height, here * rows])
    const right = reshape(permute(wide, [0, 2, 1, 3]), [here * rows, channels * width])
    return matmulWith(left, right, {}) // [N H, C W]
  })
  return permute(reshape(addAll(blocks), [batch, height, channels, width]), [0, 2, 1, 3])
}

/** Options of RoIAlign. */
export interface RoiAlignOptions {
  /** Elements of the features for one unit of the boxes. Default: 1. */
  readonly spatialScale?: number
  /** Samples along each axis of a bin; up to 0: as many as the bin has elements, rounded up. Default: -1. */
  readonly samplingRatio?: number
  /** Whether boxes are moved by half an element, so that pixels' centres lie at halves. Default: false. */
  readonly aligned?: boolean
}

/** Boxes [K, 5] of a list with the boxes of each example. */
function withExamples(list: readonly Operand[]): Tensor {
  const boxes = toTensorList('roiAlign', 'boxes', list)
  const wrong = boxes.find(({ shape, rank }) => rank !== 2 || shape[1] !== 4)
  if (wrong || boxes.length === 0)
    throw new ShapeError(
      `roiAlign: a list of boxes must have [K, 4] for each example, found ${wrong ? formatShape(wrong.shape) : '[]'}`,
    )
  return concat(
    boxes.map((each, i) => concat([full([sizeOf(each.shape, 0), 1], i), each], 1)),
    0,
  )
}

/**
 * The mean of samples in each of outputSize [rows, columns] bins of each box: x [N, C, H, W], boxes [K, 5] (example, x1, y1, x2,
 * y2), or a list with [K, 4] for each example -> [K, C, rows, columns]. The features have a gradient, the boxes none. A box that
 * ends before it starts is empty.
 */
export function roiAlign(
  x: Operand,
  boxes: Operand | readonly Operand[],
  outputSize: number | readonly number[],
  options?: RoiAlignOptions,
): Tensor {
  const {
    spatialScale = 1,
    samplingRatio = -1,
    aligned = false,
  } = optionsOf('roiAlign', options, { spatialScale: true, samplingRatio: true, aligned: true })
  const input = toFloat('roiAlign', x)
  return checked(() => {
    const [rows, columns] = sizes(perAxis('roiAlign', 'outputSize', outputSize, 2, 1), 2)
    requirePositive('roiAlign', 'spatialScale', spatialScale)
    requireFinite('roiAlign', 'spatialScale', spatialScale)
    requireWhole('roiAlign', 'samplingRatio', samplingRatio)
    requireFlag('roiAlign', 'aligned', aligned)
    const given = Array.isArray(boxes) ? withExamples(boxes) : toFloat('roiAlign', boxes as Operand, 'boxes')
    if (given.rank !== 2 || given.shape[1] !== 5)
      throw new ShapeError(
        `roiAlign: the boxes must be [K, 5], the example's number before the corners, found ${formatShape(given.shape)}`,
        { hint: 'or a list with boxes [K, 4] for each example' },
      )
    const fixed = stopGradient(given)
    // Of a box whose end lies before its start the runtime reads samples that it never computed.
    const [start, end] = [slice(fixed, [1, 3], 1), slice(fixed, [3, 5], 1)]
    const corners = concat([start, maximum(start, end)], 1)
    const example = reshape(cast(slice(fixed, [0, 1], 1), 'int64'), [-1])
    const size = sizeOf(input.shape, 0)
    return apply(roiAlignOp, [input, corners, within(example, { subject: 'roiAlign: example of a box', size })], {
      outputSize: [rows, columns],
      spatialScale,
      samplingRatio: Math.max(samplingRatio, 0),
      aligned,
    })
  })
}
