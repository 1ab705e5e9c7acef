/** Matrix products. */
import { elementCount } from '../../tensor/dtype.ts'
import { broadcastShapes, formatShape, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFinite, requireFlag } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  checked,
  defineOp,
  emitConstants,
  inputAt,
  type Operand,
  type Ops,
  requireDType,
  type Sample,
  type SampleInput,
  toTensor,
  toTensors,
} from '../define.ts'
import { permuteOp, reshape, transpose } from '../movement/movement.ts'
import {
  emitFusedProduct,
  emitTranspose,
  emitTransposedProduct,
  hasFusedProduct,
  type MatmulAttributes,
  type Transposes,
  transposedFormHere,
} from './transposed.ts'

const sample = (call: (...inputs: Tensor[]) => Tensor, ...inputs: SampleInput[]): Sample => ({ inputs, call })

const plain: MatmulAttributes = { transposeA: false, transposeB: false, scale: 1 }

function matrixSizes(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = [sizeOf(shape, -2), sizeOf(shape, -1)]
  return transposed ? [columns, rows] : [rows, columns]
}

function productShape(op: string, a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Shape {
  if (a.length < 2 || b.length < 2) {
    throw new ShapeError(
      `${op}: operands must have at least 2 axes here, found a ${formatShape(a)}, b ${formatShape(b)}`,
    )
  }
  const [rows, innerA] = matrixSizes(a, transposeA)
  const [innerB, columns] = matrixSizes(b, transposeB)
  if (innerA !== innerB) {
    throw new ShapeError(
      `${op}: inner sizes differ: a ${formatShape(a)} has ${innerA} on axis ${transposeA ? -2 : -1}, ` +
        `b ${formatShape(b)} has ${innerB} on axis ${transposeB ? -1 : -2}`,
      { hint: 'transpose one operand, or check the layer widths' },
    )
  }
  return [...broadcastShapes(op, [a.slice(0, -2), b.slice(0, -2)]), rows, columns]
}

/** The matrix before a swap of its last two axes, which a product can do by itself. */
export function withoutSwap(x: Tensor): Tensor | undefined {
  if (x.source.kind !== 'node' || x.source.node.op !== permuteOp) return undefined
  const { axes } = x.source.node.attributes as { readonly axes: readonly number[] }
  const swaps = axes.every((axis, i) => axis === (i < axes.length - 2 ? i : 2 * axes.length - 3 - i))
  return swaps ? x.source.node.inputs[0] : undefined
}

/** Operands and flags with transposes taken into the product; undefined if there are none. */
function absorbTransposes<A extends Transposes>(
  a: Tensor,
  b: Tensor,
  attributes: A,
): { readonly a: Tensor; readonly b: Tensor; readonly attributes: A } | undefined {
  const [innerA, innerB] = [withoutSwap(a), withoutSwap(b)]
  if (!innerA && !innerB) return undefined
  const transposeA = attributes.transposeA !== (innerA !== undefined)
  const transposeB = attributes.transposeB !== (innerB !== undefined)
  return { a: innerA ?? a, b: innerB ?? b, attributes: { ...attributes, transposeA, transposeB } }
}

/** Each element of the product is a sum over the inner axis. */
function productMultiplyAdds(a: Tensor | undefined, product: Tensor | undefined, { transposeA }: Transposes): number {
  return a && product ? product.size * sizeOf(a.shape, transposeA ? -2 : -1) : 0
}

/** With A and B as multiplied (after their transposes): dA = s g B^T, dB = s A^T g, transposed back as needed. */
function productGradients(o: Ops, a: Tensor, b: Tensor, g: Tensor, attributes: MatmulAttributes): [Tensor, Tensor] {
  const { transposeA, transposeB, scale } = attributes
  const product = (x: Tensor, y: Tensor, tx: boolean, ty: boolean): Tensor =>
    o.matmulWith(x, y, { transposeA: tx, transposeB: ty, scale })
  const da = transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB)
  const db = transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false)
  return [o.sumTo(da, a.shape), o.sumTo(db, b.shape)]
}

/**
 * FusedMatMul transposes while it packs: of the forms measured in docs/decisions/001-matmul-forms.md none is faster by
 * more than the noise, and an explicit Transpose costs up to half as much again. Weight gradients on AVX2 are the exception
 * (docs/decisions/066-transposed-products.md).
 */
export const matmulOp = defineOp<MatmulAttributes>({
  name: 'matmul',
  infer: (inputs, { transposeA, transposeB, scale }) => {
    const [a, b] = [inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1)]
    requireFinite('matmul', 'scale', scale)
    requireDType('matmul', 'a', a, scale === 1 ? ['float32', 'int32', 'int64'] : ['float32'])
    requireDType('matmul', 'b', b, [a.dtype])
    return [{ dtype: a.dtype, shape: productShape('matmul', a.shape, b.shape, transposeA, transposeB) }]
  },
  gradient: (o, { inputs, attributes }, [g]) =>
    g ? productGradients(o, inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1), g, attributes) : [],
  simplify: (o, { inputs, attributes }) => {
    const absorbed = absorbTransposes(inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1), attributes)
    return absorbed && [o.matmulWith(absorbed.a, absorbed.b, absorbed.attributes)]
  },
  multiplyAdds: ({ inputs, outputs, attributes }) => productMultiplyAdds(inputs[0], outputs[0], attributes),
  lower: (emit, { inputs, inputTypes, outputTypes, attributes }) => {
    const { transposeA, transposeB, scale } = attributes
    const [a, b] = [inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1)]
    const [typeA, typeB] = [inputAt('matmul', inputTypes, 0), inputAt('matmul', inputTypes, 1)]
    // Over an empty inner axis FusedMatMul leaves what was in the memory of a batch's products.
    if (elementCount(inputAt('matmul', outputTypes, 0).shape) === 0 || elementCount(typeA.shape) === 0)
      return emitConstants(emit, outputTypes)
    if (hasFusedProduct(emit) && typeA.dtype === 'float32' && (transposeA || transposeB || scale !== 1)) {
      const form = transposeA && !transposeB ? transposedFormHere(emit, typeA.shape, typeB.shape) : undefined
      if (form) return emitTransposedProduct(emit, a, b, scale, form)
      return emitFusedProduct(emit, a, b, attributes)
    }
    const left = transposeA ? emitTranspose(emit, a, typeA.shape.length) : a
    const right = transposeB ? emitTranspose(emit, b, typeB.shape.length) : b
    const product = emit.node('MatMul', [left, right])
    return scale === 1 ? product : emit.node('Mul', [product, emit.scalar(scale, 'float32')])
  },
  samples: () => [
    sample(matmul, [2, 3], [3, 4]),
    sample(matmul, [2, 1, 2, 3], [4, 3, 1]),
    sample(matmul, [2, 2, 3], [1, 3, 2]),
    sample((a, b) => matmulWith(a, b, { transposeA: true, transposeB: true, scale: 0.5 }), [3, 2], [4, 3]),
    sample((a, b) => matmulWith(a, b, { transposeA: true }), [2, 3, 2], [2, 3, 4]),
    sample((a, b) => matmul(transpose(a), transpose(b)), [2, 3, 2], [4, 3]),
    sample(matmul, [3], [3]),
    sample(matmul, [3], [2, 3, 4]),
    sample(matmul, [2, 4, 3], [3]),
    sample(matmul, { shape: [2, 3], dtype: 'int32' }, { shape: [3, 1], dtype: 'int32' }),
  ],
  errors: () => [
    sample(matmul, [32, 128], [64, 10]),
    sample(matmul, [2, 2, 3], [3, 3, 4]),
    sample(matmul, [2, 3], { shape: [3, 4], dtype: 'int32' }),
    sample(matmul, [], [3, 4]),
    sample((a, b) => matmulWith(a, b, { scale: Number.NaN }), [2, 3], [3, 4]),
  ],
})

export interface AddmmAttributes extends Transposes {
  /** Factor on the product. */
  readonly alpha: number
  /** Factor on what is added. */
  readonly beta: number
}

/** Gemm: one node for a product and its bias, up to 10% faster than two where matrices are small or narrow. */
export const addmmOp = defineOp<AddmmAttributes>({
  name: 'addmm',
  infer: (inputs, { transposeA, transposeB, alpha, beta }) => {
    requireFinite('addmm', 'alpha', alpha)
    requireFinite('addmm', 'beta', beta)
    const [c, a, b] = [inputAt('addmm', inputs, 0), inputAt('addmm', inputs, 1), inputAt('addmm', inputs, 2)]
    for (const [argument, input] of Object.entries({ input: c, a, b }))
      requireDType('addmm', argument, input, ['float32'])
    const shape = productShape('addmm', a.shape, b.shape, transposeA, transposeB)
    if (shape.length !== 2 || !sameShape(broadcastShapes('addmm', [shape, c.shape]), shape)) {
      throw new ShapeError(
        `addmm: the input must broadcast to the product's shape [rows, columns], found input ${formatShape(c.shape)}, product ${formatShape(shape)}`,
        { hint: 'baddbmm adds to a batch of products' },
      )
    }
    return [{ dtype: 'float32', shape }]
  },
  // As for matmul; what is added gets beta g, summed over what broadcasting had repeated.
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const [c, a, b] = [inputAt('addmm', inputs, 0), inputAt('addmm', inputs, 1), inputAt('addmm', inputs, 2)]
    const { transposeA, transposeB, alpha, beta } = attributes
    const [da, db] = productGradients(o, a, b, g, { transposeA, transposeB, scale: alpha })
    return [o.mul(o.sumTo(g, c.shape), beta), da, db]
  },
  simplify: (o, { inputs, attributes }) => {
    const [c, a, b] = [inputAt('addmm', inputs, 0), inputAt('addmm', inputs, 1), inputAt('addmm', inputs, 2)]
    const absorbed = absorbTransposes(a, b, attributes)
    return absorbed && [o.addmmWith(c, absorbed.a, absorbed.b, absorbed.attributes)]
  },
  multiplyAdds: ({ inputs, outputs, attributes }) => productMultiplyAdds(inputs[1], outputs[0], attributes),
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { transposeA, transposeB, alpha, beta } }) => {
    const [c = '', a = '', b = ''] = inputs
    const [typeA, product] = [inputAt('addmm', inputTypes, 1), inputAt('addmm', outputTypes, 0)]
    // Over an empty inner axis the kernel forgets the factor of what it adds.
    if (elementCount(typeA.shape) === 0 && elementCount(product.shape) > 0) {
      const scaled = emit.node('Mul', [c, emit.scalar(beta, 'float32')])
      return emit.node('Expand', [scaled, emit.ints(product.shape)])
    }
    // Of the two forms only this one adds to c as it lies in memory.
    const [shapeA, shapeB] = [typeA.shape, inputAt('addmm', inputTypes, 2).shape]
    const isFirst = transposeA && !transposeB && transposedFormHere(emit, shapeA, shapeB) === 'left'
    return emit.node('Gemm', [isFirst ? emitTranspose(emit, a) : a, b, c], {
      transA: Number(transposeA && !isFirst),
      transB: Number(transposeB),
      alpha: { float: alpha },
      beta: { float: beta },
    })
  },
  samples: () => [
    sample((c, a, b) => addmm(c, a, b), [4], [2, 3], [3, 4]),
    sample((c, a, b) => addmm(c, a, b, { alpha: 0.5, beta: -2 }), [2, 1], [2, 3], [3, 4]),
    sample((c, a, b) => addmm(c, a, b, { beta: 3 }), [], [1, 3], [3, 1]),
    sample((c, a, b) => addmm(c, transpose(a), transpose(b), { alpha: 2 }), [2, 4], [3, 2], [4, 3]),
    sample((c, a, b) => addmm(c, a, b, { beta: 3 }), [4], [2, 0], [0, 4]),
  ],
  errors: () => [
    sample((c, a, b) => addmm(c, a, b), [3], [2, 3], [3, 4]),
    sample((c, a, b) => addmm(c, a, b), [4], [2, 3], [4, 4]),
    sample((c, a, b) => addmm(c, a, b), [5, 2, 4], [2, 3], [3, 4]),
    sample((c, a, b) => addmm(c, a, b), [4], [5, 2, 3], [3, 4]),
    sample((c, a, b) => addmm(c, a, b, { beta: Number.NaN }), [4], [2, 3], [3, 4]),
  ],
})

/** scale * A B over the last two axes, each operand transposed if asked; leading axes broadcast. */
export function matmulWith(a: Operand, b: Operand, options: Partial<MatmulAttributes>): Tensor {
  const [left, right] = [toTensor('matmulWith', a), toTensor('matmulWith', b)]
  const attributes = { ...plain, ...options }
  const { transposeA, transposeB } = attributes
  return checked(() => {
    for (const [name, flag] of Object.entries({ transposeA, transposeB })) requireFlag('matmulWith', name, flag)
    const shape = productShape('matmul', left.shape, right.shape, transposeA, transposeB)
    const single = right.shape.slice(0, -2).every((size) => size === 1)
    if (transposeA || !single || left.rank < 3 || left.rank < right.rank)
      return apply(matmulOp, [left, right], attributes)
    // One product of two matrices: leading axes are folded, so that b's gradient is one product too, not a sum of them.
    const rows = reshape(left, [elementCount(left.shape.slice(0, -1)), sizeOf(left.shape, -1)])
    return reshape(apply(matmulOp, [rows, reshape(right, right.shape.slice(-2))], attributes), shape)
  })
}

/** Matrix product over the last two axes; leading axes broadcast; a vector is a row on the left, a column on the right. */
export function matmul(a: Operand, b: Operand): Tensor {
  const [left, right] = [toTensor('matmul', a), toTensor('matmul', b)]
  return checked(() => {
    if (left.rank === 0 || right.rank === 0)
      throw new ShapeError('matmul: a scalar cannot be multiplied as a matrix', { hint: 'use mul' })
    const rowed = left.rank === 1 ? reshape(left, [1, left.size]) : left
    const columned = right.rank === 1 ? reshape(right, [right.size, 1]) : right
    const product = matmulWith(rowed, columned, plain)
    const shape = product.shape.filter(
      (_, i) => !(left.rank === 1 && i === product.rank - 2) && !(right.rank === 1 && i === product.rank - 1),
    )
    return reshape(product, shape)
  })
}

/** Factors of a product that something is added to. */
export interface AddmmOptions {
  /** Factor on the product. Default: 1. */
  readonly alpha?: number
  /** Factor on what is added; with 0 it is ignored. Default: 1. */
  readonly beta?: number
}

/** The names of its options. */
export const addmmNames = { alpha: true, beta: true } as const

/** beta input + alpha A B, where a and b are transposed first if asked. Input [rows, columns], or what broadcasts to it. */
export function addmmWith(input: Operand, a: Operand, b: Operand, options: Partial<AddmmAttributes>): Tensor {
  const attributes = { transposeA: false, transposeB: false, alpha: 1, beta: 1, ...options }
  const { transposeA, transposeB } = attributes
  checked(() => {
    for (const [name, flag] of Object.entries({ transposeA, transposeB })) requireFlag('addmmWith', name, flag)
  })
  return apply(addmmOp, toTensors('addmm', [input, a, b]), attributes)
}

/** beta input + alpha a b: a [rows, inner], b [inner, columns], input broadcasts to [rows, columns]. */
export function addmm(input: Operand, a: Operand, b: Operand, options?: AddmmOptions): Tensor {
  return addmmWith(input, a, b, optionsOf('addmm', options, addmmNames))
}
