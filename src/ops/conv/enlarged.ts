/** Convolutions of pictures whose pixels stand several times in a row, as they are after nearest upsampling (docs/decisions/065-enlarged-convolution.md). */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, type Shape, sizeOf, spatialAxes } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  constantOf,
  defineOp,
  type Emitter,
  inputAt,
  requireDType,
  type Sample,
  type SampleInput,
} from '../define.ts'
import { permute, reshape } from '../movement/movement.ts'
import { emitRepeated, type Repetition, repetitionOf } from '../movement/repeated.ts'
import { matmulWith } from '../products/matmul.ts'
import { lowerInBlocks } from './blocks.ts'
import type { ConvAttributes } from './conv.ts'
import { lowerInPhases, mostPhases } from './phases.ts'
import { kernelPlaces } from './windows.ts'

/** A convolution with stride 1, without dilation and groups. */
interface EnlargedAttributes extends Pick<ConvAttributes, 'before' | 'after'> {
  /** How often each element stands in a row, by axis. */
  readonly factors: readonly number[]
}

/**
 * u[m] = x[floor(m / s)], y[i] = sum over j of u[i + j - before] w[j] is a transposed convolution of x with stride s:
 * y[i] = sum over a of x[a] W[i + (k - 1 - before) - s a], W[q] = sum over d < s of w[k - 1 + d - q], q < k + s - 1.
 */
function spreadSizes(kernel: Shape, factors: readonly number[]): number[] {
  return kernel.map((size, i) => size + sizeOf(factors, i) - 1)
}

/** 1 where a place of W [...spread] (rows) has a place of w [...kernel] (columns) in its sum. */
function spreadMatrix(kernel: Shape, factors: readonly number[]): Float32Array {
  const columns = kernelPlaces(kernel)
  const meets = (q: readonly number[], j: readonly number[]): boolean =>
    kernel.every((size, i) => {
      const d = sizeOf(q, i) + sizeOf(j, i) - (size - 1)
      return d >= 0 && d < sizeOf(factors, i)
    })
  return Float32Array.from(
    kernelPlaces(spreadSizes(kernel, factors)).flatMap((q) => columns.map((j) => Number(meets(q, j)))),
  )
}

function spreadConstant(kernel: Shape, factors: readonly number[]): Tensor {
  return constantOf(spreadMatrix(kernel, factors), [elementCount(spreadSizes(kernel, factors)), elementCount(kernel)])
}

/** [out, in, ...kernel] -> [in, out, ...spread] */
function spreadWeight(weight: Tensor, factors: readonly number[]): Tensor {
  const [out, inner, ...kernel] = channelSizes(weight.shape)
  const flat = reshape(weight, [out * inner, elementCount(kernel)])
  const spread = matmulWith(flat, spreadConstant(kernel, factors), { transposeB: true })
  const places = spreadSizes(kernel, factors)
  return reshape(permute(reshape(spread, [out, inner, elementCount(places)]), [1, 0, 2]), [inner, out, ...places])
}

/** The gradient of w from that of W: [in, out, ...spread] -> [out, in, ...kernel] */
function gatheredWeight(spread: Tensor, weight: Shape, factors: readonly number[]): Tensor {
  const [out, inner, ...kernel] = channelSizes(weight)
  const flat = reshape(permute(reshape(spread, [inner, out, -1]), [1, 0, 2]), [out * inner, -1])
  return reshape(matmulWith(flat, spreadConstant(kernel, factors), {}), weight)
}

/** The strided convolution that this one is the transpose of, from y to x, with W as its weight. */
function strided(kernel: Shape, { factors, before, after }: EnlargedAttributes): ConvAttributes {
  const rest = (zeros: readonly number[]): number[] => kernel.map((size, i) => size - 1 - sizeOf(zeros, i))
  return { stride: factors, before: rest(before), after: rest(after), dilation: factors.map(() => 1), groups: 1 }
}

/** W with its places first, [...spread, in, out]. */
function emitSpread(emit: Emitter, name: string, weight: Shape, factors: readonly number[]): string {
  const [out, inner, ...kernel] = channelSizes(weight)
  const [places, count] = [elementCount(kernel), elementCount(spreadSizes(kernel, factors))]
  const flat = emit.node('Transpose', [emit.node('Reshape', [name, emit.ints([out, -1])])], { perm: [1, 0] })
  const placed = emit.node('Transpose', [emit.node('Reshape', [flat, emit.ints([inner, places, out])])], {
    perm: [1, 0, 2],
  })
  const matrix = emit.constant('float32', [count, places], spreadMatrix(kernel, factors))
  return emit.node('MatMul', [matrix, emit.node('Reshape', [placed, emit.ints([places, -1])])])
}

/** Inputs: x [N, in, ...], weight [out, in, ...kernel] and, if there is one, bias [out]. The convolution of x with its elements repeated. */
export const enlargedConvOp = defineOp<EnlargedAttributes>({
  name: 'enlargedConv',
  infer: (inputs, { factors, before, after }) => {
    const [x, weight, bias] = [inputAt('enlargedConv', inputs, 0), inputAt('enlargedConv', inputs, 1), inputs[2]]
    for (const input of bias ? [x, weight, bias] : [x, weight])
      requireDType('enlargedConv', 'input', input, ['float32'])
    const [out, ...kernel] = [sizeOf(weight.shape, 0), ...weight.shape.slice(2)]
    const sizes = factors.map((factor, i) => {
      return sizeOf(x.shape, i + 2) * factor + sizeOf(before, i) + sizeOf(after, i) - sizeOf(kernel, i) + 1
    })
    const fits =
      x.shape.length === factors.length + 2 &&
      weight.shape.length === x.shape.length &&
      x.shape[1] === weight.shape[1] &&
      (!bias || (bias.shape.length === 1 && bias.shape[0] === out)) &&
      sizes.every((size) => size > 0)
    if (!fits)
      throw new ShapeError(
        `enlargedConv: input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} do not fit, factors ${formatShape(factors)}`,
      )
    return [{ dtype: 'float32', shape: [sizeOf(x.shape, 0), out, ...sizes] }]
  },
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const [x, weight] = [inputAt('enlargedConv', inputs, 0), inputAt('enlargedConv', inputs, 1)]
    const conv = strided(weight.shape.slice(2), attributes)
    const spread = spreadWeight(weight, attributes.factors)
    const ofSpread = o.convWeightGradient(g, x, spread.shape, conv)
    const gradients = [apply(o.convOp, [g, spread], conv), gatheredWeight(ofSpread, weight.shape, attributes.factors)]
    return inputs.length < 3 ? gradients : [...gradients, o.sum(g, [0, ...spatialAxes(g.shape)])]
  },
  multiplyAdds: ({ inputs: [x, weight], attributes: { factors } }) =>
    x && weight ? x.size * elementCount(spreadSizes(weight.shape.slice(2), factors)) * sizeOf(weight.shape, 0) : 0,
  lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
    const [x, weight] = [inputAt('enlargedConv', inputTypes, 0).shape, inputAt('enlargedConv', inputTypes, 1).shape]
    const [picture, stored] = [inputAt('enlargedConv', inputs, 0), inputAt('enlargedConv', inputs, 1)]
    const { factors, before, after } = attributes
    const kernel = weight.slice(2)
    const bias = inputs.slice(2)
    const inPhases = {
      x: picture,
      bias,
      weight: () => emitSpread(emit, stored, weight, factors),
      kernel: spreadSizes(kernel, factors),
      input: x,
      output: inputAt('enlargedConv', outputTypes, 0).shape,
      stride: factors,
      before: strided(kernel, attributes).before,
    }
    const phases = lowerInPhases(emit, inPhases)
    if (phases !== undefined) return phases
    const all = [emitRepeated(emit, picture, x, factors), stored, ...bias]
    const one = factors.map(() => 1)
    const options = { strides: one, pads: [...before, ...after], dilations: one, group: 1 }
    const blocked = lowerInBlocks(emit, { inputs: all, weight, output: inPhases.output, turned: false, options })
    return blocked ?? emit.node('Conv', all, options)
  },
  samples: () => [
    sample([2, 3, 3, 4], [4, 3, 3, 3], { factors: [2, 2], before: [1, 1], after: [1, 1] }, [4]),
    sample([1, 2, 3, 2], [2, 2, 4, 2], { factors: [2, 3], before: [2, 0], after: [1, 1] }),
    sample([2, 2, 4], [3, 2, 3], { factors: [3], before: [2], after: [0] }),
    sample(
      [2, 16, 6, 5],
      { shape: [32, 16, 3, 3], range: [-0.1, 0.1] },
      { factors: [2, 2], before: [1, 1], after: [1, 1] },
      [32],
    ),
  ],
  errors: () => [
    sample([2, 3, 3, 4], [4, 2, 3, 3], { factors: [2, 2], before: [1, 1], after: [1, 1] }),
    sample([2, 3, 3, 4], [4, 3, 3, 3], { factors: [2, 2], before: [1, 1], after: [1, 1] }, [3]),
    sample([2, 3, 1, 4], [4, 3, 3, 3], { factors: [2, 2], before: [0, 0], after: [0, 0] }),
  ],
})

function sample(x: Shape, weight: SampleInput, attributes: EnlargedAttributes, bias?: Shape): Sample {
  return {
    inputs: bias ? [x, weight, bias] : [x, weight],
    call: (...inputs) => apply(enlargedConvOp, inputs, attributes),
  }
}

// Every processor's blocks are filled; with fewer positions putting the weights in order takes longer than is saved.
const [widestBlock, fewestPositions] = [16, 256]

/** Whether a convolution's picture was enlarged, and the convolution is soonest done on what it was before. */
function isWorthIt(
  { x, factors }: Repetition,
  { dtype, shape: weight }: TensorType,
  { before, after, stride, dilation, groups }: ConvAttributes,
): boolean {
  const [n, channels, ...sizes] = channelSizes(x.shape)
  const [out, , ...kernel] = channelSizes(weight)
  const fits = sizes.every((size, i) => {
    return size * sizeOf(factors, i) + sizeOf(before, i) + sizeOf(after, i) >= sizeOf(kernel, i)
  })
  return (
    fits &&
    x.dtype === 'float32' &&
    dtype === 'float32' &&
    groups === 1 &&
    kernel.length === 2 &&
    elementCount(factors) <= mostPhases &&
    [...stride, ...dilation].every((step) => step === 1) &&
    kernel.every((size, i) => size > 1 && sizeOf(before, i) < size && sizeOf(after, i) < size) &&
    channels === weight[1] &&
    [channels, out].every((count) => count % widestBlock === 0) &&
    n * elementCount(sizes) >= fewestPositions
  )
}

/** The convolution of a picture as it was before it was enlarged, where the input is one; undefined elsewhere. inputs: x, weight, bias. */
export function convEnlarged(inputs: readonly Tensor[], attributes: ConvAttributes): Tensor | undefined {
  const [input, weight, ...bias] = inputs
  const repetition = input && currentTrace()?.tuned ? repetitionOf(input) : undefined
  if (!repetition || !weight || !isWorthIt(repetition, weight, attributes)) return undefined
  const { before, after } = attributes
  return apply(enlargedConvOp, [repetition.x, weight, ...bias], { factors: repetition.factors, before, after })
}
