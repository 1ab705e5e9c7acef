/** From traced tensors to a loaded model that runs. */
import { loadSession } from '#runtime'
import { leavesOf, topologicalNodes } from '../autodiff/graph.ts'
import type { KernelTime, Session, SessionOptions, Target } from '../runtime/session.ts'
import { allocate, elementCount, isResident, type NDArray, type StoredArray } from '../tensor/dtype.ts'
import { describeOrigin } from '../tensor/origin.ts'
import type { Shape } from '../tensor/shape.ts'
import { constant, type Feed, type GraphNode, installEvaluator, type Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import type { Communicator } from '../util/communicator.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { fuseSums } from './fuse-sums.ts'
import { foldConstants, mergeCommonSubexpressions, type PassCounts, type PassOptions, simplify } from './passes.ts'
import { checkLeaves, indexComplaint, type ResolvedPlaces, resolvePlaces } from './places.ts'
import { calls } from './queue.ts'
import { writeGraph, writtenModel } from './write.ts'
import type { Sizing, WrittenModel } from './written-model.ts'

/** How a function is compiled. */
export interface CompileOptions extends SessionOptions {
  readonly passes?: PassOptions
  /** Whether ONNX Runtime's own kernels (com.microsoft) may be used. Default: true. */
  readonly fused?: boolean
  /** Store the variables' present values in the model: faster inference, but later changes are not seen. Default: false. */
  readonly frozen?: boolean
  /**
   * Several processes run the function together, each on its part of a batch: `Optimizer.minimize`, batch norm, `ops.sumOverRanks`
   * and `ops.meanOverRanks` then work over all parts. All processes must call it in the same order. Default: none, it runs alone.
   */
  readonly communicator?: Communicator
}

/** The names of its options. */
export const compileNames = {
  passes: true,
  fused: true,
  frozen: true,
  communicator: true,
  threads: true,
  optimize: true,
  disabledOptimizers: true,
  profile: true,
  spin: true,
  stay: true,
} as const

/** What a compilation produced: for tests and `--profile`. */
export interface ProgramStatistics {
  readonly nodes: number
  readonly passes: PassCounts
  readonly bytes: number
}

const noCounts = (): PassCounts => ({ simplified: 0, merged: 0, folded: 0, fused: 0 })

/** Runs the passes that are switched on. */
export async function optimize(
  roots: readonly Tensor[],
  options: PassOptions = {},
  computed?: ResolvedPlaces['computed'],
): Promise<{ roots: Tensor[]; counts: PassCounts }> {
  const counts = noCounts()
  let current = reduce(roots, options, counts)
  if (options.foldConstants !== false) {
    current = await foldConstants(current, counts, (tensors) =>
      evaluateNow(tensors, { threads: 1, passes: withoutPasses }, computed),
    )
    // A folded constant may be a 0 or 1 that simplifies what uses it.
    if (counts.folded > 0) current = reduce(current, options, counts)
  }
  return { roots: options.fuseSums === false ? current : fuseSums(current, counts), counts }
}

/** Simplifies and merges until nothing changes, or three times. */
function reduce(roots: readonly Tensor[], options: PassOptions, counts: PassCounts): Tensor[] {
  let current = [...roots]
  for (let round = 0; round < 3; round++) {
    const before = counts.simplified + counts.merged
    if (options.simplify !== false) current = simplify(current, counts)
    if (options.commonSubexpressions !== false) current = mergeCommonSubexpressions(current, counts)
    if (counts.simplified + counts.merged === before) break
  }
  return current
}

const withoutPasses: PassOptions = {
  simplify: false,
  commonSubexpressions: false,
  foldConstants: false,
  fuseSums: false,
}

/** What a program is loaded from. */
export interface ProgramParts extends Pick<ResolvedPlaces, 'checks' | 'computed'> {
  readonly model: WrittenModel
  readonly counts: PassCounts
  readonly results: readonly Tensor[]
  readonly assigned: readonly Variable[]
  readonly sizing?: Sizing
}

/** A loaded graph: its leaves are filled from the call's arguments, from variables and from feeds. */
export class Program {
  readonly statistics: ProgramStatistics
  readonly #session: Session
  readonly #inputs: readonly Tensor[]
  readonly #origins: ReadonlyMap<string, GraphNode>
  /** Of the graph's outputs. */
  readonly #shapes: readonly Shape[]
  readonly #parts: Omit<ProgramParts, 'model'>
  /** The last outputs, which the variables take. */
  readonly #state: readonly Target[]
  #retreats: ReadonlySet<(() => void) | undefined> = new Set()
  /** `writes` of the assigned variables after the last run, as long as it can be taken back. */
  #written: readonly number[] | undefined

  private constructor(session: Session, { model, ...parts }: ProgramParts) {
    this.#session = session
    // Not the model's bytes, which the session has, too.
    this.#parts = parts
    this.#inputs = model.inputs
    this.#origins = model.origins
    this.#shapes = model.shapes
    this.#state = parts.assigned.map((variable, i) => {
      const shape = model.shapes[parts.results.length + i] ?? variable.shape
      return { dtype: variable.dtype, shape, buffer: () => variable.backBuffer }
    })
    this.statistics = { nodes: model.nodes, passes: parts.counts, bytes: model.bytes.length }
  }

  /**
   * Optimises, writes and loads the graph of `results` and the values that variables are assigned. `outerComputed`: indices that
   * are compared in a graph of which this one is a part.
   */
  static async build(
    results: readonly Tensor[],
    assignments: ReadonlyMap<Variable, Tensor>,
    options: CompileOptions = {},
    outerComputed: ResolvedPlaces['computed'] = new Map(),
  ): Promise<Program> {
    const { roots, checks, computed: ownComputed } = resolvePlaces([...results, ...assignments.values()])
    const computed = new Map([...outerComputed, ...ownComputed])
    const { roots: optimized, counts } = await optimize(roots, options.passes, computed)
    const model = writtenModel(await writeGraph(optimized, options))
    return Program.load({ model, counts, checks, computed, results, assigned: [...assignments.keys()] }, options)
  }

  /** Loads a written graph. */
  static async load(parts: ProgramParts, options: CompileOptions = {}): Promise<Program> {
    const { model, computed, assigned } = parts
    // A training step gains nothing from the runtime's own passes, which take longer than loading it (docs/decisions/024-start.md).
    const stay = assigned.flatMap(({ dtype }, i) => (dtype === 'float32' ? [i + parts.results.length] : []))
    const loading = {
      ...options,
      optimize: options.optimize ?? assigned.length === 0,
      stay: stay.map((output) => model.outputs[output] ?? ''),
    }
    const session = await retell(model.origins, computed, () => loadSession(model.bytes, loading))
    return new Program(session, parts)
  }

  /** Runs once. `inputOf` gives the numbers of the call's input leaves. */
  async run(inputOf: (leaf: Tensor) => NDArray): Promise<Tensor[]> {
    const { assigned, sizing } = this.#parts
    const sized = sizing?.at(inputOf)
    const { checks, computed } = sized ?? this.#parts
    const shapes = sized?.shapes ?? this.#shapes
    // An index may have been left on the graphics processor.
    for (const { leaf } of checks) if (leaf.source.kind === 'variable') await leaf.source.variable.fetch()
    checkLeaves(checks, inputOf)
    const feeds: Feed[] = []
    const values = this.#inputs.map((leaf): StoredArray => {
      const { source } = leaf
      if (source.kind === 'variable') return source.variable.stored
      if (source.kind === 'feed') return pull(source.feed, feeds.push(source.feed) - 1, leaf, sized?.feeds.get(leaf))
      return sized?.constants.get(leaf) ?? inputOf(leaf)
    })
    const results = this.#parts.results.map(({ dtype, shape }, i): Target & { readonly given: Shape } => {
      const [given, size] = [sized?.results[i] ?? shape, elementCount(sized?.results[i] ?? shape)]
      return { dtype, given, shape: shapes[i] ?? given, buffer: () => allocate(dtype, size) }
    })
    const state = sized
      ? this.#state.map((target, i) => ({ ...target, shape: shapes[results.length + i] ?? target.shape }))
      : this.#state
    const written = await retell(this.#origins, computed, () => this.#session.run(values, [...results, ...state]))
    for (const [i, variable] of assigned.entries()) variable.take(written[results.length + i] ?? variable.backBuffer)
    this.#written = assigned.map(({ writes }) => writes)
    for (const advance of new Set(feeds.map((feed) => feed.advance))) advance?.()
    this.#retreats = new Set(feeds.map((feed) => feed.retreat))
    return results.map(({ dtype, given }, i) => {
      const data = written[i]
      if (data === undefined || isResident(data)) throw new TenfoldError('internal: a result did not come back')
      return constant(data, given, dtype)
    })
  }

  /** Puts back the values that the variables had before the last run. Throws a UsageError if another call came after it. */
  undo(): void {
    if (!this.#written) throw new UsageError('undo: the last call was taken back already')
    const { assigned } = this.#parts
    const changed = assigned.find(({ writes }, i) => writes !== this.#written?.[i])
    if (changed)
      throw new UsageError(`undo: another call has assigned ${changed} since`, {
        hint: 'take back the newest call first',
      })
    this.#written = undefined
    for (const variable of assigned) variable.revert()
    for (const retreat of this.#retreats) retreat?.()
  }

  async release(): Promise<void> {
    await this.#session.release()
  }

  /** Every kernel that ran, if the program was built with `profile`. Ends profiling. */
  endProfiling(): readonly KernelTime[] {
    return this.#session.endProfiling()
  }

  /** The tenfold node behind an ONNX node of this program. */
  originOf(name: string): GraphNode | undefined {
    return this.#origins.get(name)
  }
}

/** The numbers that a feed has for the coming call. `lane` numbers the feeds of a graph. */
export function pull(feed: Feed, lane: number, leaf: Tensor, shape = leaf.shape): NDArray {
  const data = feed.pull(lane, elementCount(shape))
  if (data.length !== elementCount(shape)) throw new TenfoldError(`a feed of type ${leaf} gave ${data.length} elements`)
  return { dtype: leaf.dtype, shape, data }
}

/** The runtime's errors name its nodes; ours name the op, the shapes and the line of the model. */
async function retell<T>(
  origins: ReadonlyMap<string, GraphNode>,
  computed: ResolvedPlaces['computed'],
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const name = /Name:'([^']*)'|[Nn]ode \(([^)]*)\)/.exec(error.message)
    const node = origins.get(name?.[1] ?? name?.[2] ?? '')
    if (!node) throw error
    const complaint = indexComplaint(error.message, node, computed)
    if (complaint) throw complaint
    const place = describeOrigin(node.origin)
    throw new TenfoldError(
      `${node.op.name}(${node.inputs.join(', ')}) failed in the runtime: ${error.message}${place && `\n  in ${place}`}`,
      { cause: error },
    )
  }
}

/** The numbers of tensors that depend on no inputs, once all calls before have ended: constants, variables and feeds. */
export function evaluate(tensors: readonly Tensor[], options: CompileOptions = {}): Promise<NDArray[]> {
  return calls.add(() => evaluateNow(tensors, options))
}

// Here and not in an entry point: whatever compiles brings it along.
installEvaluator(evaluate)

/** `evaluate` as part of a call that runs. */
async function evaluateNow(
  tensors: readonly Tensor[],
  options: CompileOptions = {},
  computed?: ResolvedPlaces['computed'],
): Promise<NDArray[]> {
  const input = leavesOf(tensors).find((leaf) => leaf.source.kind === 'input')
  if (input) {
    throw new TenfoldError(`tensor ${input} is an argument of a traced function: it has no numbers yet`, {
      hint: 'return it from the compiled function instead of asking for its data inside',
    })
  }
  // It runs once.
  const program = await Program.build(tensors, new Map(), { optimize: false, ...options }, computed)
  try {
    const results = await program.run((leaf) => leaf.array)
    return results.map((result) => result.array)
  } finally {
    await program.release()
  }
}

/**
 * Runs the graph of the roots, checks every intermediate value, and describes the first op (in order of
 * execution) that makes NaN or infinity out of finite inputs; undefined if all is finite. Changes no variable.
 */
export async function firstNotFinite(
  roots: readonly Tensor[],
  inputOf: (leaf: Tensor) => NDArray,
  options: CompileOptions = {},
): Promise<string | undefined> {
  const outputs = topologicalNodes(roots).flatMap((node) => node.outputs.filter(({ dtype }) => dtype === 'float32'))
  const program = await Program.build(outputs, new Map(), { ...options, passes: withoutPasses })
  try {
    const results = await program.run(inputOf)
    program.undo()
    for (const [i, output] of outputs.entries()) {
      const data = results[i]?.array.data as Float32Array
      const count = data.reduce((sum, value) => sum + Number(!Number.isFinite(value)), 0)
      if (count === 0 || output.source.kind !== 'node') continue
      const { node } = output.source
      const place = describeOrigin(node.origin)
      return `${node.op.name}(${node.inputs.join(', ')}) gives NaN or infinity in ${count} of ${data.length} elements${place && `, in ${place}`}`
    }
    return undefined
  } finally {
    await program.release()
  }
}
