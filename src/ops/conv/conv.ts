/** Convolutions, in PyTorch's layouts: input [N, C, ...], weight [out, in / groups, ...kernel]. Cross-correlation. */
import { channelSizes, formatShape, type Shape, sameShape, sizeOf, spatialAxes } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireOneOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toTensor } from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { permute, reshape } from '../movement/movement.ts'
import { flatten } from '../movement/rearrange.ts'
import { linear } from '../products/linear.ts'
import { matmulWith } from '../products/matmul.ts'
import { lowerInBlocks, onnxOptions } from './blocks.ts'
import { convEnlarged } from './enlarged.ts'
import { convTransposeOp } from './transpose.ts'
import { perAxis } from './windows.ts'
import { lowerInTiles } from './winograd.ts'

export interface ConvAttributes {
  readonly stride: readonly number[]
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

/** Size after a convolution along one axis. */
function outputSize(size: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1
}

function requireBias(bias: TensorType, out: number): void {
  requireDType('conv', 'bias', bias, ['float32'])
  if (!sameShape(bias.shape, [out]))
    throw new ShapeError(`conv: the bias must be ${formatShape([out])}, found ${formatShape(bias.shape)}`)
}

function requireAxes(x: TensorType, weight: TensorType, axes: number): void {
  const kernel = weight.shape.slice(2)
  if (x.shape.length !== axes + 2 || weight.shape.length !== axes + 2) {
    throw new ShapeError(
      `conv: input and weight must have ${axes + 2} axes, found input ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}`,
    )
  }
  if (kernel.includes(0)) throw new ShapeError(`conv: the kernel must not be empty, found ${formatShape(weight.shape)}`)
}

/** Inputs: x, weight and, if there is one, bias [out]. */
export const convOp = defineOp<ConvAttributes>({
  name: 'conv',
  infer: (inputs, { stride, before, after, dilation, groups }) => {
    const [x, weight, bias] = [inputAt('conv', inputs, 0), inputAt('conv', inputs, 1), inputs[2]]
    requireDType('conv', 'input', x, ['float32'])
    requireDType('conv', 'weight', weight, ['float32'])
    requireAxes(x, weight, stride.length)
    const [n, channels, ...sizes] = channelSizes(x.shape)
    const [out, perGroup, ...kernel] = channelSizes(weight.shape)
    if (channels !== perGroup * groups || out % groups !== 0) {
      throw new ShapeError(
        `conv: input ${formatShape(x.shape)} has ${channels} channels, weight ${formatShape(weight.shape)} in ${groups} groups takes ${perGroup * groups}`,
        { hint: 'the weight is [out, in / groups, ...kernel], and out must be a multiple of groups' },
      )
    }
    if (bias) requireBias(bias, out)
    const spatial = sizes.map((size, i) =>
      outputSize(size, sizeOf(kernel, i), sizeOf(stride, i), sizeOf(before, i) + sizeOf(after, i), sizeOf(dilation, i)),
    )
    if (spatial.some((size) => size < 1)) {
      throw new ShapeError(
        `conv: the kernel ${formatShape(kernel)} is larger than the padded input ${formatShape(sizes)}`,
      )
    }
    return [{ dtype: 'float32', shape: [n, out, ...spatial] }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    const [x, weight] = [inputAt('conv', inputs, 0), inputAt('conv', inputs, 1)]
    if (!g) return []
    const ofWeight = o.convWeightGradient(x, g, weight.shape, attributes)
    const ofInput = o.convInputGradient(g, weight, x.shape, attributes)
    return inputs.length < 3 ? [ofInput, ofWeight] : [ofInput, ofWeight, o.sum(g, [0, ...spatialAxes(g.shape)])]
  },
  // Each element of the result is a sum over the kernel and the channels of its group.
  multiplyAdds: ({ inputs: [, weight], outputs: [y] }) =>
    weight && y ? (y.size * weight.size) / Math.max(1, sizeOf(weight.shape, 0)) : 0,
  lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
    const [weight, output] = [inputAt('conv', inputTypes, 1).shape, inputAt('conv', outputTypes, 0).shape]
    const options = onnxOptions(attributes)
    const convolution = { inputs, weight, output, turned: false, options }
    return lowerInTiles(emit, convolution) ?? lowerInBlocks(emit, convolution) ?? emit.node('Conv', inputs, options)
  },
  samples: () => [
    {
      inputs: [
        [2, 3, 5, 6],
        [4, 3, 3, 3],
      ],
      call: (x, w) => conv2d(x, w, undefined, { padding: 1 }),
    },
    {
      inputs: [
        [1, 4, 7, 6],
        [4, 2, 3, 2],
      ],
      call: (x, w) => conv2d(x, w, undefined, { stride: 2, padding: [1, 0], groups: 2, dilation: [2, 1] }),
    },
    {
      inputs: [
        [2, 2, 8],
        [3, 2, 3],
      ],
      call: (x, w) => conv1d(x, w, undefined, { stride: 2 }),
    },
    { inputs: [[2, 3, 4, 6], [5, 3, 2, 3], [5]], call: (x, w, b) => conv2d(x, w, b, { stride: [2, 3] }) },
    {
      inputs: [
        [2, 2, 4, 3, 4],
        [4, 1, 2, 3, 2],
      ],
      call: (x, w) =>
        conv3d(x, w, undefined, { stride: [2, 1, 1], padding: [1, 1, 0], dilation: [1, 1, 2], groups: 2 }),
    },
  ],
  errors: () => [
    {
      inputs: [
        [2, 3, 5, 5],
        [4, 2, 3, 3],
      ],
      call: (x, w) => conv2d(x, w),
    },
    {
      inputs: [
        [2, 3, 2, 2],
        [4, 3, 3, 3],
      ],
      call: (x, w) => conv2d(x, w),
    },
    {
      inputs: [
        [2, 3, 5],
        [4, 3, 3, 3],
      ],
      call: (x, w) => conv2d(x, w),
    },
    {
      inputs: [
        [2, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      call: (x, w) => conv2d(x, w, undefined, { stride: 0 }),
    },
    {
      inputs: [
        [2, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      call: (x, w) => conv2d(x, w, undefined, { padding: [1, -1] }),
    },
  ],
})

/** The input's gradient is the transposed convolution of the output's. */
export function convInputGradient(g: Tensor, weight: Tensor, input: Shape, attributes: ConvAttributes): Tensor {
  const { stride, before, dilation, groups } = attributes
  return apply(convTransposeOp, [g, weight], { stride, before, dilation, groups, size: input.slice(2) })
}

/** Options of convolutions; a number holds for every axis. */
export interface ConvOptions {
  readonly stride?: number | readonly number[]
  /** Zeros on both sides of each axis; `same` keeps the size (stride 1), `valid` adds none. */
  readonly padding?: number | readonly number[] | 'same' | 'valid'
  readonly dilation?: number | readonly number[]
  readonly groups?: number
}

const convNames = { stride: true, padding: true, dilation: true, groups: true } as const

function convolve(x: Operand, weight: Operand, bias: Operand | undefined, options: ConvOptions, axes: number): Tensor {
  const [input, kernel] = [toTensor('conv', x), toTensor('conv', weight)]
  const shift = bias === undefined ? undefined : toTensor('conv', bias)
  return checked(() => {
    const stride = perAxis('conv', 'stride', options.stride ?? 1, axes, 1)
    const dilation = perAxis('conv', 'dilation', options.dilation ?? 1, axes, 1)
    const { padding = 0, groups = 1 } = options
    requireCount('conv', 'groups', groups, 1)
    if (typeof padding === 'string') requireOneOf('conv', 'padding', padding, ['same', 'valid'])
    if (padding === 'same' && stride.some((step) => step !== 1))
      throw new ShapeError(`conv: padding "same" needs stride 1, found ${formatShape(stride)}`)
    requireAxes(input, kernel, axes)
    const total = kernel.shape.slice(2).map((size, i) => sizeOf(dilation, i) * (size - 1))
    const before =
      padding === 'same'
        ? total.map((size) => Math.floor(size / 2))
        : perAxis('conv', 'padding', padding === 'valid' ? 0 : padding, axes, 0)
    const after = padding === 'same' ? total.map((size, i) => size - sizeOf(before, i)) : before
    if (shift) requireBias(shift, sizeOf(kernel.shape, 0))
    const attributes = { stride, before, after, dilation, groups }
    if (!isPatchwise(input.shape, kernel.shape, attributes)) {
      const inputs = shift ? [input, kernel, shift] : [input, kernel]
      return convEnlarged(inputs, attributes) ?? apply(convOp, inputs, attributes)
    }
    const product = kernel.shape.slice(2).every((size) => size === 1)
      ? linear(input, flatten(kernel, 1), undefined, { axis: 1 })
      : patchProduct(input, kernel)
    if (!shift) return product
    return add(product, reshape(shift, [1, -1, ...new Array<number>(axes).fill(1)]))
  })
}

/** Whether the kernel steps over the input without overlap and padding: then a convolution is a matrix product. */
function isPatchwise(
  input: Shape,
  weight: Shape,
  { stride, before, after, dilation, groups }: ConvAttributes,
): boolean {
  const kernel = weight.slice(2)
  return (
    groups === 1 &&
    input.length === weight.length &&
    input[1] === weight[1] &&
    kernel.length === stride.length &&
    [...before, ...after].every((amount) => amount === 0) &&
    kernel.every(
      (size, i) => size === stride[i] && (dilation[i] === 1 || size === 1) && sizeOf(input, i + 2) % size === 0,
    )
  )
}

/** The matrix product of all patches, each flattened, with the weight: [N, C, h*p, w*q] -> [N, out, h, w]. */
function patchProduct(input: Tensor, weight: Tensor): Tensor {
  const [n, channels, ...sizes] = channelSizes(input.shape)
  const kernel = weight.shape.slice(2)
  const grid = sizes.map((size, i) => size / sizeOf(kernel, i))
  const out = sizeOf(weight.shape, 0)
  const axes = kernel.map((_, i) => i)
  const split = reshape(input, [n, channels, ...axes.flatMap((i) => [sizeOf(grid, i), sizeOf(kernel, i)])])
  const patches = permute(split, [0, ...axes.map((i) => 2 + 2 * i), 1, ...axes.map((i) => 3 + 2 * i)]) // [N, ...grid, C, ...kernel]
  const length = channels * kernel.reduce((product, size) => product * size, 1)
  const product = matmulWith(reshape(patches, [-1, length]), reshape(weight, [out, length]), { transposeB: true })
  return permute(reshape(product, [n, ...grid, out]), [0, axes.length + 1, ...axes.map((i) => i + 1)])
}

/** x [N, C, L], weight [out, C / groups, kernel], bias [out]. Defaults: stride 1, padding 0, dilation 1, groups 1. */
export function conv1d(x: Operand, weight: Operand, bias?: Operand, options?: ConvOptions): Tensor {
  return convolve(x, weight, bias, optionsOf('conv1d', options, convNames), 1)
}

/** x [N, C, H, W], weight [out, C / groups, kh, kw], bias [out]. Defaults: stride 1, padding 0, dilation 1, groups 1. */
export function conv2d(x: Operand, weight: Operand, bias?: Operand, options?: ConvOptions): Tensor {
  return convolve(x, weight, bias, optionsOf('conv2d', options, convNames), 2)
}

/** x [N, C, D, H, W], weight [out, C / groups, kd, kh, kw], bias [out]. Defaults: stride 1, padding 0, dilation 1, groups 1. */
export function conv3d(x: Operand, weight: Operand, bias?: Operand, options?: ConvOptions): Tensor {
  return convolve(x, weight, bias, optionsOf('conv3d', options, convNames), 3)
}
