/**
 * The recurrences of connectionist temporal classification, each one loop of the runtime's however many steps there are, and
 * each other's gradients: paths through a lattice of T steps and S states, on which a step leads to the same state, the next or
 * the one after it.
 */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf, sizes } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  apply,
  applyAll,
  defineOp,
  type Emitter,
  emitConstants,
  inputAt,
  type OpDefinition,
  type Ops,
  requireDType,
} from '../define.ts'

type NoAttributes = Record<string, never>

// T steps, N examples, S states. A step may lead on by 0, 1 or 2 states.
const strides = [0, 1, 2] as const

/** x [N, S] with states moved on by `distance`; the first ones are `filler`. */
function emitMoved(emit: Emitter, x: string, distance: number, filler: string): string {
  if (distance === 0) return x
  const padded = emit.node('Pad', [x, emit.ints([0, distance, 0, 0]), filler])
  return emit.node('Slice', [padded, emit.ints([0]), emit.ints([-distance]), emit.ints([1])])
}

function requireLattices(op: string, inputs: readonly TensorType[]): readonly TensorType[] {
  const x = inputAt(op, inputs, 0)
  for (const input of inputs) {
    requireDType(op, 'input', input, ['float32'])
    if (input.shape.length === 3 && sameShape(input.shape, x.shape)) continue
    throw new ShapeError(`${op}: inputs must be [T, N, S] of one shape, found ${formatShape(input.shape)}`)
  }
  return [{ dtype: 'float32', shape: x.shape }]
}

/** x [T, N, S] from the step before (or `from` steps before) and the state `distance` before; 0 where there is none. */
function earlier(o: Ops, x: Tensor, distance: number): Tensor {
  const [steps, , states] = x.sizes(3)
  const before = o.slice(o.padAxis(x, 0, 1, 0), [0, steps], 0)
  return distance === 0 ? before : o.slice(o.padAxis(before, 2, distance, 0), [0, states], 2)
}

/** x [T, N, S] of the step after and the state `distance` after; 0 where there is none. */
function later(o: Ops, x: Tensor, distance: number): Tensor {
  const [steps, , states] = x.sizes(3)
  const after = o.slice(o.padAxis(x, 0, 0, 1), [1, steps + 1], 0)
  return distance === 0 ? after : o.slice(o.padAxis(after, 2, 0, distance), [distance, states + distance], 2)
}

/** The sums y with y_t[s] = g_t[s] + sum over k of w_k,t+1[s + k] y_t+1[s + k]: what flows back through the lattice. */
function backward(o: Ops, g: Tensor, weights: readonly Tensor[]): Tensor {
  // The same recurrence from the last step and state on.
  const mirrored = weights.map((w, k) => o.flip(later(o, w, k), [0, 2]))
  return o.flip(apply(latticeSumOp, [o.flip(g, [0, 2]), ...mirrored], {}), [0, 2])
}

/** Inputs x, w_0, w_1, w_2 [T, N, S]; y_t[s] = x_t[s] + sum over k of w_k,t[s] y_t-1[s - k]. */
export const latticeSumOp: OpDefinition<NoAttributes> = defineOp<NoAttributes>({
  name: 'latticeSum',
  infer: (inputs) => {
    inputAt('latticeSum', inputs, strides.length)
    return requireLattices('latticeSum', inputs)
  },
  gradient: (o, { inputs, outputs }, [g]) => {
    if (!g) return []
    const byX = backward(o, g, inputs.slice(1))
    return [byX, ...strides.map((k) => o.mul(byX, earlier(o, inputAt('latticeSum', outputs, 0), k)))]
  },
  lower: (emit, { inputs, outputTypes }) => {
    const { shape } = inputAt('latticeSum', outputTypes, 0)
    if (elementCount(shape) === 0) return emitConstants(emit, outputTypes)
    const zero = emit.double(0)
    const [x = '', ...weights] = inputs.map((input) => emit.double(input))
    const start = emit.node('Expand', [zero, emit.ints(shape.slice(1))])
    const [, stacked = ''] = emit.loop(sizeOf(shape, 0), [start], (round, [before = '']) => {
      const at = (value: string): string => emit.node('Gather', [value, round], { axis: 0 })
      const parts = weights.map((w, k) => emit.node('Mul', [at(w), emitMoved(emit, before, k, zero)]))
      const now = parts.reduce((sum, part) => emit.node('Add', [sum, part]), at(x))
      return { states: [now], stacked: [now] }
    })
    return emit.cast(stacked, 'float32')
  },
  samples: () => [
    {
      inputs: [
        [4, 2, 5],
        [4, 2, 5],
        [4, 2, 5],
        [4, 2, 5],
      ],
      call: (...inputs) => apply(latticeSumOp, inputs, {}),
    },
    {
      inputs: [
        [2, 1, 1],
        [2, 1, 1],
        [2, 1, 1],
        [2, 1, 1],
      ],
      call: (...inputs) => apply(latticeSumOp, inputs, {}),
    },
  ],
  errors: () => [
    {
      inputs: [
        [4, 2, 5],
        [4, 2, 5],
        [4, 2, 5],
      ],
      call: (...inputs) => apply(latticeSumOp, inputs, {}),
    },
    {
      inputs: [
        [4, 2, 5],
        [4, 2, 5],
        [4, 2, 4],
        [4, 2, 5],
      ],
      call: (...inputs) => apply(latticeSumOp, inputs, {}),
    },
  ],
})

/**
 * Inputs: log probabilities e [T, N, S] and whether a step may lead to a state from two states before, bool [N, S]. Outputs: a_t[s] = e_t[s] +
 * log(sum over k of exp(a_t-1[s - k])), from 0 in the first state and -infinity in the others before the first step; and the
 * share of each k in that sum.
 */
export const pathScoresOp = defineOp<NoAttributes>({
  name: 'pathScores',
  infer: (inputs) => {
    const [e, skip] = [inputAt('pathScores', inputs, 0), inputAt('pathScores', inputs, 1)]
    const [type] = requireLattices('pathScores', [e])
    requireDType('pathScores', 'skip', skip, ['bool'])
    if (type && sameShape(skip.shape, e.shape.slice(1))) return new Array<TensorType>(1 + strides.length).fill(type)
    throw new ShapeError(
      `pathScores: needs e [T, N, S] and skip [N, S], found ${[e, skip].map(({ shape }) => formatShape(shape)).join(' and ')}`,
    )
  },
  // Shares w_k are a softmax over k of the scores they come from: dw_k adds w_k (dw_k - sum over j of w_j dw_j) to the gradient of those.
  gradient: (o, { outputs }, [g, ...byShares]) => {
    const [scores, ...shares] = outputs
    if (!scores) return []
    const products = shares.flatMap((share, k) => (byShares[k] ? [o.mul(share, byShares[k])] : []))
    const total = products.length > 0 ? o.addAll(products) : undefined
    const moved = total
      ? shares.map((share, k) => later(o, o.mul(share, byShares[k] ? o.sub(byShares[k], total) : o.neg(total)), k))
      : []
    const parts = [...(g ? [g] : []), ...moved]
    return [parts.length > 0 ? backward(o, o.addAll(parts), shares) : undefined, undefined]
  },
  lower: (emit, { inputs, outputTypes }) => {
    const { shape } = inputAt('pathScores', outputTypes, 0)
    if (elementCount(shape) === 0) return emitConstants(emit, outputTypes)
    const [e, skip] = [emit.double(inputAt('pathScores', inputs, 0)), inputAt('pathScores', inputs, 1)]
    const zero = emit.double(0)
    const never = emit.double(Number.NEGATIVE_INFINITY)
    const [, examples, states] = sizes(shape, 3)
    const origin = emit.constant(
      'float32',
      [1, states],
      Float32Array.from({ length: states }, (_, s) => (s === 0 ? 0 : Number.NEGATIVE_INFINITY)),
    )
    const start = emit.node('Expand', [emit.double(origin), emit.ints([examples, states])])
    const [, ...stacked] = emit.loop(sizeOf(shape, 0), [start], (round, [before = '']) => {
      const moved = strides.map((k) => emitMoved(emit, before, k, never))
      const sources = moved.map((value, k) => (k === 2 ? emit.node('Where', [skip, value, never]) : value))
      const best = emit.node('Max', sources)
      // Where nothing leads, -infinity less itself would be NaN.
      const isReached = emit.node('Greater', [best, never])
      const bound = emit.node('Where', [isReached, best, zero])
      const powers = sources.map((source) => emit.node('Exp', [emit.node('Sub', [source, bound])]))
      const sum = powers.reduce((total, power) => emit.node('Add', [total, power]))
      const score = emit.node('Add', [emit.node('Log', [sum]), bound])
      const now = emit.node('Add', [score, emit.node('Gather', [e, round], { axis: 0 })])
      const shares = powers.map((power) => emit.node('Where', [isReached, emit.node('Div', [power, sum]), zero]))
      return { states: [now], stacked: [now, ...shares] }
    })
    return stacked.map((value) => emit.cast(value, 'float32'))
  },
  samples: () => [
    // So few states that all are reached at once, and all scores are numbers.
    { inputs: [[5, 2, 2], { shape: [2, 2], dtype: 'bool' }], call: (e, skip) => pathScores(e, skip) },
    { inputs: [[3, 1, 1], { shape: [1, 1], dtype: 'bool' }], call: (e, skip) => pathScores(e, skip) },
    {
      inputs: [[4, 2, 3], { shape: [2, 3], dtype: 'bool', values: [0, 0, 1, 0, 0, 1] }],
      call: (e, skip) => pathScores(e, skip),
    },
  ],
  errors: () => [
    { inputs: [[5, 2, 7], { shape: [2, 6], dtype: 'bool' }], call: (e, skip) => pathScores(e, skip) },
    { inputs: [[2, 7], { shape: [2, 7], dtype: 'bool' }], call: (e, skip) => pathScores(e, skip) },
    {
      inputs: [
        [5, 2, 7],
        [2, 7],
      ],
      call: (e, skip) => pathScores(e, skip),
    },
  ],
})

/** The scores of all paths to each state, and the shares of the states that they come from. */
export function pathScores(e: Tensor, skip: Tensor): readonly Tensor[] {
  return applyAll(pathScoresOp, [e, skip], {})
}
