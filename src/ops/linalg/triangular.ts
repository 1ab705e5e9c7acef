/** Triangular matrices: the Cholesky factor and systems of equations, in float64, one loop of the runtime's each. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireFlag } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  checked,
  defineOp,
  type Emitter,
  emitConstants,
  inputAt,
  type OpDefinition,
  type Operand,
  toFloat,
} from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { eye } from '../movement/diagonal.ts'
import { transpose } from '../movement/movement.ts'
import { matmulWith } from '../products/matmul.ts'
import { emitMatrices, emitPlaces, emitResult, requireSquare, requireSystem, withOneBatch } from './matrices.ts'

type NoAttributes = Record<string, never>

/** a, of which column l and row r make one part: a - l r. Axes: a [batch, n, m], l [batch, n], r [batch, m]. */
function emitMinusOuter(emit: Emitter, a: string, l: string, r: string): string {
  const part = emit.node('Mul', [
    emit.node('Unsqueeze', [l, emit.ints([2])]),
    emit.node('Unsqueeze', [r, emit.ints([1])]),
  ])
  return emit.node('Sub', [a, part])
}

export const choleskyOp = defineOp<NoAttributes>({
  name: 'cholesky',
  infer: (inputs) => {
    const a = inputAt('cholesky', inputs, 0)
    requireSquare('cholesky', 'input', a)
    return [{ dtype: 'float32', shape: a.shape }]
  },
  // Murray, Differentiation of the Cholesky decomposition (2016): the symmetric part of l^-T P(l^T g) l^-1, where P halves the diagonal
  // and takes the lower triangle.
  gradient: (o, { inputs, outputs }, [g]) => {
    if (!g) return []
    const l = inputAt('cholesky', outputs, 0)
    const n = sizeOf(inputAt('cholesky', inputs, 0).shape, -1)
    const product = o.matmulWith(l, g, { transposeA: true })
    const lower = o.tril(o.mul(product, o.sub(1, o.mul(o.eye(n), 0.5))))
    const upper = o.transpose(l)
    const once = o.solveTriangular(upper, lower, { upper: true })
    const twice = o.solveTriangular(upper, o.transpose(once), { upper: true })
    return [o.mul(o.add(twice, o.transpose(twice)), 0.5)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes }) => {
    const type = inputAt('cholesky', inputTypes, 0)
    if (elementCount(type.shape) === 0) return emitConstants(emit, outputTypes)
    const places = emitPlaces(emit, sizeOf(type.shape, -1))
    const zero = emit.double(0)
    const matrices = emitMatrices(emit, inputAt('cholesky', inputs, 0), type)
    const [, columns = ''] = emit.loop(sizeOf(type.shape, -1), [matrices], (round, [rest = '']) => {
      const column = emit.node('Gather', [rest, round], { axis: 2 }) // [batch, n]
      const pivot = emit.node('Unsqueeze', [emit.node('Gather', [column, round], { axis: 1 }), emit.ints([1])])
      const scaled = emit.node('Div', [column, emit.node('Sqrt', [pivot])])
      const below = emit.node('Where', [emit.node('GreaterOrEqual', [places, round]), scaled, zero])
      return { states: [emitMinusOuter(emit, rest, below, below)], stacked: [below] }
    })
    return emitResult(emit, emit.node('Transpose', [columns], { perm: [1, 2, 0] }), type)
  },
  samples: () => [
    { inputs: [[3, 3]], call: (a) => cholesky(definite(a)) },
    { inputs: [[2, 1, 2, 2]], call: (a) => cholesky(definite(a)) },
  ],
  errors: () => [
    { inputs: [[2, 3]], call: (a) => cholesky(a) },
    { inputs: [{ shape: [2, 2], dtype: 'int32' }], call: (a) => cholesky(a) },
  ],
})

/** Of samples: a symmetric, positive definite matrix. */
function definite(a: Tensor): Tensor {
  return add(matmulWith(a, a, { transposeB: true }), eye(sizeOf(a.shape, -1)))
}

interface TriangularAttributes {
  readonly upper: boolean
  readonly unitriangular: boolean
}

export const solveTriangularOp: OpDefinition<TriangularAttributes> = defineOp<TriangularAttributes>({
  name: 'solveTriangular',
  infer: (inputs) => {
    const [a, b] = [inputAt('solveTriangular', inputs, 0), inputAt('solveTriangular', inputs, 1)]
    requireSystem('solveTriangular', a, b)
    return [{ dtype: 'float32', shape: b.shape }]
  },
  // As of solve; what is not read has no gradient.
  gradient: (o, { inputs, outputs, attributes }, [g]) => {
    if (!g) return []
    const { upper, unitriangular } = attributes
    const mirrored = o.transpose(inputAt('solveTriangular', inputs, 0))
    const byB = apply(solveTriangularOp, [mirrored, g], { upper: !upper, unitriangular })
    const all = o.neg(o.matmulWith(byB, inputAt('solveTriangular', outputs, 0), { transposeB: true }))
    const first = Number(unitriangular)
    return [upper ? o.triu(all, first) : o.tril(all, -first), byB]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { upper, unitriangular } }) => {
    const output = inputAt('solveTriangular', outputTypes, 0)
    if (elementCount(output.shape) === 0) return emitConstants(emit, outputTypes)
    const n = sizeOf(output.shape, -2)
    const [a = '', b = ''] = inputs.map((input, i) =>
      emitMatrices(emit, input, inputAt('solveTriangular', inputTypes, i)),
    )
    const places = emitPlaces(emit, n)
    const zero = emit.double(0)
    const [, solved = ''] = emit.loop(n, [b], (round, [rest = '']) => {
      const at = upper ? emit.node('Sub', [emit.scalar(n - 1, 'int64'), round]) : round
      const column = emit.node('Gather', [a, at], { axis: 2 }) // [batch, n]
      const row = emit.node('Gather', [rest, at], { axis: 1 }) // [batch, columns]
      const pivot = emit.node('Unsqueeze', [emit.node('Gather', [column, at], { axis: 1 }), emit.ints([1])])
      const x = unitriangular ? row : emit.node('Div', [row, pivot])
      const isOpen = emit.node(upper ? 'Less' : 'Greater', [places, at])
      const open = emit.node('Where', [isOpen, column, zero])
      return { states: [emitMinusOuter(emit, rest, open, x)], stacked: [x] }
    })
    const inOrder = upper
      ? emit.node('Slice', [solved, emit.ints([n - 1]), emit.ints([-n - 1]), emit.ints([0]), emit.ints([-1])])
      : solved
    return emitResult(emit, emit.node('Transpose', [inOrder], { perm: [1, 0, 2] }), output)
  },
  samples: () =>
    [true, false].flatMap((upper) => [
      {
        inputs: [
          [3, 3],
          [3, 2],
        ],
        call: (a: Tensor, b: Tensor) => solveTriangular(definite(a), b, { upper }),
      },
      {
        inputs: [
          [2, 2, 2],
          [2, 3],
        ],
        call: (a: Tensor, b: Tensor) => solveTriangular(a, b, { upper, unitriangular: true }),
      },
    ]),
  errors: () => [
    {
      inputs: [
        [2, 3],
        [2, 3],
      ],
      call: (a, b) => solveTriangular(a, b, { upper: true }),
    },
    {
      inputs: [
        [3, 3],
        [2, 3],
      ],
      call: (a, b) => solveTriangular(a, b, { upper: true }),
    },
    { inputs: [[3, 3], [3]], call: (a, b) => solveTriangular(a, b, { upper: false }) },
  ],
})

/**
 * The lower triangular l, with a positive diagonal, of a = l l^T: symmetric positive definite matrices [..., n, n], of which only the
 * lower triangle is read. Of any size and differentiable; NaN where a is not positive definite. `linalg.cholesky`, outside
 * of the graph, throws then.
 */
export function cholesky(a: Operand): Tensor {
  return apply(choleskyOp, [toFloat('cholesky', a)], {})
}

/** Which triangle, and how it is read. */
export interface TriangularOptions {
  /** Whether a is the upper triangle; the other one is not read. */
  readonly upper: boolean
  /** false: x a = b instead of a x = b. Default: true. */
  readonly left?: boolean
  /** Whether the diagonal is 1, whatever stands there. Default: false. */
  readonly unitriangular?: boolean
}

/** The x of a x = b with a triangular a [..., n, n], b [..., n, columns]; batches broadcast. A 0 on the diagonal gives infinities. */
export function solveTriangular(a: Operand, b: Operand, options: TriangularOptions): Tensor {
  const {
    upper,
    left = true,
    unitriangular = false,
  } = optionsOf('solveTriangular', options, { upper: true, left: true, unitriangular: true })
  const [triangle, right] = [toFloat('solveTriangular', a, 'a'), toFloat('solveTriangular', b, 'b')]
  return checked(() => {
    requireFlag('solveTriangular', 'upper', upper as boolean)
    requireFlag('solveTriangular', 'left', left)
    requireFlag('solveTriangular', 'unitriangular', unitriangular)
    if (triangle.rank < 2 || right.rank < 2) {
      throw new ShapeError(
        `solveTriangular: needs a [..., n, n] and b [..., n, columns], found ${formatShape(triangle.shape)} and ${formatShape(right.shape)}`,
      )
    }
    if (!left) {
      return transpose(solveTriangular(transpose(triangle), transpose(right), { upper: !upper, unitriangular }))
    }
    const attributes = { upper: upper as boolean, unitriangular }
    return apply(solveTriangularOp, withOneBatch('solveTriangular', triangle, right), attributes)
  })
}
