import { topologicalNodes } from '../autodiff/graph.ts'
import { opOf } from '../ops/define.ts'
import { formatShape, type Shape } from '../tensor/shape.ts'
import { type GraphNode, Tensor, type TensorType } from '../tensor/tensor.ts'
import { record } from '../tensor/trace.ts'
import { largest } from '../util/lists.ts'
import { type Module, observeForward } from './module.ts'

/** One module of a model. */
export interface SummaryRow {
  /** Its place in the model; empty for the model itself. */
  readonly path: string
  /** The name of its class. */
  readonly type: string
  /** Shapes of the tensors that its last forward returned; empty if it was not called. */
  readonly outputs: readonly Shape[]
  /** Number of elements of all parameters inside. Frozen ones count too, shared ones once. */
  readonly parameters: number
  /** Multiply-adds of all matrix products and convolutions inside, over all calls. */
  readonly multiplyAdds: number
}

/** The modules of a model with their sizes. `toString` gives a table. */
export interface Summary {
  /** The model, then the modules inside it, in order of definition. */
  readonly rows: readonly SummaryRow[]
  readonly parameters: number
  /** Those that are not frozen. */
  readonly trainableParameters: number
  readonly multiplyAdds: number
  toString(): string
}

/** An example of an input: a shape (float32), or shape and dtype; anything else is passed unchanged. */
export type ExampleInput = Shape | TensorType | undefined | boolean

function leafOf(example: ExampleInput, index: number): unknown {
  if (typeof example !== 'object') return example
  const isShape = (value: Shape | TensorType): value is Shape => Array.isArray(value)
  const { dtype, shape } = isShape(example) ? { dtype: 'float32' as const, shape: example } : example
  return new Tensor(dtype, shape, { kind: 'input', name: `input ${index}` })
}

/** The tensors of nested arrays and records. */
function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(tensorsIn)
}

function multiplyAddsOf(node: GraphNode): number {
  return opOf(node).multiplyAdds?.(node) ?? 0
}

function parameterCount(module: Module, counts: (frozen: boolean) => boolean): number {
  let count = 0
  for (const { trainable, frozen, size } of module.variables().values()) if (trainable && counts(frozen)) count += size
  return count
}

/**
 * Traces `forward` with symbolic inputs, without computing anything, and lists the modules with their output shapes,
 * parameters and multiply-adds. The counts are those of this library's forms of the ops.
 */
export function summary(model: Module, ...inputs: readonly ExampleInput[]): Summary {
  const outputs = new Map<Module, readonly Shape[]>()
  const forward = (): unknown => model.forward(...(inputs.map(leafOf) as never[]))
  const observe = (module: Module, result: unknown): void => {
    outputs.set(
      module,
      tensorsIn(result).map(({ shape }) => shape),
    )
  }
  const { result } = record(() => observeForward(observe, forward))
  const multiplyAdds = new Map<object, number>()
  for (const node of topologicalNodes(tensorsIn(result))) {
    const count = multiplyAddsOf(node)
    for (const module of new Set(node.origin.scope)) multiplyAdds.set(module, (multiplyAdds.get(module) ?? 0) + count)
  }
  const rows = [...model.namedModules()].map(
    ([path, module]): SummaryRow => ({
      path,
      type: module.constructor.name,
      outputs: outputs.get(module) ?? [],
      parameters: parameterCount(module, () => true),
      multiplyAdds: multiplyAdds.get(module) ?? 0,
    }),
  )
  const totals = {
    parameters: parameterCount(model, () => true),
    trainableParameters: parameterCount(model, (frozen) => !frozen),
    multiplyAdds: multiplyAdds.get(model) ?? 0,
  }
  return { rows, ...totals, toString: () => table(rows, totals) }
}

/** 1234567 -> 1,234,567 */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

function table(rows: readonly SummaryRow[], totals: Omit<Summary, 'rows' | 'toString'>): string {
  const header = ['module', 'output', 'parameters', 'multiply-adds']
  const body = rows.map(({ path, type, outputs, parameters, multiplyAdds }) => {
    const depth = path === '' ? 0 : path.split('.').length
    const label = path === '' ? type : `${'  '.repeat(depth)}${path.split('.').at(-1)}: ${type}`
    return [label, outputs.map(formatShape).join(' '), grouped(parameters), grouped(multiplyAdds)]
  })
  const widths = header.map((title, i) => Math.max(title.length, largest(body.map((cells) => cells[i]?.length ?? 0))))
  // Texts are left-aligned, numbers right-aligned.
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const { parameters, trainableParameters, multiplyAdds } = totals
  const closing = `${grouped(parameters)} parameters (${grouped(trainableParameters)} trainable), ${grouped(multiplyAdds)} multiply-adds`
  return [line(header), ...body.map(line), closing].join('\n')
}
