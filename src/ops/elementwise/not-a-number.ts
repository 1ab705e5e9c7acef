/** NaN and infinities where the runtime's kernels lose them, as those of WebGPU do (docs/decisions/044-platforms.md). */
import type { Emitter } from '../define.ts'

/** Nodes of the logarithm: where its kernel gives numbers for what has none, -infinity for 0, and NaN for negative numbers and NaN. */
export function emitLog(emit: Emitter, x: string): string {
  const y = emit.node('Log', [x])
  if (emit.has('Log')) return y
  const number = (value: number): string => emit.scalar(value, 'float32')
  const zero = number(0)
  const isZero = emit.node('Equal', [x, zero])
  const rest = emit.node('Where', [isZero, number(Number.NEGATIVE_INFINITY), number(Number.NaN)])
  return emit.node('Where', [emit.node('Greater', [x, zero]), y, rest])
}

/** A node that is false for NaN alone, where the runtime has no IsNaN: IEEE's comparisons are false for it. */
export function emitIsNumber(emit: Emitter, x: string): string {
  return emit.node('LessOrEqual', [x, emit.scalar(Number.POSITIVE_INFINITY, 'float32')])
}
