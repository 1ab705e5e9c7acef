/**
 * Systems of linear equations, inverses and determinants by elimination with the largest pivot of each column, in float64:
 * one loop of the runtime's, whatever the size (docs/decisions/050-linear-algebra.md). The results of singular matrices
 * are infinite or NaN.
 */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  applyAll,
  checked,
  constantOf,
  defineOp,
  type Emitter,
  emitConstants,
  inputAt,
  type OpDefinition,
  type Operand,
  type SampleInput,
  toFloat,
} from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { exp } from '../elementwise/unary.ts'
import { squeeze, unsqueeze } from '../movement/movement.ts'
import {
  batchOf,
  emitMatrices,
  emitPlaces,
  emitResult,
  requireSquare,
  requireSystem,
  withOneBatch,
} from './matrices.ts'

type NoAttributes = Record<string, never>

/** What is left of [a, b] when every column of a has one element that is not 0: its pivot, and the row where that is. */
interface Eliminated {
  /** [batch, n, width] */
  readonly rows: string
  /** int64 [batch, n]: the row of each column's pivot. */
  readonly places: string
  /** float64 [batch, n] */
  readonly pivots: string
}

/** Nodes of Gauss-Jordan elimination of float64 matrices [batch, n, width of at least n]. Rows stay where they are. */
function emitElimination(emit: Emitter, matrices: string, batch: number, n: number): Eliminated {
  const zero = emit.double(0)
  const never = emit.double(Number.NEGATIVE_INFINITY)
  const places = emitPlaces(emit, n)
  const free = emit.node('Expand', [zero, emit.ints([batch, n])])
  const [rows = '', , allPlaces = '', allPivots = ''] = emit.loop(n, [matrices, free], (round, states) => {
    const [now = '', isFree = ''] = states
    const column = emit.node('Gather', [now, round], { axis: 2 }) // [batch, n]
    const size = emit.node('Add', [emit.node('Abs', [column]), isFree])
    const place = emit.node('ArgMax', [size], { axis: 1, keepdims: 1 }) // [batch, 1]
    const row = emit.node('GatherND', [now, place], { batch_dims: 1 }) // [batch, width]
    const pivot = emit.node('GatherElements', [column, place], { axis: 1 }) // [batch, 1]
    const isPivot = emit.node('Equal', [places, place])
    // A column of zeros has nothing to take away, and no pivot to divide by.
    const stays = emit.node('Or', [isPivot, emit.node('Equal', [pivot, zero])])
    const factor = emit.node('Where', [stays, zero, emit.node('Div', [column, pivot])])
    const axes = [emit.ints([2]), emit.ints([1])]
    const part = emit.node('Mul', [
      emit.node('Unsqueeze', [factor, axes[0] ?? '']),
      emit.node('Unsqueeze', [row, axes[1] ?? '']),
    ])
    return {
      states: [emit.node('Sub', [now, part]), emit.node('Where', [isPivot, never, isFree])],
      stacked: [place, pivot],
    }
  })
  const perMatrix = (stacked: string): string =>
    emit.node('Transpose', [emit.node('Squeeze', [stacked, emit.ints([2])])], { perm: [1, 0] })
  return { rows, places: perMatrix(allPlaces), pivots: perMatrix(allPivots) }
}

/** The solution [batch, n, columns] of a x = b in float64. */
function emitSolution(
  emit: Emitter,
  a: string,
  b: string,
  [batch, n, columns]: readonly [number, number, number],
): string {
  const both = emit.node('Concat', [a, b], { axis: 2 })
  const { rows, places, pivots } = emitElimination(emit, both, batch, n)
  const right = emit.node('Slice', [rows, emit.ints([n]), emit.ints([n + columns]), emit.ints([2])])
  const ordered = emit.node('GatherND', [right, emit.node('Unsqueeze', [places, emit.ints([2])])], { batch_dims: 1 })
  return emit.node('Div', [ordered, emit.node('Unsqueeze', [pivots, emit.ints([2])])])
}

export const solveOp: OpDefinition<NoAttributes> = defineOp<NoAttributes>({
  name: 'solve',
  infer: (inputs) => {
    const [a, b] = [inputAt('solve', inputs, 0), inputAt('solve', inputs, 1)]
    requireSystem('solve', a, b)
    return [{ dtype: 'float32', shape: b.shape }]
  },
  // With x = a^-1 b: db = a^-T g, da = -db x^T.
  gradient: (o, { inputs, outputs }, [g]) => {
    if (!g) return []
    const byB = apply(solveOp, [o.transpose(inputAt('solve', inputs, 0)), g], {})
    return [o.neg(o.matmulWith(byB, inputAt('solve', outputs, 0), { transposeB: true })), byB]
  },
  lower: (emit, { inputs, inputTypes, outputTypes }) => {
    const output = inputAt('solve', outputTypes, 0)
    if (elementCount(output.shape) === 0) return emitConstants(emit, outputTypes)
    const [a = '', b = ''] = inputs.map((input, i) => emitMatrices(emit, input, inputAt('solve', inputTypes, i)))
    const sizes = [elementCount(batchOf(output.shape)), sizeOf(output.shape, -2), sizeOf(output.shape, -1)] as const
    return emitResult(emit, emitSolution(emit, a, b, sizes), output)
  },
  samples: () => [
    {
      inputs: [
        [3, 3],
        [3, 2],
      ],
      call: (a, b) => solve(dominant(a), b),
    },
    { inputs: [wellPosed, [2, 3]], call: (a, b) => solve(a, b) },
    {
      inputs: [
        [2, 1, 2, 2],
        [3, 2, 1],
      ],
      call: (a, b) => solve(dominant(a), b),
    },
  ],
  errors: () => [
    {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      call: (a, b) => apply(solveOp, [a, b], {}),
    },
    {
      inputs: [
        [3, 3],
        [2, 3],
      ],
      call: (a, b) => apply(solveOp, [a, b], {}),
    },
    { inputs: [[3, 3], { shape: [3, 3], dtype: 'int32' }], call: (a, b) => apply(solveOp, [a, b], {}) },
  ],
})

export const inverseOp = defineOp<NoAttributes>({
  name: 'inverse',
  infer: (inputs) => {
    const a = inputAt('inverse', inputs, 0)
    requireSquare('inverse', 'input', a)
    return [{ dtype: 'float32', shape: a.shape }]
  },
  // With y = a^-1: da = -y^T g y^T.
  gradient: (o, { outputs }, [g]) => {
    const y = inputAt('inverse', outputs, 0)
    const left = g && o.matmulWith(y, g, { transposeA: true })
    return [left && o.neg(o.matmulWith(left, y, { transposeB: true }))]
  },
  lower: (emit, { inputs, inputTypes, outputTypes }) => {
    const type = inputAt('inverse', inputTypes, 0)
    if (elementCount(type.shape) === 0) return emitConstants(emit, outputTypes)
    const [batch, n] = [elementCount(batchOf(type.shape)), sizeOf(type.shape, -1)]
    const unit = emit.constant(
      'float32',
      [n, n],
      Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0)),
    )
    const b = emit.node('Expand', [emit.double(unit), emit.ints([batch, n, n])])
    return emitResult(
      emit,
      emitSolution(emit, emitMatrices(emit, inputAt('inverse', inputs, 0), type), b, [batch, n, n]),
      type,
    )
  },
  samples: () => [
    { inputs: [[3, 3]], call: (a) => inverse(dominant(a)) },
    { inputs: [wellPosed], call: (a) => inverse(a) },
    { inputs: [[2, 1, 2, 2]], call: (a) => inverse(dominant(a)) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (a) => inverse(a) },
    { inputs: [[3]], call: (a) => inverse(a) },
    { inputs: [{ shape: [2, 2], dtype: 'int32' }], call: (a) => inverse(a) },
  ],
})

/** The sign of a permutation for each row of places: -1 for an odd number of pairs in the wrong order. */
function emitParity(emit: Emitter, places: string, n: number): string {
  const pairs = emit.node('Greater', [
    emit.node('Unsqueeze', [places, emit.ints([2])]),
    emit.node('Unsqueeze', [places, emit.ints([1])]),
  ])
  const earlier = emit.constant(
    'bool',
    [n, n],
    Uint8Array.from({ length: n * n }, (_, i) => Number(i % n > Math.floor(i / n))),
  )
  const count = emit.node('ReduceSum', [emit.cast(emit.node('And', [pairs, earlier]), 'int64'), emit.ints([1, 2])], {
    keepdims: 0,
  })
  const odd = emit.double(emit.node('Mod', [count, emit.scalar(2, 'int64')]))
  const one = emit.double(1)
  return emit.node('Sub', [one, emit.node('Add', [odd, odd])])
}

/** Outputs: the sign of the determinant and the logarithm of its size. */
export const slogdetOp = defineOp<NoAttributes>({
  name: 'slogdet',
  infer: (inputs) => {
    const a = inputAt('slogdet', inputs, 0)
    requireSquare('slogdet', 'input', a)
    return [a, a].map(({ shape }) => ({ dtype: 'float32', shape: batchOf(shape) }))
  },
  // d log|det a| = a^-T; the sign is constant.
  gradient: (o, { inputs }, [, g]) => [
    g && o.mul(o.unsqueeze(o.unsqueeze(g, -1), -1), o.transpose(o.inverse(inputAt('slogdet', inputs, 0)))),
  ],
  lower: (emit, { inputs, inputTypes, outputTypes }) => {
    const [type, output] = [inputAt('slogdet', inputTypes, 0), inputAt('slogdet', outputTypes, 0)]
    const [batch, n] = [elementCount(batchOf(type.shape)), sizeOf(type.shape, -1)]
    if (n === 0 || batch === 0) {
      const kinds: readonly [TensorType, number][] = [
        [output, 1],
        [output, 0],
      ]
      return kinds.flatMap(([kind, value]) => emitConstants(emit, [kind], value))
    }
    const matrices = emitMatrices(emit, inputAt('slogdet', inputs, 0), type)
    const { places, pivots } = emitElimination(emit, matrices, batch, n)
    const signs = emit.node('ReduceProd', [emit.node('Sign', [pivots]), emit.ints([1])], { keepdims: 0 })
    const logarithms = emit.node('Log', [emit.node('Abs', [pivots])])
    const sum = emit.node('ReduceSum', [logarithms, emit.ints([1])], { keepdims: 0 })
    return [
      emitResult(emit, emit.node('Mul', [signs, emitParity(emit, places, n)]), output),
      emitResult(emit, sum, output),
    ]
  },
  samples: () => [
    { inputs: [[3, 3]], call: (a) => slogdet(dominant(a)) },
    { inputs: [wellPosed], call: (a) => slogdet(a) },
    { inputs: [[2, 1, 2, 2]], call: (a) => det(dominant(a)) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (a) => slogdet(a) },
    { inputs: [{ shape: [2, 2], dtype: 'int32' }], call: (a) => slogdet(a) },
  ],
})

/** Of samples: rows must change places, nothing is near to singular. */
const wellPosed: SampleInput = { shape: [2, 2], values: [0.1, 2, 1.5, -0.7] }

/** Of samples: twice the unit matrix and a random part, which is regular. */
function dominant(a: Tensor): Tensor {
  const n = sizeOf(a.shape, -1)
  const unit = Float32Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 2 : 0))
  return add(mul(a, 0.5), constantOf(unit, [n, n]))
}

/** Whether b is one vector for each matrix of a, as in NumPy and PyTorch. */
function isVector(a: Tensor, b: Tensor): boolean {
  return b.rank === 1 || (b.rank === a.rank - 1 && sameShape(b.shape, a.shape.slice(0, -1)))
}

/**
 * The x of a x = b: a [..., n, n], b [..., n, columns] or vectors [..., n]; batches broadcast. Of any size and differentiable
 * (any number of times); a singular a gives infinities or NaN. `linalg.solve`, outside of the graph, throws then.
 */
export function solve(a: Operand, b: Operand): Tensor {
  const [left, right] = [toFloat('solve', a, 'a'), toFloat('solve', b, 'b')]
  return checked(() => {
    requireSquare('solve', 'a', left)
    if (isVector(left, right)) return squeeze(solve(left, unsqueeze(right, -1)), -1)
    if (sizeOf(right.shape, -2) !== sizeOf(left.shape, -1)) {
      throw new ShapeError(
        `solve: a [..., n, n] needs b [..., n, columns] or [..., n], found ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
      )
    }
    return apply(solveOp, withOneBatch('solve', left, right), {})
  })
}

/** The inverses of matrices [..., n, n]; that of a singular one is infinite or NaN. To solve equations, `solve` is more exact. */
export function inverse(a: Operand): Tensor {
  return apply(inverseOp, [toFloat('inverse', a)], {})
}

/** Sign and logarithm of the size of determinants: [..., n, n] -> two of [...]; 0 and -Infinity of a singular matrix. */
export function slogdet(a: Operand): readonly [sign: Tensor, logAbsDet: Tensor] {
  const outputs = applyAll(slogdetOp, [toFloat('slogdet', a)], {})
  return [inputAt('slogdet', outputs, 0), inputAt('slogdet', outputs, 1)]
}

/** Determinants: [..., n, n] -> [...]. The gradient of a singular matrix is NaN; of many rows `slogdet` does not overflow. */
export function det(a: Operand): Tensor {
  const [sign, logarithm] = slogdet(toFloat('det', a))
  return mul(sign, exp(logarithm))
}
