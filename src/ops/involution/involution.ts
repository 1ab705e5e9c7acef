/** Involution: a convolution whose kernel is another at each position, and one for all channels of a group (arXiv 2103.06255). */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sameShape, sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { optionsOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { perAxis } from '../conv/windows.ts'
import {
  apply,
  checked,
  defineOp,
  emitConstants,
  inputAt,
  type Operand,
  requireDType,
  type Sample,
  toFloat,
} from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { reshape } from '../movement/movement.ts'
import { inBlocks, prefersTiles } from './blocks.ts'
import { type InvolutionAttributes, involutionOf, type Pair } from './geometry.ts'
import { byShifts, gradientByShifts } from './shifts.ts'
import { byTiles, gradientByTiles } from './tiles.ts'

function requireKernels(x: TensorType, kernels: TensorType): void {
  requireDType('involution', 'input', x, ['float32'])
  requireDType('involution', 'weight', kernels, ['float32'])
  const [batch = 0, channels = 0] = x.shape
  const [examples, groups = 0, ...rest] = kernels.shape
  const isRanked = x.shape.length === 4 && kernels.shape.length === 6
  if (isRanked && batch === examples && groups > 0 && channels % groups === 0 && elementCount(rest) > 0) return
  throw new ShapeError(
    `involution: the weight must be [B, G, KH, KW, Ho, Wo] for an input [B, C, H, W] with C a multiple of G, found input ${formatShape(x.shape)}, weight ${formatShape(kernels.shape)}`,
  )
}

// Measured in docs/decisions/051-involution.md: elements of a block, and places of a kernel from which products are faster.
const [shiftsSize, tilesSize] = [262_144, 524_288]
const fewestPlaces = { forward: 9, backward: 20 }

/** Inputs: x [B, C, H, W], kernels [B, G, KH, KW, Ho, Wo]. A primitive: its forms never hold all windows of x. */
export const involutionOp = defineOp<InvolutionAttributes>({
  name: 'involution',
  infer: (inputs) => {
    const [x, kernels] = [inputAt('involution', inputs, 0), inputAt('involution', inputs, 1)]
    requireKernels(x, kernels)
    return [{ dtype: 'float32', shape: [...x.shape.slice(0, 2), ...kernels.shape.slice(4)] }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    const [x, kernels] = [inputAt('involution', inputs, 0), inputAt('involution', inputs, 1)]
    if (!g) return []
    return [
      o.involutionInputGradient(g, kernels, x.shape, attributes),
      o.involutionWeightGradient(x, g, kernels.shape, attributes),
    ]
  },
  multiplyAdds: ({ inputs: [, kernels], outputs: [y] }) =>
    kernels && y ? y.size * sizeOf(kernels.shape, 2) * sizeOf(kernels.shape, 3) : 0,
  lower: (emit, { inputs: [x = '', kernels = ''], inputTypes, outputTypes, attributes }) => {
    if (elementCount(inputAt('involution', outputTypes, 0).shape) === 0) return emitConstants(emit, outputTypes)
    const shapes = [inputAt('involution', inputTypes, 0).shape, inputAt('involution', inputTypes, 1).shape] as const
    const involution = involutionOf(...shapes, attributes)
    const rows = { otherRows: 4, resultRows: 2 }
    return prefersTiles(emit, involution, fewestPlaces.forward)
      ? inBlocks(emit, involution, [x, kernels], byTiles, { ...rows, size: tilesSize })
      : inBlocks(emit, involution, [x, kernels], byShifts, { ...rows, size: shiftsSize })
  },
  samples: () => [
    sample([2, 4, 5, 6], [2, 2, 3, 3, 5, 6], { padding: 1 }),
    sample([1, 6, 5, 4], [1, 3, 3, 2, 3, 2], { padding: [1, 0], stride: [2, 1], dilation: [1, 2] }),
    sample([2, 8, 9, 10], [2, 2, 5, 5, 5, 5], { padding: 2, stride: 2 }),
  ],
  errors: () => [
    sample([1, 4, 5, 5], [1, 3, 3, 3, 5, 5], { padding: 1 }),
    sample([1, 4, 5, 5], [2, 2, 3, 3, 5, 5], { padding: 1 }),
    sample([1, 4, 5, 5], [1, 2, 3, 3, 2, 2], { padding: 1, stride: 2 }),
    sample([4, 5, 5], [1, 2, 3, 3, 5, 5], { padding: 1 }),
    sample([1, 4, 5, 5], [1, 2, 3, 3, 5, 5], { padding: 1, stride: 0 }),
  ],
})

/** Inputs: x [B, C, H, W], the output's gradient [B, C, Ho, Wo]. The gradient of the kernels: linear in both, as the involution is. */
export const involutionWeightGradientOp = defineOp<InvolutionAttributes & { readonly weight: Shape }>({
  name: 'involutionWeightGradient',
  infer: (inputs, { weight }) => {
    const [x, g] = [inputAt('involution', inputs, 0), inputAt('involution', inputs, 1)]
    requireKernels(x, { dtype: 'float32', shape: weight })
    requireDType('involution', 'gradient', g, ['float32'])
    const shape = [...x.shape.slice(0, 2), ...weight.slice(4)]
    if (!sameShape(g.shape, shape))
      throw new ShapeError(`involution: the gradient must be ${formatShape(shape)}, found ${formatShape(g.shape)}`)
    return [{ dtype: 'float32', shape: weight }]
  },
  gradient: (o, { inputs, attributes }, [cotangent]) => {
    const [x, g] = [inputAt('involution', inputs, 0), inputAt('involution', inputs, 1)]
    const { weight: _, ...rest } = attributes
    if (!cotangent) return []
    return [o.involutionInputGradient(g, cotangent, x.shape, rest), apply(o.involutionOp, [x, cotangent], rest)]
  },
  multiplyAdds: ({ inputs: [, g], attributes: { weight } }) => (g ? g.size * sizeOf(weight, 2) * sizeOf(weight, 3) : 0),
  lower: (emit, { inputs: [x = '', g = ''], inputTypes, outputTypes, attributes }) => {
    const { shape } = inputAt('involution', inputTypes, 0)
    if (elementCount(shape) === 0 || elementCount(attributes.weight) === 0) return emitConstants(emit, outputTypes)
    const involution = involutionOf(shape, attributes.weight, attributes)
    const rows = { otherRows: 2, resultRows: 4 }
    return prefersTiles(emit, involution, fewestPlaces.backward)
      ? inBlocks(emit, involution, [x, g], gradientByTiles, { ...rows, size: tilesSize })
      : inBlocks(emit, involution, [x, g], gradientByShifts, { ...rows, size: shiftsSize })
  },
  samples: () => [
    {
      inputs: [
        [2, 4, 4, 5],
        [2, 4, 2, 4],
      ],
      call: (x, g) =>
        involutionWeightGradient(x, g, [2, 2, 3, 2, 2, 4], { stride: [2, 1], before: [1, 0], dilation: [1, 1] }),
    },
    {
      inputs: [
        [1, 8, 5, 9],
        [1, 8, 5, 9],
      ],
      call: (x, g) =>
        involutionWeightGradient(x, g, [1, 2, 5, 5, 5, 9], { stride: [1, 1], before: [2, 2], dilation: [1, 1] }),
    },
  ],
  errors: () => [
    {
      inputs: [
        [1, 4, 5, 5],
        [1, 4, 4, 4],
      ],
      call: (x, g) =>
        involutionWeightGradient(x, g, [1, 2, 3, 3, 5, 5], { stride: [1, 1], before: [1, 1], dilation: [1, 1] }),
    },
  ],
})

function sample(x: Shape, kernels: Shape, options: InvolutionOptions): Sample {
  return { inputs: [x, kernels], call: (input, weight) => involution(input, weight, options) }
}

/** The gradient of the kernels `weight` [B, G, KH, KW, Ho, Wo]: x times the output's gradient, summed over the channels of a group. */
export function involutionWeightGradient(
  x: Tensor,
  g: Tensor,
  weight: Shape,
  attributes: InvolutionAttributes,
): Tensor {
  return apply(involutionWeightGradientOp, [x, g], { ...attributes, weight })
}

/** Options of an involution; a number holds for both axes. Defaults: stride 1, padding 0, dilation 1, no bias. */
export interface InvolutionOptions {
  readonly stride?: number | readonly number[]
  /** Zeros on both sides of each axis. */
  readonly padding?: number | readonly number[]
  readonly dilation?: number | readonly number[]
  /** [C] */
  readonly bias?: Operand
}

/**
 * y[b, c, i, j] = bias[c] + sum over kh, kw of weight[b, c / (C / G), kh, kw, i, j] x[b, c, i s + kh d - p, j s + kw d - p]: x
 * [B, C, H, W], weight [B, G, KH, KW, Ho, Wo] -> [B, C, Ho, Wo]. Channels of a group are neighbours; beyond the border x is 0.
 */
export function involution(x: Operand, weight: Operand, options?: InvolutionOptions): Tensor {
  const given = optionsOf('involution', options, { stride: true, padding: true, dilation: true, bias: true })
  const [input, kernels] = [toFloat('involution', x), toFloat('involution', weight, 'weight')]
  const shift = given.bias === undefined ? undefined : toFloat('involution', given.bias, 'bias')
  return checked(() => {
    const pair = (name: 'stride' | 'padding' | 'dilation', usual: number, least: number): Pair =>
      sizes(perAxis('involution', name, given[name] ?? usual, 2, least), 2)
    const [stride, padding, dilation] = [pair('stride', 1, 1), pair('padding', 0, 0), pair('dilation', 1, 1)]
    requireKernels(input, kernels)
    requirePositions(input.shape, kernels.shape, { stride, before: padding, dilation })
    const channels = sizeOf(input.shape, 1)
    if (shift && !sameShape(shift.shape, [channels]))
      throw new ShapeError(`involution: the bias must be [${channels}], found ${formatShape(shift.shape)}`)
    const y = apply(involutionOp, [input, kernels], { stride, before: padding, dilation })
    return shift ? add(y, reshape(shift, [1, -1, 1, 1])) : y
  })
}

/** There must be a kernel for each position of a window, no fewer and no more. */
function requirePositions(input: Shape, kernels: Shape, { stride, before, dilation }: InvolutionAttributes): void {
  const positions = ([0, 1] as const).map((axis) => {
    const reach = dilation[axis] * (sizeOf(kernels, axis + 2) - 1) + 1
    return Math.floor((sizeOf(input, axis + 2) + 2 * before[axis] - reach) / stride[axis]) + 1
  })
  const found = kernels.slice(4)
  if (sameShape(positions, found)) return
  const pooled = ([0, 1] as const).map((axis) => Math.floor(sizeOf(input, axis + 2) / stride[axis]))
  const isOdd = sameShape(pooled, found)
  throw new ShapeError(
    `involution: the weight must have a kernel for each of ${formatShape(positions)} positions, found ${formatShape(found)}; input ${formatShape(input)}, kernel ${formatShape(kernels.slice(2, 4))}, stride ${formatShape(stride)}, padding ${formatShape(before)}`,
    {
      hint: isOdd
        ? `kernels made from the input pooled by the stride are one for each whole ${formatShape(stride)} of it: pad the input to a multiple of the stride`
        : 'Ho = floor((H + 2 padding - dilation (KH - 1) - 1) / stride) + 1, and so Wo',
    },
  )
}
