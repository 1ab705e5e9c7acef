/** Sums over the processes that run a function together (`compile`'s communicator). In a function that runs alone they change nothing. */
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace, type Trace } from '../tensor/trace.ts'
import { apply, defineOp, inputAt, type OpDefinition, type Operand, requireDType, toFloat } from './define.ts'
import { div, mul } from './elementwise/binary.ts'
import { reshape } from './movement/movement.ts'
import { padAxis } from './movement/padding.ts'

/** Sums of a trace are made in this order, on all processes. */
const counts = new WeakMap<Trace, number>()

function nextNumber(): number {
  const trace = currentTrace()
  const number = (trace && counts.get(trace)) ?? 0
  if (trace) counts.set(trace, number + 1)
  return number
}

/** Cut out by the compiler, which runs what comes before and after it. Of one process the sum is its own number. */
export const sumOverRanksOp: OpDefinition<{ readonly number: number }> = defineOp({
  name: 'sumOverRanks',
  infer: (inputs) => {
    const x = inputAt('sumOverRanks', inputs, 0)
    requireDType('sumOverRanks', 'input', x, ['float32'])
    return [{ dtype: x.dtype, shape: x.shape }]
  },
  // What one process gives goes into the sum of each: its gradient is the sum of theirs.
  gradient: (_o, _context, [g]) => [g && sumOverRanks(g)],
  lower: (emit, { inputs }) => emit.node('Identity', inputs),
  samples: () => [{ inputs: [[2, 3]], call: (x): Tensor => apply(sumOverRanksOp, [x], { number: 0 }) }],
  errors: () => [{ inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => sumOverRanks(x) }],
})

/** The sum of x over the processes that run the function together, on each of them. All must have it in one shape. */
export function sumOverRanks(x: Operand): Tensor {
  const input = toFloat('sumOverRanks', x)
  return currentTrace()?.ranks ? apply(sumOverRanksOp, [input], { number: nextNumber() }) : input
}

/**
 * The mean of x over the processes that run the function together: sum(weight x) / sum(weight), weight a scalar, such as the
 * number of examples that a process has its x from. Default: 1, the plain mean.
 */
export function meanOverRanks(x: Operand, weight: Operand = 1): Tensor {
  const [input, own] = [toFloat('meanOverRanks', x), toFloat('meanOverRanks', weight, 'weight')]
  if (!currentTrace()?.ranks) return input
  return div(sumOverRanks(mul(input, own)), sumOverRanks(own))
}

/** x of every process, along a new first axis. */
export function gatherOverRanks(x: Tensor): Tensor {
  const { rank, size } = currentTrace()?.ranks ?? { rank: 0, size: 1 }
  return sumOverRanks(padAxis(reshape(x, [1, ...x.shape]), 0, rank, size - 1 - rank))
}
