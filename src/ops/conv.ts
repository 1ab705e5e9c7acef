/** Convolutions, in PyTorch's layouts: input [N, C, ...], weight [out, in / groups, ...kernel]. Cross-correlation. */
import { formatShape, type Shape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { add } from './binary.ts'
import { apply, checked, defineOp, inputAt, type Operand, requireDType, toTensor } from './define.ts'
import { matmulWith } from './matmul.ts'
import { concat, flip, permute, reshape } from './movement.ts'
import { dilate, padAxis } from './padding.ts'
import { sum } from './reduce.ts'
import { kernelWindows, perAxis } from './windows.ts'

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

export const convOp = defineOp<ConvAttributes>({
  name: 'conv',
  infer: (inputs, { stride, before, after, dilation, groups }) => {
    const [x, weight] = [inputAt('conv', inputs, 0), inputAt('conv', inputs, 1)]
    requireDType('conv', 'input', x, ['float32'])
    requireDType('conv', 'weight', weight, ['float32'])
    const [n = 0, channels = 0, ...sizes] = x.shape
    const [out = 0, perGroup = 0, ...kernel] = weight.shape
    if (x.shape.length !== weight.shape.length || sizes.length !== stride.length) {
      throw new ShapeError(
        `conv: input and weight must have ${stride.length + 2} axes, found input ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}`,
      )
    }
    if (channels !== perGroup * groups || out % groups !== 0) {
      throw new ShapeError(
        `conv: input ${formatShape(x.shape)} has ${channels} channels, weight ${formatShape(weight.shape)} in ${groups} groups takes ${perGroup * groups}`,
        { hint: 'the weight is [out, in / groups, ...kernel], and out must be a multiple of groups' },
      )
    }
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
    return [o.convInputGradient(g, weight, x.shape, attributes), o.convWeightGradient(x, g, weight.shape, attributes)]
  },
  // Each element of the result is a sum over the kernel and the channels of its group.
  multiplyAdds: ({ inputs: [, weight], outputs: [y] }) =>
    weight && y ? (y.size * weight.size) / Math.max(1, sizeOf(weight.shape, 0)) : 0,
  lower: (emit, { inputs, attributes: { stride, before, after, dilation, groups } }) =>
    emit.node('Conv', inputs, { strides: stride, pads: [...before, ...after], dilations: dilation, group: groups }),
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
  ],
})

/** [G * a, b, ...] -> [G * b, a, ...]: in and out channels of each group change places. */
function swapChannels(weight: Tensor, groups: number): Tensor {
  const [first = 0, second = 0, ...kernel] = weight.shape
  const split = reshape(weight, [groups, first / groups, second, ...kernel])
  const swapped = permute(split, [0, 2, 1, ...kernel.map((_, i) => i + 3)])
  return reshape(swapped, [groups * second, first / groups, ...kernel])
}

const spatialAxes = (shape: Shape): number[] => shape.map((_, i) => i).slice(2)

/**
 * The input's gradient: the output's, spread by the stride, padded, convolved with the kernel turned around and its
 * channels swapped. Made of ops, so that it has gradients itself.
 */
export function convInputGradient(g: Tensor, weight: Tensor, input: Shape, attributes: ConvAttributes): Tensor {
  const { stride, before, dilation, groups } = attributes
  const kernel = weight.shape.slice(2)
  let spread = g
  for (const [i, axis] of spatialAxes(g.shape).entries()) spread = dilate(spread, axis, sizeOf(stride, i))
  const turned = swapChannels(flip(weight, spatialAxes(weight.shape)), groups)
  const reach = kernel.map((size, i) => sizeOf(dilation, i) * (size - 1))
  const low = reach.map((size, i) => size - sizeOf(before, i))
  const high = reach.map((size, i) => sizeOf(input, i + 2) - sizeOf(spread.shape, i + 2) + size - sizeOf(low, i))
  let padded = spread
  for (const [i, axis] of spatialAxes(g.shape).entries()) {
    const crop = (amount: number): number => Math.min(amount, 0)
    padded = padAxis(padded, axis, crop(sizeOf(low, i)), crop(sizeOf(high, i)))
  }
  const unit = kernel.map(() => 1)
  return apply(convOp, [padded, turned], {
    stride: unit,
    before: low.map((amount) => Math.max(amount, 0)),
    after: high.map((amount) => Math.max(amount, 0)),
    dilation,
    groups,
  })
}

/**
 * The weight's gradient: for each place of the kernel, the product of the shifted input with the output's gradient,
 * summed over batch and positions. One batched matrix product over all places of the kernel.
 */
export function convWeightGradient(x: Tensor, g: Tensor, weight: Shape, attributes: ConvAttributes): Tensor {
  const { stride, before, after, dilation, groups } = attributes
  const [out = 0, perGroup = 0, ...kernel] = weight
  const [n = 0, , ...positions] = g.shape
  const count = positions.reduce((product, size) => product * size, 1)
  let padded = x
  for (const [i, axis] of spatialAxes(x.shape).entries())
    padded = padAxis(padded, axis, sizeOf(before, i), sizeOf(after, i))
  const windows = kernelWindows(padded, kernel, positions, { stride, dilation }).map((window) =>
    reshape(window, [1, n, groups, perGroup, count]),
  )
  const columns = concat(windows, 0) // [places, N, G, in/G, P]
  const rows = reshape(g, [1, n, groups, out / groups, count])
  const product = matmulWith(columns, rows, { transposeB: true }) // [places, N, G, in/G, out/G]
  const summed = sum(product, 1) // [places, G, in/G, out/G]
  return reshape(permute(summed, [1, 3, 2, 0]), weight)
}

/** Options of convolutions; a number holds for every axis. */
export interface ConvOptions {
  readonly stride?: number | readonly number[]
  /** Zeros on both sides of each axis; `same` keeps the size (stride 1), `valid` adds none. */
  readonly padding?: number | readonly number[] | 'same' | 'valid'
  readonly dilation?: number | readonly number[]
  readonly groups?: number
}

function convolve(x: Operand, weight: Operand, bias: Operand | undefined, options: ConvOptions, axes: number): Tensor {
  const [input, kernel] = [toTensor(x), toTensor(weight)]
  return checked(() => {
    const stride = perAxis('conv', options.stride, 1, axes)
    const dilation = perAxis('conv', options.dilation, 1, axes)
    const { padding } = options
    const total = kernel.shape.slice(2).map((size, i) => sizeOf(dilation, i) * (size - 1))
    const before =
      padding === 'same'
        ? total.map((size) => Math.floor(size / 2))
        : padding === 'valid'
          ? perAxis('conv', 0, 0, axes)
          : perAxis('conv', padding, 0, axes)
    const after = padding === 'same' ? total.map((size, i) => size - sizeOf(before, i)) : before
    const attributes = { stride, before, after, dilation, groups: options.groups ?? 1 }
    const product = isPatchwise(input.shape, kernel.shape, attributes)
      ? patchProduct(input, kernel)
      : apply(convOp, [input, kernel], attributes)
    if (bias === undefined) return product
    return add(product, reshape(bias, [1, -1, ...new Array<number>(axes).fill(1)]))
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
  const [n = 0, channels = 0, ...sizes] = input.shape
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
export function conv1d(x: Operand, weight: Operand, bias?: Operand, options: ConvOptions = {}): Tensor {
  return convolve(x, weight, bias, options, 1)
}

/** x [N, C, H, W], weight [out, C / groups, kh, kw], bias [out]. Defaults: stride 1, padding 0, dilation 1, groups 1. */
export function conv2d(x: Operand, weight: Operand, bias?: Operand, options: ConvOptions = {}): Tensor {
  return convolve(x, weight, bias, options, 2)
}

/** Options of transposed convolutions. */
export interface ConvTransposeOptions {
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  /** Added to one side of the result, whose size is ambiguous where the stride exceeds 1. */
  readonly outputPadding?: number | readonly number[]
  readonly dilation?: number | readonly number[]
  readonly groups?: number
}

function convolveTransposed(
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvTransposeOptions,
  axes: number,
): Tensor {
  const [input, kernel] = [toTensor(x), toTensor(weight)]
  return checked(() => {
    const { groups = 1 } = options
    const [stride, padding, extra, dilation] = [
      perAxis('conv', options.stride, 1, axes),
      perAxis('conv', options.padding, 0, axes),
      perAxis('conv', options.outputPadding, 0, axes),
      perAxis('conv', options.dilation, 1, axes),
    ]
    if (
      input.rank !== axes + 2 ||
      kernel.rank !== axes + 2 ||
      input.shape[1] !== kernel.shape[0] ||
      sizeOf(input.shape, 1) % groups !== 0
    ) {
      throw new ShapeError(
        `convTranspose: the weight must be [in, out / groups, ...kernel], found input ${formatShape(input.shape)}, weight ${formatShape(kernel.shape)}`,
      )
    }
    const [n = 0] = input.shape
    const sizes = input.shape.slice(2).map((size, i) => {
      const reach = sizeOf(dilation, i) * (sizeOf(kernel.shape, i + 2) - 1)
      return (size - 1) * sizeOf(stride, i) - 2 * sizeOf(padding, i) + reach + sizeOf(extra, i) + 1
    })
    if (sizes.some((size) => size < 1))
      throw new ShapeError(
        `convTranspose: the padding leaves nothing of the result, sizes would be ${formatShape(sizes)}`,
      )
    const shape = [n, sizeOf(kernel.shape, 1) * groups, ...sizes]
    const attributes = { stride, before: padding, after: padding, dilation, groups }
    // A transposed convolution is by definition the input gradient of the convolution with the same weight.
    const product = convInputGradient(input, kernel, shape, attributes)
    return bias === undefined ? product : add(product, reshape(bias, [1, -1, ...new Array<number>(axes).fill(1)]))
  })
}

/** x [N, in, L], weight [in, out / groups, kernel], bias [out]. */
export function convTranspose1d(
  x: Operand,
  weight: Operand,
  bias?: Operand,
  options: ConvTransposeOptions = {},
): Tensor {
  return convolveTransposed(x, weight, bias, options, 1)
}

/** x [N, in, H, W], weight [in, out / groups, kh, kw], bias [out]. */
export function convTranspose2d(
  x: Operand,
  weight: Operand,
  bias?: Operand,
  options: ConvTransposeOptions = {},
): Tensor {
  return convolveTransposed(x, weight, bias, options, 2)
}
