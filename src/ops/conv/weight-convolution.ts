/** The gradient of a convolution's weight as one convolution, whose kernel is as large as a picture (docs/decisions/063-weight-convolution.md). */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, defineOp, type Emitter, inputAt, requireDType, type Sample } from '../define.ts'
import { onnxOptions } from './blocks.ts'
import type { ConvAttributes } from './conv.ts'
import { fitsInBlocks, type Reading, type Side, sumsInBlocks } from './weight-blocks.ts'
import { lowerWeightInTiles, paysInTiles } from './winograd.ts'

interface WeightAttributes extends ConvAttributes {
  /** [out, in, ...kernel] */
  readonly weight: Shape
}

/** The result lies over input channels; out channels are what multiplies it. Its places are the weight's kernel's. */
function overInput(x: Shape, g: Shape, { weight, stride, before, dilation }: WeightAttributes): Reading[] {
  return stride.map((step, i) => {
    const [apart, low] = [sizeOf(dilation, i), sizeOf(before, i)]
    const reach = apart * (sizeOf(weight, i + 2) - 1) + step * (sizeOf(g, i + 2) - 1) + 1
    return { before: low, after: reach - sizeOf(x, i + 2) - low, stride: apart, dilation: step }
  })
}

/** With stride 1 and dilation 1: over out channels, multiplied by the input; the places are turned around. */
function overOutput({ weight, before, after }: WeightAttributes): Reading[] {
  return before.map((low, i) => {
    const last = sizeOf(weight, i + 2) - 1
    return { before: last - low, after: last - sizeOf(after, i), stride: 1, dilation: 1 }
  })
}

const isOne = (step: number): boolean => step === 1
/** Zeros can be added only; along the last axis, which holds the channels too, the result has all places. */
const canRead = (axes: readonly Reading[]): boolean =>
  axes.every(({ before, after }) => before >= 0 && after >= 0) && axes.at(-1)?.stride === 1

/** Which side is the picture, and how it is read; the other side is the kernel. */
interface Plan {
  /** The picture is the output's gradient; the places come out turned around. */
  readonly turned: boolean
  readonly axes: readonly Reading[]
}

/** The ways in which the gradient can be read, that with the larger side as the kernel first. */
function plansOf(x: Shape, g: Shape, attributes: WeightAttributes): Plan[] {
  const { weight, stride, dilation, groups } = attributes
  if (groups !== 1) return []
  const [out, inner] = channelSizes(weight)
  const plans: Plan[] = [{ turned: false, axes: overInput(x, g, attributes) }]
  if ([...stride, ...dilation].every(isOne)) plans.push({ turned: true, axes: overOutput(attributes) })
  const readable = plans.filter(({ axes }) => canRead(axes))
  return out < inner ? readable.reverse() : readable
}

/** The plan of the runtime's usual convolution, which copies windows of the picture. */
const planOf = (x: Shape, g: Shape, attributes: WeightAttributes): Plan | undefined => plansOf(x, g, attributes)[0]

/** The plan with examples and the kernel's channels in blocks of that many, if there is one. */
function planInBlocks(x: Shape, g: Shape, attributes: WeightAttributes, block: number): Plan | undefined {
  if (attributes.weight.length !== 4) return undefined
  return plansOf(x, g, attributes).find(({ turned }) => fitsInBlocks(turned ? x : g, block))
}

// The runtime copies windows into place row by row: short rows take long, of numbers (a place of the kernel is as wide as the channels) and of places.
const [fewestNumbers, fewestPlaces] = [32, 8]
// Each number that is copied is multiplied with as many as there are channels of the other side. Products of batches of 8 and more copy less by hand.
const fewestChannels = (examples: number): number => (examples < 8 ? 16 : 32)
// The result has its channels last: bringing it into the weight's order takes as long as summing over this many examples and places.
const ordering = 0.8

// The widest blocks that a processor has: whether there are any is known only when the model is written. Few positions cost more than they save.
const [widestBlock, fewestInBlocks] = [16, 16]

/** Whether the weight's gradient can be had so, and soonest so. */
export function isWeightConvolution(x: Shape, g: Shape, weight: Shape, convolution: ConvAttributes): boolean {
  const [out, inner, ...kernel] = channelSizes(weight)
  const [n, , ...positions] = channelSizes(g)
  const [few, many] = [Math.min(out, inner), Math.max(out, inner)]
  const attributes = { ...convolution, weight }
  if (paysInTiles({ weight, output: g, options: onnxOptions(convolution) }))
    return planOf(x, g, attributes) !== undefined
  if (elementCount(kernel) === 1 || n * elementCount(positions) < ordering * many * elementCount(kernel)) return false
  if (elementCount(positions) >= fewestInBlocks && planInBlocks(x, g, attributes, widestBlock)) return true
  return (
    many >= fewestChannels(n) &&
    few * sizeOf(kernel, -1) >= fewestNumbers &&
    positions.every((size) => size >= fewestPlaces) &&
    planOf(x, g, attributes) !== undefined
  )
}

/** [N, C, ...sizes] as a picture with a channel for each example, in which a place is C numbers wide: [1, N, ...sizes C]. */
function asPicture(emit: Emitter, { name, shape }: Side): string {
  const [n, channels, ...sizes] = channelSizes(shape)
  const axes = sizes.map((_, i) => i + 2)
  const placed = emit.node('Transpose', [name], { perm: [0, ...axes, 1] })
  return emit.node('Reshape', [placed, emit.ints([1, n, ...sizes.slice(0, -1), sizeOf(sizes, -1) * channels])])
}

/** The convolution of a picture whose places are `within` numbers wide: [1, across, ...window within]. */
function sumsOf(emit: Emitter, picture: Side, kernel: Side, axes: readonly Reading[]): string {
  const sizes = kernel.shape.slice(2)
  const within = sizeOf(picture.shape, 1)
  const wide = axes.map((_, i) => (i === axes.length - 1 ? within : 1))
  const filter = emit.node('Transpose', [kernel.name], { perm: [1, 0, ...sizes.map((_, i) => i + 2)] })
  return emit.node('Conv', [asPicture(emit, picture), filter], {
    kernel_shape: sizes,
    strides: axes.map(({ stride }) => stride),
    dilations: axes.map(({ dilation }, i) => dilation * sizeOf(wide, i)),
    pads: [
      ...axes.map(({ before }, i) => before * sizeOf(wide, i)),
      ...axes.map(({ after }, i) => after * sizeOf(wide, i)),
    ],
  })
}

/**
 * Inputs: the convolution's input x [N, in, ...] and its result's gradient g [N, out, ...]. One of them is the picture, with channels innermost,
 * the other the kernel: its channels are the result's, its examples are the picture's channels, its sizes the kernel's. The runtime's kernels with
 * channels in blocks read the windows where they lie; where there are none, it copies the windows in pieces that stay in its cache.
 */
export const weightConvolutionOp = defineOp<WeightAttributes>({
  name: 'weightConvolution',
  infer: (inputs, attributes) => {
    const [x, g] = [inputAt('weightConvolution', inputs, 0), inputAt('weightConvolution', inputs, 1)]
    for (const input of [x, g]) requireDType('weightConvolution', 'input', input, ['float32'])
    const { weight, stride } = attributes
    const fits = ({ shape }: TensorType, channels: number): boolean =>
      shape.length === stride.length + 2 && sameShape(shape.slice(0, 2), [sizeOf(x.shape, 0), channels])
    if (!fits(x, sizeOf(weight, 1)) || !fits(g, sizeOf(weight, 0)) || !planOf(x.shape, g.shape, attributes))
      throw new ShapeError(
        `weightConvolution: input ${formatShape(x.shape)} and gradient ${formatShape(g.shape)} do not give a weight ${formatShape(weight)}`,
      )
    return [{ dtype: 'float32', shape: weight }]
  },
  // Linear in x and in g: with the gradient as the weight, the convolution and its input's gradient.
  gradient: (o, { inputs, attributes: { weight: _, ...attributes } }, [gradient]) => {
    const [x, g] = [inputAt('weightConvolution', inputs, 0), inputAt('weightConvolution', inputs, 1)]
    if (!gradient) return []
    return [o.convInputGradient(g, gradient, x.shape, attributes), apply(o.convOp, [x, gradient], attributes)]
  },
  multiplyAdds: ({ inputs: [, g], outputs: [weight] }) =>
    g && weight ? (g.size * weight.size) / Math.max(1, sizeOf(weight.shape, 0)) : 0,
  lower: (emit, { inputs, inputTypes, attributes }) => {
    const side = (i: number): Side => ({
      name: inputAt('weightConvolution', inputs, i),
      shape: inputAt('weightConvolution', inputTypes, i).shape,
    })
    const [x, g] = [side(0), side(1)]
    const inTiles = lowerWeightInTiles(emit, x, g, { weight: attributes.weight, options: onnxOptions(attributes) })
    if (inTiles !== undefined) return inTiles
    const block = emit.channelBlock
    const blocked = block > 1 ? planInBlocks(x.shape, g.shape, attributes, block) : undefined
    const plan = blocked ?? planOf(x.shape, g.shape, attributes)
    if (!plan) throw new ShapeError('weightConvolution: shapes that its shape rule refuses')
    const [picture, kernel] = plan.turned ? [g, x] : [x, g]
    const [out, inner, ...window] = channelSizes(attributes.weight)
    const [across, within] = plan.turned ? [inner, out] : [out, inner]
    const places = elementCount(window)
    const axis = (i: number): Reading => inputAt('weightConvolution', plan.axes, i)
    const sums = blocked
      ? sumsInBlocks(emit, { picture, kernel, rows: axis(0), columns: axis(1), window })
      : emit.node('Reshape', [sumsOf(emit, picture, kernel, plan.axes), emit.ints([across, places, within])])
    const placed = plan.turned ? turnedPlaces(emit, sums, places) : sums
    // [across, places, within], with blocks [blocks, places, within, across of the block] -> [out, in, places]
    const perm = blocked ? (plan.turned ? [2, 0, 3, 1] : [0, 3, 2, 1]) : plan.turned ? [2, 0, 1] : [0, 2, 1]
    return emit.node('Reshape', [emit.node('Transpose', [placed], { perm }), emit.ints(attributes.weight)])
  },
  samples: () => [
    sample([2, 2, 5, 6], [2, 3, 5, 6], { weight: [3, 2, 3, 3], ...square }),
    sample([2, 3, 4, 5], [2, 2, 5, 5], { weight: [2, 3, 2, 3], ...square }),
    sample([2, 2, 7, 7], [2, 4, 4, 3], { weight: [4, 2, 3, 3], ...square, stride: [2, 3] }),
    sample([1, 2, 7, 6], [1, 4, 5, 6], { weight: [4, 2, 3, 3], ...square, dilation: [2, 1] }),
    // Where examples and channels come in blocks: with bands of rows, the larger side as the kernel, a stride, groups of examples.
    sample([16, 2, 4, 4], [16, 16, 4, 4], { weight: [16, 2, 3, 3], ...square }, small),
    sample([16, 16, 4, 3], [16, 1, 4, 4], { weight: [1, 16, 3, 2], ...square }, small),
    sample([16, 1, 5, 7], [16, 16, 3, 4], { weight: [16, 1, 3, 3], ...square, stride: [2, 2] }, small),
    sample([48, 1, 3, 2], [48, 16, 3, 2], { weight: [16, 1, 3, 3], ...square }, small),
    sample([2, 2, 9], [2, 3, 4], { weight: [3, 2, 3], stride: [2], before: [0], after: [0], dilation: [1], groups: 1 }),
  ],
  errors: () => [
    sample([2, 2, 5, 6], [2, 3, 5, 6], { weight: [4, 2, 3, 3], ...square }),
    sample([2, 2, 5, 6], [3, 3, 5, 6], { weight: [3, 2, 3, 3], ...square }),
    sample([2, 2, 6, 6], [2, 3, 2, 2], { weight: [3, 2, 1, 1], ...square, before: [0, 0], stride: [2, 2] }),
  ],
})

const square = { stride: [1, 1], before: [1, 1], after: [1, 1], dilation: [1, 1], groups: 1 }

// Sums of many products: float32 rounds large ones in more than one order.
const [usual, small] = [
  [-1, 1],
  [-0.25, 0.25],
] as const

function sample(x: Shape, g: Shape, attributes: WeightAttributes, range: readonly [number, number] = usual): Sample {
  return {
    inputs: [x, g].map((shape) => ({ shape, range })),
    call: (input, gradient) => apply(weightConvolutionOp, [input, gradient], attributes),
  }
}

/** The places of the kernel, the second axis, from the last to the first. */
function turnedPlaces(emit: Emitter, name: string, places: number): string {
  const [last, end] = [emit.ints([-1]), emit.ints([-places - 1])]
  return emit.node('Slice', [name, last, end, emit.ints([1]), last])
}
