/** A function with dynamic axes is traced at sizes of our choice until it is one graph at several. */
import { StructureError } from './messages.ts'
import { largePoints, multiples, samplePoints } from './samples.ts'

/** How a function is traced at a point (a size for each name), and how traces are compared. */
export interface Sampling<T, C> {
  /** Sizes that are known to be possible. */
  readonly sizes: readonly number[]
  readonly traceAt: (point: readonly number[]) => T
  /** Throws a StructureError where the graphs differ. */
  readonly compare: (points: readonly (readonly number[])[], traces: readonly T[]) => C
  /** What is said where the function refuses a point. */
  readonly refusal: (error: unknown, point: readonly number[]) => unknown
}

/** Traces at the points of one list, and what their comparison gave. */
export interface Sample<T, C> {
  readonly traces: readonly T[]
  readonly compared: C
}

/** Goes through lists of points: where the function refuses the sizes of one, or its graphs take different forms, to the next. */
export class Samples<T, C> {
  readonly #sampling: Sampling<T, C>
  readonly #lists: (readonly (readonly number[])[])[]
  /** The first complaint about the graph itself, or else about the sizes. */
  #complaint: unknown
  #isLast = false
  #isExhausted = false

  constructor(sampling: Sampling<T, C>) {
    this.#sampling = sampling
    this.#lists = [...samplePoints(sampling.sizes.length)]
  }

  /** Whether the last complaint is about the graph, not about the sizes. */
  get hasStructureError(): boolean {
    return this.#complaint instanceof StructureError
  }

  /** Whether there are no more samples: `next` has thrown. */
  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /** The next sample; throws the complaint if there is none. */
  next(): Sample<T, C> {
    for (let points = this.#points(); points; points = this.#points()) {
      const traces = this.#traces(points)
      if (!traces) continue
      try {
        return { traces, compared: this.#sampling.compare(points, traces) }
      } catch (error) {
        this.failed(error)
      }
    }
    this.#isExhausted = true
    throw this.#complaint
  }

  /** What was made of the last sample is no graph for all sizes after all. Throws any other error. */
  failed(error: unknown): void {
    if (!(error instanceof StructureError)) throw error
    if (!this.hasStructureError) this.#complaint = error
  }

  #points(): readonly (readonly number[])[] | undefined {
    const next = this.#lists.shift()
    if (next || this.#isLast || this.hasStructureError) return next
    this.#isLast = true
    const { sizes } = this.#sampling
    // The multiples come last: sizes with a common divisor would hide that a graph depends on it.
    this.#lists.push(...largePoints(sizes.length), multiples(sizes))
    return this.#lists.shift()
  }

  /** Undefined: the function refuses a size. */
  #traces(points: readonly (readonly number[])[]): T[] | undefined {
    const traces: T[] = []
    for (const point of points) {
      try {
        traces.push(this.#sampling.traceAt(point))
      } catch (error) {
        this.#complaint ??= this.#sampling.refusal(error, point)
        return undefined
      }
    }
    return traces
  }
}
