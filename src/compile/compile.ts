import type { NDArray } from '../tensor/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { optionsOf, requireCount, shown } from '../util/check.ts'
import type { Ranks } from '../util/communicator.ts'
import { UsageError } from '../util/errors.ts'
import { warn } from '../util/warnings.ts'
import type { DynamicAxes } from './dynamic/axes.ts'
import { traceAtSizes } from './dynamic/trace.ts'
import { type Profile, summarizeKernels } from './profile.ts'
import { type CompileOptions, firstNotFinite } from './program.ts'
import { calls } from './queue.ts'
import { type Difference, declaredAxes, differenceOf, type Signature, signatureOf } from './signature.ts'
import type { Runnable } from './stages.ts'
import { type Traceable, type Traced, traceFunction, valueFor } from './trace-function.ts'

/** What a caller may pass where a traced function takes a tensor: numbers in either form, nested as the function says. */
export type Argument<T> = T extends Tensor
  ? Tensor | NDArray
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
  /** Where the time goes in a number of calls with the same arguments, in this process alone. Changes no variable. */
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
  const options = optionsOf('compile', given, UsageError)
  const { onTrace = warnOfTrace, maxTraces, communicator, ...alone } = options
  const declared = declaredAxes(options.dynamic)
  if (communicator && options.dynamic)
    throw new UsageError('compile: a function with dynamic axes cannot have a communicator', {
      hint: 'leave out dynamic: every new shape is traced again',
    })
  const entries = new Map<string, Traced[]>()
  const traces: string[] = []
  let last: Runnable | undefined
  let previous: Signature | undefined
  const trace = (args: readonly unknown[], signature: Signature, ranks?: Ranks): Traced =>
    signature.sizes.size > 0
      ? traceAtSizes(fn as Traceable, args, signature)
      : traceFunction(fn as Traceable, args, ranks && { ranks })

  const reasonFor = (signature: Signature): TraceEvent & { readonly text: string } => {
    const difference = differenceOf(signature, previous)
    const event = traceEvent(difference, traces.length + 1)
    if (maxTraces !== undefined && traces.length >= maxTraces) {
      throw new UsageError(
        `compile: the function was traced ${traces.length} times, the limit; new this time: ${difference?.text ?? modeDifference}`,
        { hint: event.cure },
      )
    }
    return { ...event, text: difference?.text ?? modeDifference }
  }

  // At the time of the call, so that modes and captured values are those that the caller sees.
  const lookup = (args: readonly unknown[], signature: Signature): Traced => {
    const known = entries
      .get(signature.key)
      ?.find(({ trace }) => trace.dependencies.every(({ read, seen }) => Object.is(read(), seen)))
    if (known) {
      known.check?.(signature)
      previous = signature
      return known
    }
    const { text, ...event } = reasonFor(signature)
    const traced = trace(args, signature, communicator)
    traced.check?.(signature)
    previous = signature
    traces.push(text)
    if (event.count > 1) onTrace(event)
    entries.set(signature.key, [...(entries.get(signature.key) ?? []), traced])
    return traced
  }

  const call = async (...args: readonly unknown[]): Promise<R> => {
    const signature = signatureOf(args, declared)
    const traced = lookup(args, signature)
    return calls.add(async () => {
      traced.built ??= await traced.build(options)
      const { program, leaves, rebuild } = traced.built
      last = program
      const outputs = await program.run((leaf) => valueFor(leaf, leaves, signature))
      return rebuild(outputs) as R
    })
  }

  const undo = (): void => {
    if (calls.waiting > 0)
      throw new UsageError('undo: a compiled function is still running', { hint: 'await its call first' })
    if (!last) throw new UsageError('undo: the function was not called yet')
    last.undo()
  }

  const findNotFinite = async (...args: readonly unknown[]): Promise<string | undefined> => {
    const signature = signatureOf(args, declared)
    const { results, trace: traced, leaves } = traceFunction(fn as Traceable, args)
    return calls.add(async () => {
      const roots = [...results, ...traced.assignments.values()]
      return firstNotFinite(roots, (leaf) => valueFor(leaf, leaves, signature), alone)
    })
  }

  const profile = async (count: number, ...args: readonly unknown[]): Promise<Profile> => {
    requireCount('profile', 'calls', count, 1)
    const signature = signatureOf(args, declared)
    const traced = trace(args, signature)
    return calls.add(async () => {
      const { program, leaves } = await traced.build({ ...alone, profile: true })
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

  const release = (): Promise<void> => {
    const released = [...entries.values()].flat()
    // From here on every call is traced again.
    entries.clear()
    traces.length = 0
    previous = undefined
    return calls.add(async () => {
      for (const { built } of released) await built?.program.release()
    })
  }

  return Object.defineProperties(call, {
    undo: { value: undo },
    findNotFinite: { value: findNotFinite },
    profile: { value: profile },
    release: { value: release },
    traces: { value: traces },
    program: { get: () => last },
  }) as unknown as Compiled<A, R>
}
