/**
 * Exported models: standard ONNX ops only, named inputs and outputs, weights inside, symbolic sizes of the batch and of other axes.
 *
 * Traces are static, so sizes become symbolic by comparison, as in compiled functions (docs/decisions/052-dynamic-axes.md): what depends
 * on them is computed from the inputs' shapes in the exported model.
 */
import { dtypes, fromNumbers } from '../tensor/dtype.ts'
import { checkShape } from '../tensor/shape.ts'
import { Tensor, type TensorType } from '../tensor/tensor.ts'
import { record } from '../tensor/trace.ts'
import { fetchVariables, type Variable } from '../tensor/variable.ts'
import { optionsOf, requireFields, requireFlag, requireOneOf, shown } from '../util/check.ts'
import { reworded, TenfoldError, UsageError } from '../util/errors.ts'
import type { SizedArray } from './dynamic/arrays.ts'
import { axesOf, type DynamicAxes, type NamedAxis, readAxes } from './dynamic/axes.ts'
import { callSitesOf, verifyCallSites } from './dynamic/call-sites.ts'
import { compareGraphs, type SizedGraph } from './dynamic/graphs.ts'
import { type Asker, notUnderstood, otherGraph, StructureError } from './dynamic/messages.ts'
import { compareModels } from './dynamic/models.ts'
import { ArrayWriter, type NamedInput } from './dynamic/nodes.ts'
import { Samples } from './dynamic/sampling.ts'
import { formatSize, isFixed, type Size, SizeTable } from './dynamic/sizes.ts'
import { verifyNumbers } from './dynamic/verify.ts'
import { type EmittedConstant, type EmittedGraph, emitGraph, freeName, modelBytes } from './onnx.ts'
import { optimize } from './program.ts'
import { calls } from './queue.ts'
import { variablesOf } from './write.ts'

/** What is exported. */
export interface ExportOptions<Name extends string = string> {
  /** Inputs by name; axis 0 is the batch and its size here is ignored, and so are those of dynamic axes. */
  readonly inputs: Readonly<Record<Name, TensorType>>
  readonly forward: (inputs: Readonly<Record<Name, Tensor>>) => Readonly<Record<string, Tensor>>
  readonly name?: string
  readonly documentation?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Axes that may have any size, by input: `{ tokens: { 1: 'length' } }`. Axes of one name have one size. */
  readonly dynamic?: DynamicAxes<Readonly<Record<Name, Tensor>>>
  /** false: axis 0 keeps the sizes given, unless it is dynamic. Default: true. */
  readonly symbolicBatch?: boolean
}

/** Errors show the names of dynamic sizes, not the sizes that stand for them here. */
function withNames(error: unknown, names: readonly string[], point: readonly number[]): unknown {
  if (!(error instanceof TenfoldError)) return error
  const named = (text: string): string =>
    text.replace(/\b\d+\b/g, (digits) => {
      const i = point.findIndex((size) => Number(digits) > 0 && Number.isInteger(Number(digits) / size))
      const times = Number(digits) / (point[i] ?? 1)
      return i < 0 ? digits : times === 1 ? `${names[i]}` : `${times} * ${names[i]}`
    })
  return reworded(error, named(error.message), error.hint === undefined ? undefined : named(error.hint))
}

/** The function, traced with inputs of some shapes. */
interface ExportTrace {
  /** By the outputs' names. */
  readonly outputs: Readonly<Record<string, Tensor>>
  readonly names: ReadonlyMap<Tensor, string>
}

function traceForward<Name extends string>(
  { inputs, forward }: ExportOptions<Name>,
  sizeOf: (name: string, axis: number) => number | undefined = () => undefined,
): ExportTrace {
  const leaves = {} as Record<Name, Tensor>
  const names = new Map<Tensor, string>()
  for (const [name, { dtype, shape }] of Object.entries(inputs) as [Name, TensorType][]) {
    const sizes = shape.map((size, axis) => sizeOf(name, axis) ?? size)
    const leaf = new Tensor(dtype, sizes, { kind: 'input', name })
    leaves[name] = leaf
    names.set(leaf, name)
  }
  const { result: outputs, trace } = record(() => forward(leaves))
  const [changed] = trace.assignments.keys()
  if (changed)
    throw new UsageError(
      `export: the function changes a variable${changed.name && `, ${changed.name}`}: a model does not`,
      {
        hint: 'export in evaluation mode, where a batch norm keeps its statistics: model.eval()',
      },
    )
  const wrong =
    outputs instanceof Tensor ? outputs : Object.values(outputs ?? {}).find((each) => !(each instanceof Tensor))
  if (wrong !== undefined || !outputs)
    throw new UsageError(`export: forward must return tensors by name, found ${shown(wrong ?? outputs)}`, {
      hint: 'return { logits }',
    })
  checkNames(Object.keys(inputs), Object.keys(outputs))
  return { outputs, names }
}

/** Throws a UsageError if an ONNX model cannot have the names of these inputs and outputs. */
function checkNames(inputs: readonly string[], outputs: readonly string[]): void {
  if (outputs.length === 0) throw new UsageError('export: forward returns no tensor', { hint: 'return { logits }' })
  if ([...inputs, ...outputs].includes('')) throw new UsageError('export: an input or output has an empty name')
  const both = outputs.find((name) => inputs.includes(name))
  if (both === undefined) return
  throw new UsageError(`export: an input and an output are called ${shown(both)}: in ONNX each has a name of its own`)
}

/** The names of weights in the file: those that variables have, where nothing else has them. */
function weightNames(variables: readonly Variable[], others: readonly string[]): Map<Variable, string> {
  const names = new Map<Variable, string>()
  const used = new Set(others)
  let unnamed = 0
  for (const variable of variables) {
    const { name } = variable
    const free = name && !used.has(name) ? name : freeName(`weight_${unnamed++}`, used)
    used.add(free)
    names.set(variable, free)
  }
  return names
}

async function emitForward(roots: readonly Tensor[], { outputs, names }: ExportTrace): Promise<EmittedGraph> {
  const named = [...names.values(), ...Object.keys(outputs)]
  const variables = variablesOf(roots)
  await fetchVariables(variables)
  const weights = weightNames(variables, named)
  return emitGraph((await optimize(roots)).roots, {
    fused: false,
    outputNames: Object.keys(outputs),
    inputName: (leaf) => names.get(leaf),
    taken: new Set([...named, ...weights.values()]),
    frozen: (leaf) => {
      if (leaf.source.kind === 'feed') {
        throw new TenfoldError('export: the function draws random numbers or reads a schedule', {
          hint: 'export in evaluation mode: model.eval()',
        })
      }
      if (leaf.source.kind !== 'variable') return undefined
      const { variable } = leaf.source
      const name = weights.get(variable)
      if (name === undefined) throw new TenfoldError('internal: a weight is used that was not there before')
      return { name, data: variable.data }
    },
  })
}

// A protocol buffer is shorter, and so are the models that ONNX's readers take.
const largestModel = 2 ** 31

/** Throws a UsageError if a model's weights alone are more than an ONNX file may hold. */
export function checkModelSize(constants: readonly { readonly data: { readonly byteLength: number } }[]): void {
  const bytes = constants.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (bytes < largestModel) return
  throw new UsageError(`export: the weights have ${bytes} bytes, an ONNX file holds less than ${largestModel}`, {
    hint: 'write the weights as safetensors, which have no such limit',
  })
}

/**
 * The bytes of an ONNX model that computes `forward` with the values that the variables have once all calls before have ended.
 * Throws a UsageError if that would be 2 GiB or more.
 */
export function exportOnnx<Name extends string>(options: ExportOptions<Name>): Promise<Uint8Array> {
  return calls.add(() => exportNow(options))
}

const optionNames = {
  inputs: true,
  forward: true,
  name: true,
  documentation: true,
  metadata: true,
  dynamic: true,
  symbolicBatch: true,
} as const

/** Throws a UsageError for options that would be ignored, and for inputs that are none. */
function checkOptions<Name extends string>(options: ExportOptions<Name>): void {
  const { inputs, forward, symbolicBatch = true } = optionsOf('export', options, optionNames, UsageError)
  requireFlag('export', 'symbolicBatch', symbolicBatch, UsageError)
  if (typeof forward !== 'function')
    throw new UsageError(`export: forward must be a function of tensors by name, found ${shown(forward)}`)
  const hint = "inputs: { image: { dtype: 'float32', shape: [1, 3, 32, 32] } }"
  if (typeof inputs !== 'object' || inputs === null)
    throw new UsageError(`export: inputs must be dtypes and shapes by name, found ${shown(inputs)}`, { hint })
  for (const [name, type] of Object.entries<TensorType>(inputs)) {
    requireFields('export', `the input ${shown(name)}`, type, UsageError)
    requireOneOf('export', `the dtype of ${shown(name)}`, type.dtype, dtypes, UsageError)
    checkShape('export', type.shape, `the shape of ${shown(name)}`)
  }
}

async function exportNow<Name extends string>(options: ExportOptions<Name>): Promise<Uint8Array> {
  checkOptions(options)
  const { name, documentation, metadata } = options
  const texts = { ...(name && { name }), ...(documentation && { documentation }), ...(metadata && { metadata }) }
  const axes = exportedAxes(options)
  if (axes.size === 0) {
    const trace = traceForward(options)
    const graph = await emitForward(Object.values(trace.outputs), trace)
    checkModelSize(graph.constants)
    return modelBytes(graph, texts)
  }
  const { graph, dimensionNames } = await withDynamicAxes(options, axes)
  checkModelSize(graph.constants)
  return modelBytes(graph, { ...texts, dimensionNames })
}

/** The dynamic axes of each input that has some. */
function exportedAxes<Name extends string>(options: ExportOptions<Name>): Map<string, readonly NamedAxis[]> {
  const { inputs, dynamic, symbolicBatch = true } = options
  const declared = new Map<string, readonly NamedAxis[]>()
  for (const [name, axes] of Object.entries(dynamic ?? {})) {
    if (!(name in inputs)) throw new UsageError(`export: dynamic names "${name}", which is no input`)
    for (const [path, found] of readAxes('export', axes, name, (path) => path)) declared.set(path, found)
  }
  const axes = Object.entries<TensorType>(inputs).map(([name, { shape }]) => {
    const named = axesOf('export', declared.get(name) ?? [], name, shape.length)
    const isBatch = symbolicBatch && shape.length > 0 && !named.some(({ axis }) => axis === 0)
    return [name, isBatch ? [{ axis: 0, name: 'batch' }, ...named] : named] as const
  })
  return new Map(axes.filter(([, named]) => named.length > 0))
}

// The function is also looked at with few elements, where an `if` on the size takes another way, and with about so many: `Math.min(length, 512)`
// is another number there.
const otherSizes = [1, 2, 1103] as const

/** Undefined: the function refuses these sizes. */
function traceIfPossible(trace: () => ExportTrace): ExportTrace | undefined {
  try {
    return trace()
  } catch {
    return undefined
  }
}

type DimensionNames = Record<string, Record<number, string>>

async function withDynamicAxes<Name extends string>(
  options: ExportOptions<Name>,
  axes: ReadonlyMap<string, readonly NamedAxis[]>,
): Promise<{ graph: EmittedGraph; dimensionNames: DimensionNames }> {
  const places = [...axes].flatMap(([input, list]) => list.map((named) => ({ input, ...named })))
  const names = [...new Set(places.map(({ name }) => name))]
  const inputs = places.filter(({ name }, i) => places.findIndex((place) => place.name === name) === i)
  const asker = { owner: 'export', names }
  const traceAt = (point: readonly number[]): ExportTrace =>
    traceForward(options, (input, axis) => {
      const named = axes.get(input)?.find((each) => each.axis === axis)
      return named && point[names.indexOf(named.name)]
    })
  const samples = new Samples<ExportTrace, SizedGraph>({
    sizes: inputs.map(({ input, axis }) => Math.max(1, options.inputs[input as Name]?.shape[axis] ?? 1)),
    traceAt,
    compare: (points, traces) => {
      const roots = traces.map(({ outputs }) => Object.values(outputs))
      const graph = compareGraphs(asker, new SizeTable(points), roots)
      const usual = callSitesOf(graph.traced)
      for (const size of otherSizes) {
        const point = names.map((_, i) => (size > 2 ? size + 6 * i : size))
        const trace = traceIfPossible(() => traceAt(point))
        if (!trace) continue
        const found = Object.values(trace.outputs)
        verifyCallSites(asker, usual, point, found)
        if (size > 2) verifyNumbers(asker, graph, point, found)
      }
      return graph
    },
    refusal: (error, point) => withNames(error, names, point),
  })
  for (;;) {
    try {
      const { compared, traces } = samples.next()
      const graphs: EmittedGraph[] = []
      for (const [i, trace] of traces.entries()) graphs.push(await emitForward(compared.roots[i] ?? [], trace))
      return symbolicGraph(asker, compared, graphs, { places, leaves: traces[0]?.names ?? new Map() })
    } catch (error) {
      if (samples.isExhausted) throw withHint(error, names)
      samples.failed(error)
    }
  }
}

/** What helps depends on the axes: the batch is dynamic without being declared. */
function withHint(error: unknown, names: readonly string[]): unknown {
  if (!(error instanceof StructureError) || !names.includes('batch')) return error
  const hint =
    names.length === 1
      ? 'a mean or norm over the batch belongs to training, not to the exported function; or pass symbolicBatch: false'
      : `${error.hint}; of the batch by symbolicBatch: false`
  return new UsageError(error.message, { hint })
}

/** A dynamic axis of an input. */
interface Place extends NamedInput {
  /** Of its size. */
  readonly name: string
}

/** What is known of a trace's inputs, used or not. */
interface Given {
  readonly places: readonly Place[]
  /** Their names. */
  readonly leaves: ReadonlyMap<Tensor, string>
}

/** The graph with nodes in the place of constants that depend on the sizes. */
function symbolicGraph(
  asker: Asker,
  { table, constants, leaves }: SizedGraph,
  graphs: readonly EmittedGraph[],
  given: Given,
): { graph: EmittedGraph; dimensionNames: DimensionNames } {
  const [graph] = graphs
  if (!graph) throw otherGraph(asker, [])
  const sized = compareModels(asker, table, graphs)
  const sources = sourcesOf(asker.names, given.places, graph)
  const values = [...graph.inputs, ...graph.constants].map(({ name }) => name)
  const taken = new Set([...given.leaves.values(), ...values, ...graph.nodes.flatMap(({ output }) => output)])
  const writer = new ArrayWriter(sources, taken, (what) => notUnderstood(asker, what))
  const replaced = new Set<string>()
  for (const { constant, array } of sized) {
    if (leaveToReshape(graph, constant, array)) continue
    replaced.add(constant.name)
    writer.write(constant.name, array, constant.name)
  }
  const kept = graph.inputs.filter(({ name, tensor }) => {
    const array = constants.get(tensor)
    if (array) writer.write(name, array, name)
    return array === undefined
  })
  const asked = unusedInputs(writer, kept, given)
  const symbols = (shape: readonly (Size | undefined)[]): Record<number, string> =>
    Object.fromEntries(
      shape.flatMap((size, axis) => (size && !isFixed(size) ? [[axis, formatSize(size, asker.names)] as const] : [])),
    )
  const dimensionNames = Object.fromEntries([
    ...kept.map(({ name, tensor }) => [name, symbols(leaves.get(tensor) ?? [])] as const),
    ...asked.map(({ name }) => {
      const own = given.places.filter(({ input }) => input === name)
      return [name, Object.fromEntries(own.map((place) => [place.axis, place.name]))] as const
    }),
    ...graph.outputs.map(({ name, tensor }, i) => {
      const sizes = tensor.shape.map((_, axis) =>
        table.fit(graphs.map(({ outputs }) => outputs[i]?.tensor.shape[axis] ?? Number.NaN)),
      )
      return [name, symbols(sizes)] as const
    }),
  ])
  const all = [...graph.constants.filter(({ name }) => !replaced.has(name)), ...writer.constants]
  return {
    graph: { ...graph, nodes: [...writer.nodes, ...graph.nodes], constants: all, inputs: [...kept, ...asked] },
    dimensionNames,
  }
}

/** Which input each size is read from: one that the graph uses anyway, if there is one. */
function sourcesOf(names: readonly string[], places: readonly Place[], { inputs }: EmittedGraph): Place[] {
  const used = new Set(inputs.map(({ name }) => name))
  return names.flatMap((name) => {
    const own = places.filter((place) => place.name === name)
    const source = own.find(({ input }) => used.has(input)) ?? own[0]
    return source ? [source] : []
  })
}

/** Inputs of which the graph uses nothing but a size. */
function unusedInputs(
  { nodes }: ArrayWriter,
  kept: EmittedGraph['inputs'],
  { leaves }: Given,
): { readonly name: string; readonly tensor: Tensor }[] {
  const asked = new Set(nodes.flatMap(({ input }) => input))
  for (const { name } of kept) asked.delete(name)
  return [...leaves].flatMap(([tensor, name]) => (asked.has(name) ? [{ name, tensor }] : []))
}

/** A shape of which one size changes, and that is used by Reshape only: -1 says it. */
function leaveToReshape({ nodes }: EmittedGraph, constant: EmittedConstant, array: SizedArray): boolean {
  if (constant.dtype !== 'int64' || array.kind !== 'elements' || array.shape.length !== 1) return false
  const isSized = array.elements.map(({ size }) => !isFixed(size))
  const users = nodes.filter((node) => node.input.includes(constant.name))
  const onlyReshapes = users.every((node) => node.opType === 'Reshape' && node.input[0] !== constant.name)
  const values = [...(constant.data as BigInt64Array)].map((value, i) => (isSized[i] ? -1 : Number(value)))
  if (isSized.filter((is) => is).length !== 1 || !onlyReshapes || values.includes(0)) return false
  ;(constant.data as BigInt64Array).set(fromNumbers('int64', values) as BigInt64Array)
  return true
}
