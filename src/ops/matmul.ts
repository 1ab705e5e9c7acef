/** Matrix products. */
import { broadcastShapes, formatShape, type Shape, sizeOf } from '../tensor/shape.ts'
import type { Tensor, TensorType } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { add } from './binary.ts'
import {
  apply,
  checked,
  defineOp,
  type Emitter,
  inputAt,
  type Operand,
  requireDType,
  toTensor,
  toTensors,
} from './define.ts'
import { reshape } from './movement.ts'

export interface MatmulAttributes {
  /** Whether the last two axes of the operand are swapped before the product. */
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** Factor on the product. */
  readonly scale: number
}

const plain: MatmulAttributes = { transposeA: false, transposeB: false, scale: 1 }

function matrixSizes(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = [sizeOf(shape, -2), sizeOf(shape, -1)]
  return transposed ? [columns, rows] : [rows, columns]
}

function swapLast(emit: Emitter, name: string, type: TensorType): string {
  const rank = type.shape.length
  const perm = type.shape.map((_, i) => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i))
  return emit.node('Transpose', [name], { perm })
}

export const matmulOp = defineOp<MatmulAttributes>({
  name: 'matmul',
  infer: (inputs, { transposeA, transposeB }) => {
    const [a, b] = [inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1)]
    requireDType('matmul', 'a', a, ['float32'])
    requireDType('matmul', 'b', b, ['float32'])
    if (a.shape.length < 2 || b.shape.length < 2) {
      throw new ShapeError(
        `matmul: operands must have at least 2 axes here, found a ${formatShape(a.shape)}, b ${formatShape(b.shape)}`,
      )
    }
    const [rows, innerA] = matrixSizes(a.shape, transposeA)
    const [innerB, columns] = matrixSizes(b.shape, transposeB)
    if (innerA !== innerB) {
      throw new ShapeError(
        `matmul: inner sizes differ: a ${formatShape(a.shape)} has ${innerA} on axis ${transposeA ? -2 : -1}, ` +
          `b ${formatShape(b.shape)} has ${innerB} on axis ${transposeB ? -1 : -2}`,
        { hint: 'transpose one operand, or check the layer widths' },
      )
    }
    const batch = broadcastShapes('matmul', [a.shape.slice(0, -2), b.shape.slice(0, -2)])
    return [{ dtype: 'float32', shape: [...batch, rows, columns] }]
  },
  // With A and B as multiplied (after their transposes): dA = s g B^T, dB = s A^T g, transposed back as needed.
  gradient: (o, { inputs, attributes }, [g]) => {
    if (!g) return []
    const [a, b] = [inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1)]
    const { transposeA, transposeB, scale } = attributes
    const product = (x: Tensor, y: Tensor, tx: boolean, ty: boolean): Tensor =>
      o.matmulWith(x, y, { transposeA: tx, transposeB: ty, scale })
    const da = transposeA ? product(b, g, transposeB, true) : product(g, b, false, !transposeB)
    const db = transposeB ? product(g, a, true, transposeA) : product(a, g, !transposeA, false)
    return [o.sumTo(da, a.shape), o.sumTo(db, b.shape)]
  },
  lower: (emit, { inputs, inputTypes, attributes }) => {
    const { transposeA, transposeB, scale } = attributes
    const [a, b] = [inputAt('matmul', inputs, 0), inputAt('matmul', inputs, 1)]
    const [typeA, typeB] = [inputAt('matmul', inputTypes, 0), inputAt('matmul', inputTypes, 1)]
    if (emit.fused && (transposeA || transposeB || scale !== 1)) {
      return emit.node(
        'FusedMatMul',
        [a, b],
        { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } },
        'com.microsoft',
      )
    }
    const left = transposeA ? swapLast(emit, a, typeA) : a
    const right = transposeB ? swapLast(emit, b, typeB) : b
    const product = emit.node('MatMul', [left, right])
    return scale === 1 ? product : emit.node('Mul', [product, emit.scalar(scale, 'float32')])
  },
  samples: () => [
    {
      inputs: [
        [2, 3],
        [3, 4],
      ],
      call: (a, b) => matmul(a, b),
    },
    {
      inputs: [
        [2, 1, 2, 3],
        [4, 3, 1],
      ],
      call: (a, b) => matmul(a, b),
    },
    {
      inputs: [
        [3, 2],
        [4, 3],
      ],
      call: (a, b) => matmulWith(a, b, { transposeA: true, transposeB: true, scale: 0.5 }),
    },
    {
      inputs: [
        [2, 3, 2],
        [2, 3, 4],
      ],
      call: (a, b) => matmulWith(a, b, { transposeA: true }),
    },
    { inputs: [[3], [3]], call: (a, b) => matmul(a, b) },
    { inputs: [[3], [2, 3, 4]], call: (a, b) => matmul(a, b) },
    { inputs: [[2, 4, 3], [3]], call: (a, b) => matmul(a, b) },
  ],
  errors: () => [
    {
      inputs: [
        [32, 128],
        [64, 10],
      ],
      call: (a, b) => matmul(a, b),
    },
    {
      inputs: [
        [2, 2, 3],
        [3, 3, 4],
      ],
      call: (a, b) => matmul(a, b),
    },
    { inputs: [[2, 3], { shape: [3, 4], dtype: 'int32' }], call: (a, b) => matmul(a, b) },
    { inputs: [[], [3, 4]], call: (a, b) => matmul(a, b) },
  ],
})

/** scale * A B over the last two axes, each operand transposed if asked; leading axes broadcast. */
export function matmulWith(a: Operand, b: Operand, options: Partial<MatmulAttributes>): Tensor {
  return apply(matmulOp, toTensors([a, b]), { ...plain, ...options })
}

/** Matrix product over the last two axes; leading axes broadcast; a vector is a row on the left, a column on the right. */
export function matmul(a: Operand, b: Operand): Tensor {
  const [left, right] = [toTensor(a), toTensor(b)]
  return checked(() => {
    if (left.rank === 0 || right.rank === 0)
      throw new ShapeError('matmul: a scalar cannot be multiplied as a matrix', { hint: 'use mul' })
    const rowed = left.rank === 1 ? reshape(left, [1, -1]) : left
    const columned = right.rank === 1 ? reshape(right, [-1, 1]) : right
    const product = apply(matmulOp, [rowed, columned], plain)
    const shape = product.shape.filter(
      (_, i) => !(left.rank === 1 && i === product.rank - 2) && !(right.rank === 1 && i === product.rank - 1),
    )
    return reshape(product, shape)
  })
}

/** x W^T + b: x [..., in], weight [out, in], bias [out] (PyTorch's layout). */
export function linear(x: Operand, weight: Operand, bias?: Operand): Tensor {
  const [input, w] = [toTensor(x), toTensor(weight)]
  return checked(() => {
    if (w.rank !== 2 || input.rank === 0 || sizeOf(input.shape, -1) !== w.shape[1]) {
      throw new ShapeError(
        `linear: the input's last axis must be the weight's ${w.shape[1]} inputs, found input ${formatShape(input.shape)}, weight [out, in] = ${formatShape(w.shape)}`,
      )
    }
    // One product of two matrices: leading axes are folded, so that the weight's gradient is one product too.
    const rows = reshape(input, [-1, sizeOf(input.shape, -1)])
    const product = matmulWith(rows, w, { transposeB: true })
    const biased = bias === undefined ? product : add(product, bias)
    return reshape(biased, [...input.shape.slice(0, -1), sizeOf(w.shape, 0)])
  })
}
