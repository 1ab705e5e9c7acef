/** One program for all sizes of dynamic axes. */
import type { PlacesAttributes } from '../../ops/indexing/places.ts'
import { allocate, type NDArray } from '../../tensor/dtype.ts'
import type { Origin } from '../../tensor/origin.ts'
import { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { attributeOf, type EmittedGraph } from '../onnx.ts'
import type { PassCounts } from '../passes.ts'
import { type PlacesCheck, type ResolvedPlaces, resolvePlaces } from '../places.ts'
import { type CompileOptions, optimize, Program } from '../program.ts'
import { writeGraph, writtenModel } from '../write.ts'
import type { SizedCall, Sizing } from '../written-model.ts'
import { arrayAt, type SizedArray, shapeAt } from './arrays.ts'
import { compareGraphs, type SizedGraph, sameVariable } from './graphs.ts'
import { type Asker, otherGraph } from './messages.ts'
import { compareModels, type SizedConstant } from './models.ts'
import { checkedSizes } from './shape-rules.ts'
import { fixedSize, formatSize, isFixed, type Size, SizeTable, type SizeValues, sizeAt } from './sizes.ts'

/** What a function was traced to with sizes of its dynamic axes. */
export interface SizedTrace {
  readonly results: readonly Tensor[]
  readonly trace: { readonly assignments: ReadonlyMap<Variable, Tensor> }
}

/** Traces at several sizes that are one graph. */
export interface ComparedTraces {
  readonly asker: Asker
  readonly traces: readonly SizedTrace[]
  readonly graph: SizedGraph
  readonly places: SizedPlaces
}

/** `ResolvedPlaces` whose limits may depend on the sizes. */
interface SizedPlaces {
  readonly checks: readonly (readonly [PlacesCheck, Size])[]
  readonly computed: readonly (readonly [Origin, PlacesAttributes, Size])[]
}

/** Compares traces at the points, which have a size for each name. Throws a UsageError where they are no graph for all sizes. */
export function compareTraces(
  asker: Asker,
  points: readonly (readonly number[])[],
  traces: readonly SizedTrace[],
): ComparedTraces {
  const variables = traces.map(({ trace }) => [...trace.assignments.keys()])
  const [first = []] = variables
  if (variables.some((list) => list.length !== first.length || !list.every((each, i) => sameVariable(each, first[i]))))
    throw otherGraph(asker, [])
  const resolved = traces.map(({ results, trace }) => resolvePlaces([...results, ...trace.assignments.values()]))
  const table = new SizeTable(points)
  const graph = compareGraphs(
    asker,
    table,
    resolved.map(({ roots }) => roots),
  )
  return { asker, traces, graph, places: sizedPlaces(asker, table, resolved) }
}

function sizedPlaces(asker: Asker, table: SizeTable, resolved: readonly ResolvedPlaces[]): SizedPlaces {
  const [head] = resolved
  const sizeOf = (limits: readonly (number | undefined)[]): Size => {
    const size = table.fit(limits.map((limit) => limit ?? Number.NaN))
    if (!size) throw otherGraph(asker, [])
    return size
  }
  const computed = resolved.map((places) => [...places.computed])
  return {
    checks: (head?.checks ?? []).map((check, i) => {
      return [check, sizeOf(resolved.map(({ checks }) => checks[i]?.attributes.size))] as const
    }),
    computed: (computed[0] ?? []).map(([origin, attributes], i) => {
      return [origin, attributes, sizeOf(computed.map((list) => list[i]?.[1].size))] as const
    }),
  }
}

/** Writes the traces as one model and loads it. `inputs`: for each name an input of the first trace with an axis of that name. */
export async function buildSized(
  compared: ComparedTraces,
  inputs: readonly SizedInput[],
  options: CompileOptions,
): Promise<Program> {
  const { asker, graph, places, traces } = compared
  const graphs: EmittedGraph[] = []
  const counts: PassCounts[] = []
  for (const roots of graph.roots) {
    const optimized = await optimize(roots, options.passes)
    counts.push(optimized.counts)
    graphs.push(await writeGraph(optimized.roots, { ...options, oneSize: false }))
  }
  const [head] = graphs
  const [first] = traces
  if (!head || !first) throw otherGraph(asker, [])
  const { table } = graph
  const model = withSizedInputs(head, compareModels(asker, table, graphs))
  const shapesOf = (lists: readonly (readonly { readonly shape: readonly number[] }[])[]): (readonly Size[])[] =>
    (lists[0] ?? []).map(({ shape }, i) =>
      shape.map((_, axis) => {
        const sizes = lists.map((list) => list[i]?.shape[axis] ?? Number.NaN)
        return table.fit(sizes) ?? fixedSize(Number.NaN)
      }),
    )
  const results = shapesOf(traces.map((each) => each.results))
  const outputs = shapesOf(graphs.map((each) => each.outputs.map(({ tensor }) => tensor)))
  const symbols = (sizes: readonly Size[]): Record<number, string> =>
    Object.fromEntries(
      sizes.flatMap((size, axis) => (isFixed(size) ? [] : [[axis, formatSize(size, asker.names)] as const])),
    )
  const constants = new Map([...graph.constants, ...model.constants])
  const inputShapes = new Map([...graph.leaves, ...[...constants].map(([leaf, { shape }]) => [leaf, shape] as const)])
  const dimensionNames = Object.fromEntries([
    ...model.graph.inputs.map(({ name, tensor }) => [name, symbols(inputShapes.get(tensor) ?? [])] as const),
    ...model.graph.outputs.map(({ name }, i) => [name, symbols(outputs[i] ?? [])] as const),
  ])
  const sizing = new GraphSizing({ asker, graph, places, inputs, constants, packed: model.packed, results, outputs })
  const computed = new Map(places.computed.map(([origin, attributes]) => [origin, attributes]))
  return Program.load(
    {
      model: writtenModel(model.graph, dimensionNames),
      counts: counts[0] ?? { simplified: 0, merged: 0, folded: 0, fused: 0 },
      results: first.results,
      assigned: [...first.trace.assignments.keys()],
      checks: [],
      computed,
      sizing,
    },
    options,
  )
}

/** An input with the axis that gives the size of a name. */
export interface SizedInput {
  readonly leaf: Tensor
  readonly axis: number
}

/** Index vectors, one behind the other: one input for all of them. */
interface Packed {
  readonly leaf: Tensor
  readonly arrays: readonly SizedArray[]
}

interface SizedModel {
  readonly graph: EmittedGraph
  readonly constants: ReadonlyMap<Tensor, SizedArray>
  readonly packed: Packed | undefined
}

/** The graph with inputs in the place of constants that depend on the sizes. Shapes and indices, which are many and short, share one. */
function withSizedInputs(graph: EmittedGraph, sized: readonly SizedConstant[]): SizedModel {
  const names = new Set(sized.map(({ constant }) => constant.name))
  const isVector = ({ constant: { dtype, shape }, array }: SizedConstant): boolean =>
    dtype === 'int64' && shape.length === 1 && array.shape.every(isFixed)
  const vectors = sized.filter(isVector)
  const constants = new Map<Tensor, SizedArray>()
  const others = sized.flatMap((each) => {
    if (isVector(each)) return []
    const { name, dtype, shape } = each.constant
    const tensor = new Tensor(dtype, shape, { kind: 'input', name })
    constants.set(tensor, each.array)
    return [{ name, tensor }]
  })
  const kept = { ...graph, constants: graph.constants.filter(({ name }) => !names.has(name)) }
  if (vectors.length === 0)
    return { graph: { ...kept, inputs: [...graph.inputs, ...others] }, constants, packed: undefined }
  const lengths = vectors.map(({ constant }) => constant.data.length)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  const leaf = new Tensor('int64', [total], { kind: 'input', name: 'sizes' })
  const split = {
    opType: 'Split',
    name: 'sizes_split',
    input: ['sizes', 'sizes_lengths'],
    output: vectors.map(({ constant }) => constant.name),
    attribute: [attributeOf('axis', 0)],
    domain: '',
  }
  const data = BigInt64Array.from(lengths, BigInt)
  return {
    graph: {
      ...kept,
      nodes: [split, ...graph.nodes],
      constants: [...kept.constants, { name: 'sizes_lengths', dtype: 'int64', shape: [lengths.length], data }],
      inputs: [...graph.inputs, ...others, { name: 'sizes', tensor: leaf }],
    },
    constants,
    packed: { leaf, arrays: vectors.map(({ array }) => array) },
  }
}

interface SizingParts extends Pick<ComparedTraces, 'asker' | 'graph' | 'places'> {
  readonly inputs: readonly SizedInput[]
  readonly constants: ReadonlyMap<Tensor, SizedArray>
  readonly packed: Packed | undefined
  readonly results: readonly (readonly Size[])[]
  readonly outputs: readonly (readonly Size[])[]
}

// Calls with sizes that were there before cost nothing more; with these, what they need stays.
const remembered = 32

class GraphSizing implements Sizing {
  readonly #parts: SizingParts
  readonly #calls = new Map<string, SizedCall>()

  constructor(parts: SizingParts) {
    this.#parts = parts
  }

  at(inputOf: (leaf: Tensor) => NDArray): SizedCall {
    const sizes = this.#parts.inputs.map(({ leaf, axis }) => inputOf(leaf).shape[axis] ?? 0)
    const key = sizes.join()
    const known = this.#calls.get(key)
    this.#calls.delete(key)
    const call = known ?? this.#sized(sizes)
    this.#calls.set(key, call)
    const [oldest] = this.#calls.keys()
    if (this.#calls.size > remembered && oldest !== undefined) this.#calls.delete(oldest)
    return call
  }

  #sized(sizes: readonly number[]): SizedCall {
    const { asker, graph, places, constants, packed, results, outputs } = this.#parts
    const values = checkedSizes(graph, sizes, asker)
    const arrays = [...constants].map(([leaf, array]) => [leaf, arrayAt(array, values)] as const)
    const vectors = packed ? [[packed.leaf, packedAt(packed, values)] as const] : []
    const feeds = [...graph.leaves].flatMap(([leaf, shape]) =>
      leaf.source.kind === 'feed' ? [[leaf, shapeAt(shape, values)] as const] : [],
    )
    const limited = <A extends PlacesAttributes>(attributes: A, size: Size): A => ({
      ...attributes,
      size: sizeAt(size, values),
    })
    return {
      constants: new Map([...arrays, ...vectors]),
      feeds: new Map(feeds),
      results: results.map((shape) => shapeAt(shape, values)),
      shapes: outputs.map((shape) => shapeAt(shape, values)),
      checks: places.checks.map(([check, size]) => ({ ...check, attributes: limited(check.attributes, size) })),
      computed: new Map(places.computed.map(([origin, attributes, size]) => [origin, limited(attributes, size)])),
    }
  }
}

function packedAt({ leaf, arrays }: Packed, values: SizeValues): NDArray {
  const data = allocate('int64', leaf.size) as BigInt64Array
  let start = 0
  for (const array of arrays) {
    const part = arrayAt(array, values).data as BigInt64Array
    data.set(part, start)
    start += part.length
  }
  return { dtype: 'int64', shape: leaf.shape, data }
}
