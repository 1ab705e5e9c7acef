import type { NDArray } from '../tensor/dtype.ts'
import { constant, Tensor } from '../tensor/tensor.ts'
import { record, type Trace } from '../tensor/trace.ts'
import { UsageError } from '../util/errors.ts'
import { type Profile, summarizeKernels } from './profile.ts'
import { type CompileOptions, firstNotFinite, Program } from './program.ts'

/** What a caller may pass where a traced function takes a tensor: numbers in either form, nested as the function says. */
export type Argument<T> = T extends Tensor
  ? Tensor | NDArray
  : T extends object
    ? { readonly [K in keyof T]: Argument<T[K]> }
    : T

/** A function that was traced, compiled and runs natively. Returned tensors are concrete. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: { [K in keyof A]: Argument<A[K]> }): Promise<R>
  /** Variables go back to the values they had before the last call. */
  undo(): void
  /** Runs once with every value looked at; names the first op whose result is not finite. Changes no variable. */
  findNotFinite(...args: { [K in keyof A]: Argument<A[K]> }): Promise<string | undefined>
  /** Where the time goes in a number of calls with the same arguments. Changes no variable. */
  profile(calls: number, ...args: { [K in keyof A]: Argument<A[K]> }): Promise<Profile>
  /** Frees the native memory of all traces. */
  release(): Promise<void>
  /** How often the function was traced, and why the last time: the argument that was new. */
  readonly traces: readonly string[]
  /** The program that ran last, for profiles and tests. */
  readonly program: Program | undefined
}

/** `compile`'s own options. */
export interface FunctionOptions extends CompileOptions {
  /** Refuse to trace more often than this (a changing shape is traced anew each time). Default: no limit. */
  readonly maxTraces?: number
}

interface Entry {
  readonly program: Program
  readonly leaves: ReadonlyMap<Tensor, number>
  readonly trace: Trace
  readonly rebuild: (tensors: readonly Tensor[]) => unknown
}

function isNDArray(value: unknown): value is NDArray {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dtype' in value &&
    'shape' in value &&
    'data' in value &&
    ArrayBuffer.isView(value.data)
  )
}

/** Visits the tensors of nested arrays and records; `replace` gives what stands in their place in the copy. */
function mapTensors(
  value: unknown,
  path: string,
  replace: (tensor: Tensor, path: string) => unknown,
  visit?: (value: unknown, path: string) => void,
): unknown {
  if (value instanceof Tensor) return replace(value, path)
  if (isNDArray(value)) return replace(constant(value.data, value.shape, value.dtype), path)
  if (Array.isArray(value)) return value.map((item, i) => mapTensors(item, `${path}[${i}]`, replace, visit))
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        mapTensors(item, path ? `${path}.${key}` : key, replace, visit),
      ]),
    )
  }
  visit?.(value, path)
  return value
}

interface Signature {
  readonly key: string
  readonly parts: readonly string[]
  readonly values: readonly Tensor[]
}

function signatureOf(args: readonly unknown[]): Signature {
  const parts: string[] = []
  const values: Tensor[] = []
  mapTensors(
    args,
    'argument ',
    (tensor, path) => {
      if (tensor.source.kind !== 'constant')
        throw new UsageError(`compile: ${path} is symbolic; a compiled function is called with numbers`)
      parts.push(`${path}: ${tensor}`)
      values.push(tensor)
    },
    (value, path) => parts.push(`${path}: ${typeof value === 'function' ? 'function' : JSON.stringify(value)}`),
  )
  return { key: parts.join('\n'), parts, values }
}

function traceFunction(
  fn: (...args: never[]) => unknown,
  args: readonly unknown[],
): Omit<Entry, 'program'> & { results: Tensor[] } {
  const leaves = new Map<Tensor, number>()
  const symbolic = mapTensors(args, '', ({ dtype, shape }, path) => {
    const leaf = new Tensor(dtype, shape, { kind: 'input', name: path })
    leaves.set(leaf, leaves.size)
    return leaf
  })
  const { result, trace } = record(() => fn(...(symbolic as never[])), { tuned: true })
  if (result instanceof Promise)
    throw new UsageError('compile: the function must not be async: it is traced once, and only tensors flow through it')
  const results: Tensor[] = []
  mapTensors(result, '', (tensor) => results.push(tensor))
  const rebuild = (tensors: readonly Tensor[]): unknown => {
    let next = 0
    return mapTensors(result, '', () => tensors[next++])
  }
  return { leaves, trace, rebuild, results }
}

/** The numbers of this call for an input of the trace. */
function valueFor(leaf: Tensor, leaves: ReadonlyMap<Tensor, number>, { values }: Signature): NDArray {
  const value = values[leaves.get(leaf) ?? -1]
  if (value) return value.array
  throw new UsageError('compile: the function uses a tensor of another trace', {
    hint: 'pass it as an argument, or keep it in a variable',
  })
}

/**
 * Turns a function of tensors into one that runs natively. The function is traced with symbolic tensors at the first
 * call and for every new combination of shapes, dtypes and plain arguments; then ONNX Runtime runs the graph.
 * Arguments: tensors or NDArrays, also nested in arrays and plain objects; anything else is static. The function may
 * read and assign variables. Throws a UsageError beyond `maxTraces`.
 */
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options: FunctionOptions = {},
): Compiled<A, R> {
  const entries = new Map<string, Entry[]>()
  const traces: string[] = []
  let last: Program | undefined
  let previous: Signature | undefined

  const lookup = async (args: readonly unknown[], signature: Signature): Promise<Entry> => {
    const known = entries
      .get(signature.key)
      ?.find(({ trace }) => trace.dependencies.every(({ read, seen }) => Object.is(read(), seen)))
    if (known) return known
    const culprit =
      signature.parts.find((part) => !previous?.parts.includes(part)) ?? 'a mode (train/eval) that the function reads'
    if (options.maxTraces !== undefined && traces.length >= options.maxTraces) {
      throw new UsageError(
        `compile: the function was traced ${traces.length} times, the limit; new now is ${culprit}`,
        {
          hint: 'keep shapes equal from call to call (drop the last incomplete batch, pad sequences)',
        },
      )
    }
    traces.push(culprit)
    const traced = traceFunction(fn as (...args: never[]) => unknown, args)
    const program = await Program.build(traced.results, traced.trace.assignments, options)
    const entry: Entry = { program, leaves: traced.leaves, trace: traced.trace, rebuild: traced.rebuild }
    entries.set(signature.key, [...(entries.get(signature.key) ?? []), entry])
    return entry
  }

  const call = async (...args: readonly unknown[]): Promise<R> => {
    const signature = signatureOf(args)
    const entry = await lookup(args, signature)
    previous = signature
    last = entry.program
    const outputs = await entry.program.run((leaf) => valueFor(leaf, entry.leaves, signature))
    return entry.rebuild(outputs) as R
  }

  return Object.defineProperties(call, {
    undo: { value: () => last?.undo() },
    findNotFinite: {
      value: async (...args: readonly unknown[]) => {
        const signature = signatureOf(args)
        const { results, trace, leaves } = traceFunction(fn as (...args: never[]) => unknown, args)
        return firstNotFinite(
          [...results, ...trace.assignments.values()],
          (leaf) => valueFor(leaf, leaves, signature),
          options,
        )
      },
    },
    profile: {
      value: async (calls: number, ...args: readonly unknown[]) => {
        const signature = signatureOf(args)
        const { results, trace, leaves } = traceFunction(fn as (...args: never[]) => unknown, args)
        const program = await Program.build(results, trace.assignments, { ...options, profile: true })
        for (let call = 0; call < calls; call++) {
          await program.run((leaf) => valueFor(leaf, leaves, signature))
          program.undo()
        }
        const profile = summarizeKernels(program.endProfiling(), (name) => program.originOf(name), calls)
        await program.release()
        return profile
      },
    },
    release: {
      value: async () => {
        for (const list of entries.values()) for (const { program } of list) await program.release()
        entries.clear()
      },
    },
    traces: { value: traces },
    program: { get: () => last },
  }) as unknown as Compiled<A, R>
}
