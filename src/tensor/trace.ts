import type { Ranks } from '../util/communicator.ts'
import type { Tensor } from './tensor.ts'
import type { Variable } from './variable.ts'

/** What a traced function did besides returning tensors. */
export interface Trace {
  /** The value each variable has after the call, in order of first assignment. */
  readonly assignments: Map<Variable, Tensor>
  /** Values that variables had before they were assigned, in order: what was computed from them earlier in the trace. */
  readonly earlier: Map<Variable, Tensor[]>
  /** Variables whose value was asked for. */
  readonly reads: Set<Variable>
  /** Missing fields of an argument that the function accessed; an op that then gets `undefined` names them. */
  readonly missing: string[]
  /** Host values that the trace has read (a module's train/eval mode); when one changes, it is traced again. */
  readonly dependencies: Dependency[]
  /** Whether the graph is tuned for this machine's caches; exported or inspected graphs are not. */
  readonly tuned: boolean
  /** The processes that run the function together, each on its part of a batch, if there are several. */
  readonly ranks?: Ranks
}

export interface Dependency {
  readonly read: () => unknown
  readonly seen: unknown
}

const traces: Trace[] = []

/** The innermost running trace. */
export function currentTrace(): Trace | undefined {
  return traces.at(-1)
}

/** Runs `body` and records what it assigns and depends on. Defaults: `tuned` false, one process. */
export function record<T>(
  body: () => T,
  { tuned = false, ranks }: Partial<Pick<Trace, 'tuned' | 'ranks'>> = {},
): { result: T; trace: Trace } {
  const trace: Trace = {
    assignments: new Map(),
    earlier: new Map(),
    reads: new Set(),
    missing: [],
    dependencies: [],
    tuned,
    ...(ranks && ranks.size > 1 && { ranks }),
  }
  traces.push(trace)
  try {
    return { result: body(), trace }
  } finally {
    traces.pop()
  }
}

/** Reads a host value inside a traced function so that the function is traced again when the value changes. */
export function dependOn<T>(read: () => T): T {
  const seen = read()
  currentTrace()?.dependencies.push({ read, seen })
  return seen
}
