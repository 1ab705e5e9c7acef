/** Attention without a mask as one op, which uses the runtime's kernel where the weights are not needed. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Attributes, Tensor, TensorType } from '../../tensor/tensor.ts'
import { currentTrace } from '../../tensor/trace.ts'
import { ShapeError } from '../../util/errors.ts'
import type { Backward } from '../control.ts'
import { full } from '../creation.ts'
import {
  applyAll,
  defineOp,
  type Emitter,
  first,
  inputAt,
  type LoweringContext,
  type OpDefinition,
  requireDType,
  type Sample,
} from '../define.ts'
import { mul, sub } from '../elementwise/binary.ts'
import { addAll } from '../elementwise/composite.ts'
import { concat } from '../movement/movement.ts'
import { matmulOp, matmulWith } from '../products/matmul.ts'
import { sum, sumTo } from '../reduction/reduce.ts'
import { softmaxOp } from '../reduction/softmax.ts'

/** Queries, keys, values, and what is added to the scores (or nothing). */
export interface AttentionInputs {
  readonly q: Tensor
  readonly k: Tensor
  readonly v: Tensor
  readonly added: Tensor | undefined
  readonly scale: number
  /** Whether `added` keeps query i from all keys after key i. */
  readonly causal: boolean
}

// From this many keys on, one more column in a product takes less time than a pass over all scores.
const manyKeys = 512

/**
 * G V^T - rows, [..., L, S]: g [..., L, width], v [..., S, width], rows [..., L, 1]. Many keys: the difference is a part of the product, of
 * [G, rows] and [V, -1].
 */
export function productMinusRows(g: Tensor, v: Tensor, rows: Tensor): Tensor {
  if (sizeOf(v.shape, -2) < manyKeys) return sub(matmulWith(g, v, { transposeB: true }), rows)
  const ones = full([...v.shape.slice(0, -1), 1], -1)
  return matmulWith(concat([g, rows], -1), concat([v, ones], -1), { transposeB: true })
}

// Up to this many keys (or the width, if that is more) their row sums take no longer than those over the width.
const fewKeys = 64

/**
 * With weights P and output Y = P V: dP = dY V^T and, through the softmax, dS = P (dP - rowsum(dP P)). The row sums are
 * those of dY Y, over the width instead of the keys: no passes over the scores (Dao et al. 2022, arXiv 2205.14135, appendix B.2).
 * Few keys: taken from dP P, so that dS is 0, not a rounding, where a query has one key only.
 */
export function attentionBackward(scale: number): Backward {
  return ([gy, gp], inputs, outputs) => {
    const [q, k, v] = threeOf(inputs)
    const [y, p] = [inputAt('attention', outputs, 0), inputAt('attention', outputs, 1)]
    const rowSums = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b), -1, { keepDims: true })
    const centred = (dp: Tensor): Tensor => sub(dp, rowSums(dp, p))
    const [keys, width] = [sizeOf(v.shape, -2), sizeOf(v.shape, -1)]
    const byOutput = (g: Tensor): Tensor =>
      keys <= Math.max(fewKeys, width)
        ? centred(matmulWith(g, v, { transposeB: true }))
        : productMinusRows(g, v, rowSums(g, y))
    const ds = mul(p, addAll([gy && byOutput(gy), gp && centred(gp)].filter(isPresent)))
    return [
      sumTo(matmulWith(ds, k, { scale }), q.shape),
      sumTo(matmulWith(ds, q, { transposeA: true, scale }), k.shape),
      gy && sumTo(matmulWith(p, gy, { transposeA: true }), v.shape),
      ...inputs.slice(3).map((mask) => sumTo(ds, mask.shape)),
    ]
  }
}

function isPresent(tensor: Tensor | undefined): tensor is Tensor {
  return tensor !== undefined
}

export function threeOf<T>(tensors: readonly T[]): readonly [T, T, T] {
  return [inputAt('attention', tensors, 0), inputAt('attention', tensors, 1), inputAt('attention', tensors, 2)]
}

// Within these the kernel goes by blocks that stay in the cache (docs/decisions/022-attention-blocks.md).
const fewestTokens = 1024
const mostWidth = 256

/** Whether the op is the better form: many tokens, none of them wide, no mask, and the graph is for running. */
export function isLong({ q, k, v, added }: AttentionInputs): boolean {
  return (
    currentTrace()?.tuned === true &&
    added === undefined &&
    Math.min(sizeOf(q.shape, -2), sizeOf(k.shape, -2)) >= fewestTokens &&
    Math.max(sizeOf(q.shape, -1), sizeOf(v.shape, -1)) <= mostWidth &&
    [k, v].every(({ shape }) => sameShape(shape.slice(0, -2), q.shape.slice(0, -2)))
  )
}

/** Throws unless the matrices fit, apart from their leading axes. */
export function checkSizes(op: string, q: TensorType, k: TensorType, v: TensorType): void {
  const isRanked = [q, k, v].every(({ shape }) => shape.length >= 2)
  if (isRanked && q.shape.at(-1) === k.shape.at(-1) && k.shape.at(-2) === v.shape.at(-2)) return
  throw new ShapeError(
    `${op}: needs queries [..., L, E], keys [..., S, E] and values [..., S, width], found ${[q, k, v].map(({ shape }) => formatShape(shape)).join(', ')}`,
  )
}

interface AttentionAttributes {
  /** Factor on the products of queries and keys. */
  readonly scale: number
}

/**
 * P = softmax(scale Q K^T) and Y = P V: query [..., L, E], key [..., S, E], value [..., S, width] with the same leading axes -> Y
 * [..., L, width], P [..., L, S]. A primitive because only the finished graph shows whether P is used, by a gradient or elsewhere.
 */
export const attentionOp: OpDefinition<AttentionAttributes> = defineOp({
  name: 'attention',
  infer: (inputs) => {
    const [q, k, v] = threeOf(inputs)
    for (const [argument, input] of Object.entries({ query: q, key: k, value: v }))
      requireDType('attention', argument, input, ['float32'])
    checkSizes('attention', q, k, v)
    const leading = q.shape.slice(0, -2)
    const other = [k, v].find(({ shape }) => !sameShape(shape.slice(0, -2), leading))
    if (other)
      throw new ShapeError(
        `attention: needs the same leading axes, found ${formatShape(q.shape)} and ${formatShape(other.shape)}`,
      )
    const [queries, keys, width] = [sizeOf(q.shape, -2), sizeOf(k.shape, -2), sizeOf(v.shape, -1)]
    return [
      { dtype: 'float32', shape: [...leading, queries, width] },
      { dtype: 'float32', shape: [...leading, queries, keys] },
    ]
  },
  gradient: (_, { inputs, outputs, attributes }, gradients) =>
    attentionBackward(attributes.scale)(gradients, inputs, outputs),
  multiplyAdds: ({ inputs: [q], outputs: [y, p] }) =>
    q && y && p ? p.size * (sizeOf(q.shape, -1) + sizeOf(y.shape, -1)) : 0,
  lower: (emit, context) => {
    // The kernel takes a scale of 0 for its default.
    const isKernel = emit.fused && !context.used[1] && context.attributes.scale !== 0
    return isKernel ? lowerToKernel(emit, context) : lowerToProducts(emit, context)
  },
  samples: () => [
    sample(0.7, [2, 3, 4], [2, 5, 4], [2, 5, 2]),
    sampleOfOutput(0.7, [2, 3, 4], [2, 5, 4], [2, 5, 2]),
    sampleOfOutput(1, [3, 2], [4, 2], [4, 2]),
  ],
  errors: () => [
    sample(1, [2, 3, 4], [2, 5, 3], [2, 5, 2]),
    sample(1, [2, 3, 4], [1, 5, 4], [1, 5, 2]),
    sample(1, [2, 3, 4], [2, 5, 4], [2, 4, 2]),
  ],
})

/** Output and weights, and the output alone. */
const sample = (scale: number, ...inputs: Shape[]): Sample => ({
  inputs,
  call: (q, k, v) => unmaskedAttention(q, k, v, scale),
})
const sampleOfOutput = (scale: number, ...inputs: Shape[]): Sample => ({
  inputs,
  call: (q, k, v) => first(unmaskedAttention(q, k, v, scale)),
})

/** The runtime's MultiHeadAttention, each matrix as a head of its own. */
function lowerToKernel(
  emit: Emitter,
  { inputs, inputTypes, outputTypes, attributes }: LoweringContext<AttentionAttributes>,
): string[] {
  const matrices = inputs.map((name, i) => {
    const { shape } = inputAt('attention', inputTypes, i)
    return emit.node('Reshape', [name, emit.ints([elementCount(shape.slice(0, -2)), ...shape.slice(-2)])])
  })
  const options = { num_heads: 1, scale: { float: attributes.scale } }
  const y = emit.node('MultiHeadAttention', matrices, options, 'com.microsoft')
  return [emit.node('Reshape', [y, emit.ints(inputAt('attention', outputTypes, 0).shape)])]
}

function lowerToProducts(
  emit: Emitter,
  { inputs, inputTypes, outputTypes, attributes }: LoweringContext<AttentionAttributes>,
): string[] {
  const [q = '', k = '', v = ''] = inputs
  const [typeQ, typeK, typeV] = threeOf(inputTypes)
  const [typeY, typeP] = [inputAt('attention', outputTypes, 0), inputAt('attention', outputTypes, 1)]
  const lower = <A extends Attributes>(
    op: OpDefinition<A>,
    names: readonly string[],
    types: readonly TensorType[],
    output: TensorType,
    options: A,
  ): string => {
    const context = { inputs: names, inputTypes: types, outputTypes: [output], used: [true], attributes: options }
    return inputAt('attention', [op.lower(emit, context)].flat(), 0)
  }
  const plain = { transposeA: false, transposeB: false, scale: 1 }
  const scores = lower(matmulOp, [q, k], [typeQ, typeK], typeP, { ...plain, transposeB: true, ...attributes })
  const p = lower(softmaxOp, [scores], [typeP], typeP, { axis: typeP.shape.length - 1 })
  return [lower(matmulOp, [p, v], [typeP, typeV], typeY, plain), p]
}

/** The output and the weights. */
export function unmaskedAttention(q: Tensor, k: Tensor, v: Tensor, scale: number): readonly Tensor[] {
  return applyAll(attentionOp, [q, k, v], { scale })
}
