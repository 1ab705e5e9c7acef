/** Traces a function with dynamic axes at several sizes. */
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { resolvePlaces } from '../places.ts'
import type { CompileOptions } from '../program.ts'
import type { Signature } from '../signature.ts'
import { type Built, type Traceable, type Traced, traceFunction } from '../trace-function.ts'
import { buildSized, type ComparedTraces, compareTraces, type SizedInput } from './build.ts'
import { callSitesOf, verifyCallSites } from './call-sites.ts'
import { type Asker, describeSizes, plainBySize, refusedSizes, StructureError } from './messages.ts'
import { type Sample, Samples } from './sampling.ts'
import { checkedSizes } from './shape-rules.ts'
import { VerifiedRange, verifyNumbers } from './verify.ts'

/**
 * One graph for all sizes of the dynamic axes of this call. The function is traced at sizes of our choice; where it refuses them, or its
 * graphs take different forms, at others. Throws a UsageError if the graph depends on the sizes.
 */
export function traceAtSizes(fn: Traceable, args: readonly unknown[], signature: Signature): Traced {
  const { axes } = signature
  const names = [...signature.sizes.keys()]
  const asker = { owner: 'compile', names }
  const traceAt = (point: readonly number[]): Traced => {
    const sizeOf = (index: number, axis: number): number | undefined => {
      const named = axes[index]?.find((each) => each.axis === axis)
      return named && point[names.indexOf(named.name)]
    }
    return traceFunction(fn, args, {
      shapeOf: (index, shape) => shape.map((size, axis) => sizeOf(index, axis) ?? size),
      tuned: false,
    })
  }
  const samples = new Samples<Traced, ComparedTraces>({
    sizes: [...signature.sizes.values()],
    traceAt,
    compare: (points, traces) => {
      for (const traced of traces) requireSamePlain(asker, traces[0], traced)
      return compareTraces(asker, points, traces)
    },
    refusal: (error, point) => refusal(error, describeSizes(names, point)),
  })
  const next = (): Sample<Traced, ComparedTraces> => {
    try {
      return samples.next()
    } catch (error) {
      // If it cannot be traced with the sizes of the call either, that is the complaint.
      if (!samples.hasStructureError) traceFunction(fn, args)
      throw error
    }
  }
  const first = next()
  const build = async (options: CompileOptions): Promise<Built> => {
    for (let sample = first; ; sample = next()) {
      const { leaves, rebuild } = firstOf(sample)
      try {
        const program = await buildSized(sample.compared, sizedInputs(signature, leaves), options)
        return { program, leaves, rebuild }
      } catch (error) {
        samples.failed(error)
      }
    }
  }
  const { graph } = first.compared
  const verified = new VerifiedRange(graph.table.points)
  const usual = callSitesOf(graph.traced)
  const verify = (point: readonly number[]): void => {
    const traced = traceAt(point)
    requireSamePlain(asker, firstOf(first), traced)
    const { results, trace } = traced
    const { roots } = resolvePlaces([...results, ...trace.assignments.values()])
    verifyCallSites(asker, usual, point, roots)
    requireSizes(graph, point)
    if (!point.includes(1)) verifyNumbers(asker, graph, point, roots)
    verified.include(point)
  }
  /** A graph whose ops refuse sizes that the function takes is another one there: of as many steps, say, as the axis has powers of 2. */
  const requireSizes = (sized: typeof graph, point: readonly number[]): void => {
    try {
      checkedSizes(sized, point, asker)
    } catch (error) {
      throw error instanceof StructureError ? error : refusedSizes(asker, point, error)
    }
  }
  const check = (call: Signature): void => {
    const sizes = [...call.sizes.values()]
    if (verified.covers(sizes)) return
    const further = verified.beyond(sizes)
    verify(sizes)
    if (verified.covers(further)) return
    try {
      verify(further)
    } catch {
      // Refused, or not right there: the next size is looked at by itself.
    }
  }
  return { ...firstOf(first), build, check }
}

/** Numbers, texts and flags that the function returns are those of its trace: they must not depend on the sizes. */
function requireSamePlain(asker: Asker, usual: Traced | undefined, { plain }: Traced): void {
  for (const [path, value] of usual?.plain ?? [])
    if (typeof value !== 'object' && typeof value !== 'function' && !Object.is(value, plain.get(path)))
      throw plainBySize(asker, path)
}

function firstOf({ traces: [traced] }: Sample<Traced, ComparedTraces>): Traced {
  if (!traced) throw new UsageError('compile: a function with dynamic axes was not traced')
  return traced
}

function refusal(error: unknown, at: string): UsageError {
  const message = error instanceof Error ? error.message : String(error)
  return new UsageError(`compile: dynamic: the function cannot be traced at ${at}: ${message}`, { cause: error })
}

/** For each name an input of the trace that has an axis of it. */
function sizedInputs({ sizes, axes }: Signature, leaves: ReadonlyMap<Tensor, number>): SizedInput[] {
  const inputs = [...leaves.keys()]
  return [...sizes.keys()].map((name) => {
    const index = axes.findIndex((list) => list.some((each) => each.name === name))
    const axis = axes[index]?.find((each) => each.name === name)?.axis
    const leaf = inputs[index]
    if (!leaf || axis === undefined) throw new UsageError(`compile: no argument has the axis "${name}"`)
    return { leaf, axis }
  })
}
