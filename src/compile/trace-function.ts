/** Functions of tensors as graphs: called once with symbolic tensors. */
import type { NDArray } from '../tensor/dtype.ts'
import type { Shape } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { record, type Trace } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { shown } from '../util/check.ts'
import type { Ranks } from '../util/communicator.ts'
import { UsageError } from '../util/errors.ts'
import { type CompileOptions, Program } from './program.ts'
import { argumentPath, mapTensors, type Signature, watched } from './signature.ts'
import { type Runnable, StagedProgram } from './stages.ts'

export type Traceable = (...args: never[]) => unknown

/** What runs, and how a call's arguments and results belong to it. */
export interface Built {
  readonly program: Runnable
  /** Inputs of the program by their number among the tensors of the arguments. */
  readonly leaves: ReadonlyMap<Tensor, number>
  readonly rebuild: (tensors: readonly Tensor[]) => unknown
}

/** A function that was traced. */
export interface Traced extends Omit<Built, 'program'> {
  readonly trace: Trace
  readonly results: readonly Tensor[]
  /** What the function returned beside tensors, by its path. */
  readonly plain: ReadonlyMap<string, unknown>
  /** With dynamic axes: throws where the program is not right at the sizes of a call. */
  readonly check?: (signature: Signature) => void
  readonly build: (options: CompileOptions) => Promise<Built>
  /** Set by the first call that runs it. */
  built?: Built
}

export interface TracingOptions {
  /** The shape to trace a tensor with, by its number among those of the arguments. Default: its own. */
  readonly shapeOf?: (index: number, shape: Shape) => Shape
  /** Whether the graph is made for this machine's caches, by its sizes. Default: true. */
  readonly tuned?: boolean
  /** The processes that run it together. Default: this one alone. */
  readonly ranks?: Ranks
}

/** Calls the function with symbolic tensors of the arguments' types. */
export function traceFunction(fn: Traceable, args: readonly unknown[], options: TracingOptions = {}): Traced {
  const { shapeOf = (_: number, shape: Shape) => shape, tuned = true, ranks } = options
  const leaves = new Map<Tensor, number>()
  const leafFor = ({ dtype, shape }: Tensor, path: string): Tensor => {
    const leaf = new Tensor(dtype, shapeOf(leaves.size, shape), { kind: 'input', name: path })
    leaves.set(leaf, leaves.size)
    return leaf
  }
  const missing: string[] = []
  const symbolic = args.map((arg, i) => {
    const path = argumentPath(i)
    return watched(mapTensors(arg, path, leafFor), path, missing)
  })
  const { result, trace } = record(() => named(missing, () => fn(...(symbolic as never[]))), {
    tuned,
    ...(ranks && { ranks }),
  })
  const results: Tensor[] = []
  const plain = new Map<string, unknown>()
  const visit = (value: unknown, path: string): void => {
    checkResult(value, path)
    plain.set(path, value)
  }
  mapTensors(result, 'result', (tensor) => results.push(tensor), visit)
  const rebuild = (tensors: readonly Tensor[]): unknown => {
    let next = 0
    return mapTensors(result, 'result', () => tensors[next++])
  }
  const build = async (compileOptions: CompileOptions): Promise<Built> => {
    const { communicator } = compileOptions
    const program =
      trace.ranks && communicator
        ? await StagedProgram.build(results, trace.assignments, { ...compileOptions, communicator })
        : await Program.build(results, trace.assignments, compileOptions)
    return { program, leaves, rebuild }
  }
  return { leaves, trace, rebuild, results, plain, build }
}

/** Adds to JavaScript's own error about `undefined` which missing field of an argument was accessed. */
function named<T>(missing: readonly string[], body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof TypeError) || missing.length === 0) throw error
    throw new UsageError(`compile: ${error.message}: ${missing.at(-1)}`, { cause: error })
  }
}

const isList = (value: object): boolean => Array.isArray(value) || ArrayBuffer.isView(value)

/** Refuses results that look like values but are not. */
function checkResult(value: unknown, path: string): void {
  if (value instanceof Variable) {
    throw new UsageError(`compile: ${path} is ${value}, which is not a value`, { hint: 'return variable.value' })
  }
  // Generators, whose body would never run, and lists of a kind in which tensors are not found.
  if (typeof value === 'object' && value !== null && Symbol.iterator in value && !isList(value)) {
    const kind = 'next' in value ? 'a generator' : shown(value)
    throw new UsageError(`compile: ${path} is ${kind}, in which tensors are not found`, {
      hint: 'return arrays and objects',
    })
  }
  const { then } = (typeof value === 'object' && value !== null ? value : {}) as { readonly then?: unknown }
  if (typeof then !== 'function') return
  // However it fails, being called during tracing is the cause.
  Promise.resolve(value).catch(() => undefined)
  throw new UsageError('compile: the function must not be async: it is traced once, and only tensors flow through it')
}

/** The numbers of this call for an input of the trace. */
export function valueFor(leaf: Tensor, leaves: ReadonlyMap<Tensor, number>, { values }: Signature): NDArray {
  const value = values[leaves.get(leaf) ?? -1]
  if (value) return value.array
  throw new UsageError(`compile: the function uses ${leaf}, a tensor of another trace`, {
    hint: 'pass it as an argument, or keep it in a variable',
  })
}
