/** Traces a function with dynamic axes at several sizes. */

import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import type { CompileOptions } from '../program.ts'
import type { Signature } from '../signature.ts'
import { type Built, type Traceable, type Traced, traceFunction } from '../trace-function.ts'
import { buildSized, type ComparedTraces, compareTraces, type SizedInput } from './build.ts'
import { describeSizes, StructureError } from './graphs.ts'
import { multiples, samplePoints } from './samples.ts'

/** A function that was traced at the sizes of one list of points. */
interface Attempt {
  readonly traced: Traced
  readonly compared: ComparedTraces
}

/**
 * One graph for all sizes of the dynamic axes of this call. The function is traced at sizes of our choice; where it refuses them, or its
 * graphs take different forms, at others. Throws a UsageError if the graph depends on the sizes.
 */
export function traceAtSizes(fn: Traceable, args: readonly unknown[], signature: Signature): Traced {
  const attempts = new Attempts(fn, args, signature)
  const first = attempts.next()
  const build = async (options: CompileOptions): Promise<Built> => {
    for (let attempt = first; ; attempt = attempts.next()) {
      const { leaves, rebuild } = attempt.traced
      try {
        return { program: await buildSized(attempt.compared, attempts.inputs(leaves), options), leaves, rebuild }
      } catch (error) {
        attempts.failed(error)
      }
    }
  }
  return { ...first.traced, build }
}

class Attempts {
  readonly #fn: Traceable
  readonly #args: readonly unknown[]
  readonly #signature: Signature
  readonly #names: readonly string[]
  readonly #lists: (readonly (readonly number[])[])[]
  /** The first complaint about the graph itself, or else about the sizes. */
  #complaint: unknown
  #isLast = false

  constructor(fn: Traceable, args: readonly unknown[], signature: Signature) {
    this.#fn = fn
    this.#args = args
    this.#signature = signature
    this.#names = [...signature.sizes.keys()]
    this.#lists = [...samplePoints(this.#names.length)]
  }

  failed(error: unknown): void {
    if (!(error instanceof StructureError)) throw error
    if (!(this.#complaint instanceof StructureError)) this.#complaint = error
  }

  /** The next list of points at which the function can be traced to equal graphs; throws if there is none. */
  next(): Attempt {
    for (let points = this.#points(); points; points = this.#points()) {
      const traces = this.#traces(points)
      const [traced] = traces ?? []
      if (!traces || !traced) continue
      try {
        return { traced, compared: compareTraces({ owner: 'compile', names: this.#names }, points, traces) }
      } catch (error) {
        this.failed(error)
      }
    }
    // If it cannot be traced with the sizes of the call either, that is the complaint.
    if (!(this.#complaint instanceof StructureError)) traceFunction(this.#fn, this.#args)
    throw this.#complaint
  }

  #points(): readonly (readonly number[])[] | undefined {
    const next = this.#lists.shift()
    // Sizes with a common divisor would hide that a graph depends on it.
    if (next || this.#isLast || this.#complaint instanceof StructureError) return next
    this.#isLast = true
    return multiples([...this.#signature.sizes.values()])
  }

  /** Undefined: the function refuses a size. */
  #traces(points: readonly (readonly number[])[]): Traced[] | undefined {
    const { axes } = this.#signature
    const traces: Traced[] = []
    for (const point of points) {
      const shapeOf = (index: number, shape: readonly number[]): readonly number[] =>
        shape.map((size, axis) => {
          const named = axes[index]?.find((each) => each.axis === axis)
          return named ? (point[this.#names.indexOf(named.name)] ?? size) : size
        })
      try {
        traces.push(traceFunction(this.#fn, this.#args, { shapeOf, tuned: false }))
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        const at = describeSizes(this.#names, point)
        this.#complaint ??= new UsageError(`compile: the function cannot be traced at ${at}: ${message}`, {
          cause: error,
        })
        return undefined
      }
    }
    return traces
  }

  /** For each name an input of a trace that has an axis of it. */
  inputs(leaves: ReadonlyMap<Tensor, number>): SizedInput[] {
    return this.#names.map((name) => {
      const index = this.#signature.axes.findIndex((list) => list.some((each) => each.name === name))
      const axis = this.#signature.axes[index]?.find((each) => each.name === name)?.axis ?? 0
      const [leaf] = [...leaves].find(([, i]) => i === index) ?? []
      if (!leaf) throw new UsageError(`compile: no argument has the axis "${name}"`)
      return { leaf, axis }
    })
  }
}
