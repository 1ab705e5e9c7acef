/** Transposed convolutions, in PyTorch's layout: input [N, in, ...], weight [in, out / groups, ...kernel]. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { optionsOf, requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  checked,
  defineOp,
  type Emitter,
  inputAt,
  type LoweringContext,
  type Operand,
  requireDType,
  toFloat,
  toTensor,
} from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { reshape, slice } from '../movement/movement.ts'
import { lowerInBlocks } from './blocks.ts'
import type { ConvAttributes } from './conv.ts'
import { lowerInPhases } from './phases.ts'
import { perAxis } from './windows.ts'
import { lowerInTiles } from './winograd.ts'

/** Those of the convolution that it transposes; its padding at the ends follows from the sizes. */
interface ConvTransposeAttributes extends Omit<ConvAttributes, 'after'> {
  /** Sizes of the result after batch and channels: the convolution's input. */
  readonly size: readonly number[]
}

/** The ends of one axis of the result. */
interface End {
  /** Elements that are left out there. */
  readonly after: number
  /** Elements that no place of the kernel meets: zeros. */
  readonly zeros: number
}

function endsOf(
  input: readonly number[],
  kernel: readonly number[],
  { stride, before, dilation, size }: ConvTransposeAttributes,
): End[] {
  return size.map((length, i) => {
    const reach = sizeOf(dilation, i) * (sizeOf(kernel, i) - 1)
    const left = (sizeOf(input, i) - 1) * sizeOf(stride, i) + reach + 1 - sizeOf(before, i) - length
    return { after: Math.max(left, 0), zeros: Math.max(-left, 0) }
  })
}

function requireWeight({ shape: x }: TensorType, { shape: weight }: TensorType, axes: number, groups: number): void {
  const ranksFit = x.length === axes + 2 && weight.length === axes + 2
  if (ranksFit && x[1] === weight[0] && sizeOf(x, 1) % groups === 0 && elementCount(weight) > 0) return
  throw new ShapeError(
    `convTranspose: the weight must be [in, out / groups, ...kernel], found input ${formatShape(x)}, weight ${formatShape(weight)}`,
  )
}

/** ONNX's own operator. */
function lowerTransposed(
  emit: Emitter,
  { inputs, inputTypes, attributes }: LoweringContext<ConvTransposeAttributes>,
): string {
  const [x, weight] = [inputAt('convTranspose', inputTypes, 0), inputAt('convTranspose', inputTypes, 1)]
  const { stride, before, dilation, groups } = attributes
  const ends = endsOf(x.shape.slice(2), weight.shape.slice(2), attributes)
  // The kernel takes fewer zeros than the stride.
  const isRegular = ends.every(({ zeros }, i) => zeros < sizeOf(stride, i))
  const result = emit.node('ConvTranspose', inputs, {
    strides: stride,
    pads: [...before, ...ends.map(({ after }) => after)],
    dilations: dilation,
    group: groups,
    ...(isRegular && { output_padding: ends.map(({ zeros }) => zeros) }),
  })
  if (isRegular) return result
  const none = x.shape.map(() => 0)
  return emit.node('Pad', [result, emit.ints([...none, 0, 0, ...ends.map(({ zeros }) => zeros)])])
}

/**
 * With stride 1, a convolution with the kernel turned around, whose kernels run faster; but turning takes longer than that saves where
 * channels are many and positions few (docs/decisions/014-convolution-gradients.md). undefined: not here.
 */
function lowerTurned(
  emit: Emitter,
  { inputs, inputTypes, outputTypes, attributes }: LoweringContext<ConvTransposeAttributes>,
): string | undefined {
  const [x, weight] = [inputAt('convTranspose', inputTypes, 0).shape, inputAt('convTranspose', inputTypes, 1).shape]
  const output = inputAt('convTranspose', outputTypes, 0).shape
  const { stride, before, dilation, groups } = attributes
  const kernel = weight.slice(2)
  const reach = kernel.map((size, i) => sizeOf(dilation, i) * (size - 1))
  const low = reach.map((size, i) => size - sizeOf(before, i))
  const high = reach.map((size, i) => sizeOf(output, i + 2) - sizeOf(x, i + 2) + size - sizeOf(low, i))
  const pads = [...low, ...high]
  // A model that is exported gets ONNX's own operator.
  if (!emit.fused || stride.some((step) => step !== 1) || pads.some((amount) => amount < 0)) return undefined
  const options = { strides: stride, pads, dilations: dilation, group: groups }
  const convolution = { inputs, weight, output, turned: true, options }
  const blocked = lowerInTiles(emit, convolution) ?? lowerInBlocks(emit, convolution)
  if (blocked !== undefined) return blocked
  if (elementCount(x) / sizeOf(x, 1) < 16 * sizeOf(weight, 0)) return undefined
  const [input, stored] = [inputAt('convTranspose', inputs, 0), inputAt('convTranspose', inputs, 1)]
  return emit.node('Conv', [input, turnKernel(emit, stored, weight, groups)], options)
}

/** With strides, by the kernels that keep channels in blocks; undefined: not here. */
function lowerSpread(
  emit: Emitter,
  { inputs, inputTypes, outputTypes, attributes }: LoweringContext<ConvTransposeAttributes>,
): string | undefined {
  const { stride, before, dilation, groups } = attributes
  if (!emit.fused || groups !== 1 || dilation.some((apart) => apart !== 1) || stride.every((step) => step === 1))
    return undefined
  const [x, weight] = [inputAt('convTranspose', inputTypes, 0).shape, inputAt('convTranspose', inputTypes, 1).shape]
  const kernel = weight.slice(2)
  return lowerInPhases(emit, {
    x: inputAt('convTranspose', inputs, 0),
    bias: [],
    kernel,
    input: x,
    output: inputAt('convTranspose', outputTypes, 0).shape,
    stride,
    before,
    weight: () => {
      const flat = emit.node('Reshape', [inputAt('convTranspose', inputs, 1), emit.ints([-1, elementCount(kernel)])])
      return emit.node('Transpose', [flat], { perm: [1, 0] })
    },
  })
}

/** The kernel turned around, in and out channels of each group changed: [G * a, b, ...] -> [G * b, a, ...]. */
function turnKernel(emit: Emitter, stored: string, weight: Shape, groups: number): string {
  const [first, second, ...kernel] = channelSizes(weight)
  const axes = kernel.map((_, i) => i + 2)
  const ends = emit.ints(kernel.map((size) => -size - 1))
  const last = emit.ints(kernel.map(() => -1))
  const turned = emit.node('Slice', [stored, last, ends, emit.ints(axes), last])
  const split = emit.node('Reshape', [turned, emit.ints([groups, first / groups, second, ...kernel])])
  const swapped = emit.node('Transpose', [split], { perm: [0, 2, 1, ...axes.map((axis) => axis + 1)] })
  return emit.node('Reshape', [swapped, emit.ints([groups * second, first / groups, ...kernel])])
}

/** A primitive because its kernel multiplies only what is there: a convolution would meet the zeros between strides. */
export const convTransposeOp = defineOp<ConvTransposeAttributes>({
  name: 'convTranspose',
  infer: (inputs, attributes) => {
    const [x, weight] = [inputAt('convTranspose', inputs, 0), inputAt('convTranspose', inputs, 1)]
    requireDType('convTranspose', 'input', x, ['float32'])
    requireDType('convTranspose', 'weight', weight, ['float32'])
    const { stride, size, groups } = attributes
    requireWeight(x, weight, stride.length, groups)
    if (elementCount(x.shape.slice(2)) === 0)
      throw new ShapeError(`convTranspose: there must be elements to spread, found ${formatShape(x.shape)}`)
    if (size.some((length) => length < 1)) {
      throw new ShapeError(
        `convTranspose: the padding leaves nothing of the result, sizes would be ${formatShape(size)}`,
      )
    }
    return [{ dtype: 'float32', shape: [sizeOf(x.shape, 0), sizeOf(weight.shape, 1) * groups, ...size] }]
  },
  // The convolution back, and its weight's gradient with the places of input and output changed.
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const [x, weight] = [inputAt('convTranspose', inputs, 0), inputAt('convTranspose', inputs, 1)]
    const { size, ...rest } = attributes
    const ends = endsOf(x.shape.slice(2), weight.shape.slice(2), attributes)
    const conv = { ...rest, after: ends.map(({ after }) => after) }
    const met = ends.reduce((t, { zeros }, i) => slice(t, [0, sizeOf(size, i) - zeros], i + 2), g)
    return [apply(o.convOp, [met, weight], conv), o.convWeightGradient(met, x, weight.shape, conv)]
  },
  multiplyAdds: ({ inputs: [x, weight] }) =>
    x && weight ? (x.size * weight.size) / Math.max(1, sizeOf(x.shape, 1)) : 0,
  lower: (emit, context) => lowerTurned(emit, context) ?? lowerSpread(emit, context) ?? lowerTransposed(emit, context),
  samples: () => [
    { inputs: [[2, 3, 4, 3], [3, 2, 3, 3], [2]], call: (x, w, b) => convTranspose2d(x, w, b, { padding: 1 }) },
    {
      inputs: [
        [1, 4, 3, 2],
        [4, 2, 3, 2],
      ],
      call: (x, w) =>
        convTranspose2d(x, w, undefined, { stride: [2, 3], padding: [1, 0], outputPadding: [1, 2], groups: 2 }),
    },
    {
      inputs: [
        [2, 2, 4],
        [2, 3, 3],
      ],
      call: (x, w) => convTranspose1d(x, w, undefined, { stride: 2, dilation: 3, outputPadding: 2 }),
    },
    {
      inputs: [
        [1, 4, 2, 3, 2],
        [4, 1, 2, 3, 2],
      ],
      call: (x, w) =>
        convTranspose3d(x, w, undefined, {
          stride: [2, 1, 3],
          padding: [0, 1, 1],
          outputPadding: [1, 0, 2],
          groups: 2,
        }),
    },
  ],
  errors: () => [
    {
      inputs: [
        [2, 3, 4, 4],
        [2, 3, 3, 3],
      ],
      call: (x, w) => convTranspose2d(x, w),
    },
    {
      inputs: [
        [1, 1, 2],
        [1, 1, 2],
      ],
      call: (x, w) => convTranspose1d(x, w, undefined, { padding: 2 }),
    },
    { inputs: [{ shape: [1, 1, 2], dtype: 'int32' }, [1, 1, 2]], call: (x, w) => convTranspose1d(x, w) },
    {
      inputs: [
        [1, 1, 2],
        [1, 1, 2],
      ],
      call: (x, w) => convTranspose1d(x, w, undefined, { dilation: 0 }),
    },
  ],
})

/** Options of transposed convolutions. */
export interface ConvTransposeOptions {
  readonly stride?: number | readonly number[]
  readonly padding?: number | readonly number[]
  /** Added to one side of the result, whose size is ambiguous where the stride exceeds 1. */
  readonly outputPadding?: number | readonly number[]
  readonly dilation?: number | readonly number[]
  readonly groups?: number
}

const convTransposeNames = { stride: true, padding: true, outputPadding: true, dilation: true, groups: true } as const

function convolveTransposed(
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvTransposeOptions,
  axes: number,
): Tensor {
  const [input, kernel] = [toTensor('convTranspose', x), toTensor('convTranspose', weight)]
  return checked(() => {
    const [stride, padding, extra, dilation] = [
      perAxis('convTranspose', 'stride', options.stride ?? 1, axes, 1),
      perAxis('convTranspose', 'padding', options.padding ?? 0, axes, 0),
      perAxis('convTranspose', 'outputPadding', options.outputPadding ?? 0, axes, 0),
      perAxis('convTranspose', 'dilation', options.dilation ?? 1, axes, 1),
    ]
    const groups = options.groups ?? 1
    requireCount('convTranspose', 'groups', groups, 1)
    requireWeight(input, kernel, axes, groups)
    if (extra.some((amount, i) => amount >= Math.max(sizeOf(stride, i), sizeOf(dilation, i))))
      throw new ShapeError(
        `convTranspose: outputPadding must be smaller than the stride or the dilation, found ${formatShape(extra)}`,
      )
    const size = input.shape.slice(2).map((length, i) => {
      const reach = sizeOf(dilation, i) * (sizeOf(kernel.shape, i + 2) - 1)
      return (length - 1) * sizeOf(stride, i) - 2 * sizeOf(padding, i) + reach + sizeOf(extra, i) + 1
    })
    const attributes = { stride, before: padding, dilation, groups, size }
    const product = apply(convTransposeOp, [input, kernel], attributes)
    if (bias === undefined) return product
    const shift = toFloat('convTranspose', bias, 'bias')
    const out = sizeOf(product.shape, 1)
    if (!sameShape(shift.shape, [out]))
      throw new ShapeError(`convTranspose: the bias must be [${out}], found ${formatShape(shift.shape)}`)
    return add(product, reshape(shift, [1, -1, ...new Array<number>(axes).fill(1)]))
  })
}

/** x [N, in, L], weight [in, out / groups, kernel], bias [out]. */
export function convTranspose1d(x: Operand, weight: Operand, bias?: Operand, options?: ConvTransposeOptions): Tensor {
  return convolveTransposed(x, weight, bias, optionsOf('convTranspose1d', options, convTransposeNames), 1)
}

/** x [N, in, H, W], weight [in, out / groups, kh, kw], bias [out]. */
export function convTranspose2d(x: Operand, weight: Operand, bias?: Operand, options?: ConvTransposeOptions): Tensor {
  return convolveTransposed(x, weight, bias, optionsOf('convTranspose2d', options, convTransposeNames), 2)
}

/** x [N, in, D, H, W], weight [in, out / groups, kd, kh, kw], bias [out]. */
export function convTranspose3d(x: Operand, weight: Operand, bias?: Operand, options?: ConvTransposeOptions): Tensor {
  return convolveTransposed(x, weight, bias, optionsOf('convTranspose3d', options, convTransposeNames), 3)
}
