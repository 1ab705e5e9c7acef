import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { optionsOf, requireCount, shown } from '../util/check.ts'
import type { Ranks } from '../util/communicator.ts'
import { UsageError } from '../util/errors.ts'
import { warn } from '../util/warnings.ts'
import type { DynamicAxes } from './dynamic/axes.ts'
import { traceAtSizes } from './dynamic/trace.ts'
import { type Profile, summarizeKernels } from './profile.ts'
import { type CompileOptions, compileNames, firstNotFinite } from './program.ts'
import { calls } from './queue.ts'
import { type Difference, declaredAxes, differenceOf, type Signature, signatureOf } from './signature.ts'
import type { Runnable } from './stages.ts'
import { type Traceable, type Traced, traceFunction, valueFor } from './trace-function.ts'

/** Arguments that are no tensors and contain none: they are taken as they are. */
type Opaque = ((...args: never[]) => unknown) | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>

/** What a caller may pass where a traced function takes a tensor: numbers in either form, nested as the function says. */
export type Argument<T> = T extends Tensor
  ? Tensor | NDArray
  : T extends Opaque
    ? T
    : T extends object
      ? { readonly [K in keyof T]: Argument<T[K]> }
      : T

/** A function that was traced, compiled and runs natively. Returned tensors are concrete. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: { [K in keyof A]: Argument<A[K]> }): Promise<R>
  /** Variables go back to the values they had before the last call. Throws a UsageError if that is no longer possible. */
  undo(): void
  /** Runs once, in this process alone, and checks every value; names the first op whose result is not finite. Changes no variable. */
  findNotFinite(...args: { [K in keyof A]: Argument<A[K]> }): Promise<string | undefined>
  /** Where the time goes in a number of calls with the same arguments, in this process alone. Changes no variable; what was called before can no longer be undone. */
  profile(calls: number, ...args: { [K in keyof A]: Argument<A[K]> }): Promise<Profile>
  /** Frees the native memory of all traces. */
  release(): Promise<void>
  /** How often the function was traced, and why the last time: the argument that was new. */
  readonly traces: readonly string[]
  /** The program that ran last, for profiles and tests. */
  readonly program: Runnable | undefined
}

/** `compile`'s own options. */
export interface FunctionOptions<A extends readonly unknown[] = readonly unknown[]> extends CompileOptions {
  /**
   * Axes whose size may change from call to call: a list as the arguments are, with `{ axis: name }` in the place of a tensor, nested as
   * the arguments are: `dynamic: [{ 1: 'length' }, { 1: 'length' }]`. Axes of one name have one size in a call; one program serves all
   * sizes (docs/decisions/052-dynamic-axes.md). Default: every new shape is traced again.
   */
  readonly dynamic?: DynamicAxes<A>
  /** Refuse to trace more often than this (a changing shape is traced again each time). Default: no limit. */
  readonly maxTraces?: number
  /** Called for every trace but the first. Default: a warning from the eighth trace on. */
  readonly onTrace?: (event: TraceEvent) => void
}

const optionNames = { ...compileNames, dynamic: true, maxTraces: true, onTrace: true } as const

/** Why a function was traced once more. */
export interface TraceEvent {
  /** Traces so far, this one included. */
  readonly count: number
  /** The argument that was new, as in `traces`. */
  readonly reason: string
  /** What to do if it should not be traced again each time. */
  readonly cure: string
}

/** From this trace on, a warning says why a function is traced again. */
const firstWarning = 8

function warnOfTrace({ count, reason, cure }: TraceEvent): void {
  if (count >= firstWarning) warn(`compile: traced ${count} times; new this time: ${reason}; ${cure}`)
}

const modeDifference = 'a mode (train/eval) that the function reads'

function traceEvent(difference: Difference | undefined, count: number): TraceEvent {
  if (!difference) return { count, reason: modeDifference, cure: 'change the mode less often' }
  const { text, before, isTensor } = difference
  const cure = isTensor
    ? 'keep shapes equal from call to call (drop the last incomplete batch, pad sequences)'
    : 'a plain value becomes part of the graph: pass a number as tensor(x), and functions and objects that stay the same'
  return { count, reason: before === undefined ? text : `${text} (before: ${before})`, cure }
}

/**
 * Turns a function of tensors into one that runs natively. The function is traced with symbolic tensors at the first
 * call and for every new combination of shapes, dtypes and plain arguments; then ONNX Runtime runs the graph.
 * Arguments: tensors or NDArrays, also nested in arrays and plain objects; anything else is static: compared by value if
 * it is plain data, by identity if not. The function may read and assign variables. Calls that are not awaited run in
 * their order, one after the other. Throws a UsageError beyond `maxTraces`.
 */
export function compile<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  given?: FunctionOptions<A>,
): Compiled<A, R> {
  if (typeof fn !== 'function')
    throw new UsageError(`compile: a function of tensors is needed, found ${shown(fn)}`, {
      hint: 'write compile((x) => model.forward(x))',
    })
  const options = optionsOf('compile', given, optionNames, UsageError)
  const traced = new TracedFunction(fn as Traceable, options)
  return Object.defineProperties((...args: readonly unknown[]) => traced.call(args), {
    undo: { value: () => traced.undo() },
    findNotFinite: { value: (...args: readonly unknown[]) => traced.findNotFinite(args) },
    profile: { value: (count: number, ...args: readonly unknown[]) => traced.profile(count, args) },
    release: { value: () => traced.release() },
    traces: { value: traced.traces },
    program: { get: () => traced.last },
  }) as Compiled<A, R>
}

/** Options of a function whose arguments nobody names. */
type ErasedOptions = Omit<FunctionOptions, 'dynamic'> & { readonly dynamic?: unknown }

/** A function with its traces: what is behind a `Compiled`. */
class TracedFunction {
  /** Why each trace was made. */
  readonly traces: string[] = []
  /** The program that ran last. */
  last: Runnable | undefined

  readonly #fn: Traceable
  readonly #options: ErasedOptions
  /** Options for programs that run in this process alone. */
  readonly #alone: CompileOptions
  readonly #declared: ReturnType<typeof declaredAxes>
  /** By signature: several where the function reads modes. */
  readonly #entries = new Map<string, Traced[]>()
  /** Of the last call. */
  #previous: Signature | undefined

  constructor(fn: Traceable, options: ErasedOptions) {
    const { onTrace: _, maxTraces: _m, communicator, ...alone } = options
    this.#fn = fn
    this.#options = options
    this.#alone = alone
    this.#declared = declaredAxes(options.dynamic)
    if (communicator && options.dynamic)
      throw new UsageError('compile: a function with dynamic axes cannot have a communicator', {
        hint: 'leave out dynamic: every new shape is traced again',
      })
  }

  /** Throws a UsageError at once while another function is traced: its trace would get a promise, and the error of this call nobody. */
  call(args: readonly unknown[]): Promise<unknown> {
    if (currentTrace())
      throw new UsageError('compile: a compiled function was called inside of a function that is being traced', {
        hint: 'call the plain function there, and compile only the outer one',
      })
    return this.#call(args)
  }

  async #call(args: readonly unknown[]): Promise<unknown> {
    const signature = signatureOf(args, this.#declared)
    const traced = this.#lookup(args, signature)
    return calls.add(async () => {
      traced.built ??= await traced.build(this.#options)
      const { program, leaves, rebuild } = traced.built
      this.last = program
      const outputs = await program.run((leaf) => valueFor(leaf, leaves, signature))
      return rebuild(outputs)
    })
  }

  undo(): void {
    if (calls.waiting > 0)
      throw new UsageError('undo: a compiled function is still running', { hint: 'await its call first' })
    if (!this.last) throw new UsageError('undo: the function was not called yet')
    this.last.undo()
  }

  async findNotFinite(args: readonly unknown[]): Promise<string | undefined> {
    const signature = signatureOf(args, this.#declared)
    const { results, trace, leaves } = traceFunction(this.#fn, args)
    return calls.add(async () => {
      const roots = [...results, ...trace.assignments.values()]
      return firstNotFinite(roots, (leaf) => valueFor(leaf, leaves, signature), this.#alone)
    })
  }

  async profile(count: number, args: readonly unknown[]): Promise<Profile> {
    requireCount('profile', 'calls', count, 1)
    const signature = signatureOf(args, this.#declared)
    const traced = this.#trace(args, signature)
    return calls.add(async () => {
      const { program, leaves } = await traced.build({ ...this.#alone, profile: true })
      try {
        for (let i = 0; i < count; i++) {
          await program.run((leaf) => valueFor(leaf, leaves, signature))
          program.undo()
        }
        return summarizeKernels(program.endProfiling(), (name) => program.originOf(name), count)
      } finally {
        await program.release()
      }
    })
  }

  release(): Promise<void> {
    const released = [...this.#entries.values()].flat()
    // From here on every call is traced again.
    this.#entries.clear()
    this.traces.length = 0
    this.#previous = undefined
    return calls.add(async () => {
      for (const { built } of released) await built?.program.release()
    })
  }

  /** The trace for these arguments, made if there is none. At the time of the call, so that modes and captured values are those that the caller sees. */
  #lookup(args: readonly unknown[], signature: Signature): Traced {
    const known = this.#entries.get(signature.key)?.find(isCurrent)
    if (known) {
      known.check?.(signature)
      this.#previous = signature
      return known
    }
    return this.#traceAgain(args, signature)
  }

  /** Makes a trace, keeps it, and tells why it was made. */
  #traceAgain(args: readonly unknown[], signature: Signature): Traced {
    const { communicator, onTrace = warnOfTrace } = this.#options
    const difference = differenceOf(signature, this.#previous)
    const event = traceEvent(difference, this.traces.length + 1)
    const text = difference?.text ?? modeDifference
    this.#requireOneMore(text, event)
    const traced = this.#trace(args, signature, communicator)
    traced.check?.(signature)
    this.#previous = signature
    this.traces.push(text)
    if (event.count > 1) onTrace(event)
    this.#entries.set(signature.key, [...(this.#entries.get(signature.key) ?? []), traced])
    return traced
  }

  /** Throws a UsageError if there are as many traces as there may be. */
  #requireOneMore(text: string, { cure }: TraceEvent): void {
    const { maxTraces } = this.#options
    if (maxTraces === undefined || this.traces.length < maxTraces) return
    throw new UsageError(
      `compile: the function was traced ${this.traces.length} times, the limit; new this time: ${text}`,
      { hint: cure },
    )
  }

  #trace(args: readonly unknown[], signature: Signature, ranks?: Ranks): Traced {
    const traced =
      signature.sizes.size > 0
        ? traceAtSizes(this.#fn, args, signature)
        : traceFunction(this.#fn, args, ranks && { ranks })
    const [changed] = traced.trace.assignments.keys()
    if (this.#options.frozen && changed)
      throw new UsageError(`compile: frozen: the function changes ${changed}, whose values are part of the graph`, {
        hint: 'model.eval() before, or leave out frozen',
      })
    return traced
  }
}

/** Whether all modes that the function read while it was traced are as they were then. */
function isCurrent({ trace }: Traced): boolean {
  return trace.dependencies.every(({ read, seen }) => Object.is(read(), seen))
}
