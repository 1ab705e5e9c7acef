/**
 * ONNX for int64 where ONNX Runtime's kernels are wrong: Max, Min, Clip, Sign, ReduceMax and ReduceMin compare the lower halves of
 * two numbers with their signs (Eigen's SSE2 code, seen in 1.30), so that 2^31 is less than 2. Comparisons and ArgMax are right.
 */
import { elementCount } from '../tensor/dtype.ts'
import type { Shape } from '../tensor/shape.ts'
import type { Emitter } from './define.ts'

export type Extremum = 'Max' | 'Min'

/** The larger or the smaller of two int64 values, which broadcast. */
export function lowerExtremum(emit: Emitter, kind: Extremum, [a, b]: readonly [string, string]): string {
  return emit.node('Where', [emit.node(kind === 'Max' ? 'Greater' : 'Less', [a, b]), a, b])
}

/** -1, 0 or 1. */
export function lowerSign(emit: Emitter, x: string): string {
  const zero = emit.scalar(0, 'int64')
  const [above, below] = ['Greater', 'Less'].map((type) => emit.cast(emit.node(type, [x, zero]), 'int64'))
  return emit.node('Sub', [above ?? '', below ?? ''])
}

/** The largest or smallest element over axes of x [shape]; there must be some. */
export function lowerReducedExtremum(
  emit: Emitter,
  kind: Extremum,
  x: string,
  { shape, axes, result }: { readonly shape: Shape; readonly axes: readonly number[]; readonly result: Shape },
): string {
  const kept = shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]))
  const count = elementCount(result)
  const last = emit.node('Transpose', [x], { perm: [...kept, ...axes] })
  const rows = emit.node('Reshape', [last, emit.ints([count, elementCount(shape) / count])])
  const place = emit.node(`Arg${kind}`, [rows], { axis: 1, keepdims: 1 })
  return emit.node('Reshape', [emit.node('GatherElements', [rows, place], { axis: 1 }), emit.ints(result)])
}
