/** One graph for all sizes, from the graphs that a function was traced to at several. */
import { rebuild, rewrite, topologicalNodes } from '../../autodiff/graph.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sameShape } from '../../tensor/shape.ts'
import { type Attributes, type GraphNode, type Source, Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'
import { fitArray, type SizedArray } from './arrays.ts'
import { type Asker, describeSizes, notUnderstood, otherGraph, placeOf } from './messages.ts'
import { fitNumber, numberAt, type SizedNumber } from './numbers.ts'
import { isFixed, type Size, type SizeTable, type SizeValues } from './sizes.ts'

/** A node whose outputs or attributes depend on the sizes. */
interface SizedNode {
  readonly node: GraphNode
  /** Attributes at these sizes. */
  readonly attributes: (values: SizeValues) => Attributes
  readonly shapes: readonly (readonly Size[])[]
}

/** What was found out about a function that was traced at several sizes. */
export interface SizedGraph {
  readonly table: SizeTable
  /** For each point, the graph's roots, with inputs in the place of constants that depend on the sizes. */
  readonly roots: readonly (readonly Tensor[])[]
  /** The first point's roots as they were traced. */
  readonly traced: readonly Tensor[]
  /** Constants of these that depend on the sizes. */
  readonly arrays: ReadonlyMap<Tensor, SizedArray>
  /** Of the first point's: inputs that take the place of constants. */
  readonly constants: ReadonlyMap<Tensor, SizedArray>
  /** Nodes in the order of execution. */
  readonly nodes: readonly SizedNode[]
  /** Shapes of leaves that depend on the sizes: feeds, inputs. */
  readonly leaves: ReadonlyMap<Tensor, readonly Size[]>
}

/** One item of each list, in their order, as long as the longest. */
function zip<T>(lists: readonly (readonly T[])[]): (T | undefined)[][] {
  const length = Math.max(0, ...lists.map((list) => list.length))
  return Array.from({ length }, (_, i) => lists.map((list) => list[i]))
}

/** Compares the graphs behind the roots, one list for each point of the table. Throws a UsageError that names the first op that differs. */
export function compareGraphs(asker: Asker, table: SizeTable, roots: readonly (readonly Tensor[])[]): SizedGraph {
  const comparison = new Comparison(asker, table, roots)
  return comparison.run()
}

class Comparison {
  readonly #asker: Asker
  readonly #table: SizeTable
  readonly #roots: readonly (readonly Tensor[])[]
  /** What stands for a tensor of a graph: the first graph's tensor in the same place. */
  readonly #first: Map<Tensor, Tensor>[]
  readonly #leaves = new Map<Tensor, readonly Size[]>()
  readonly #constants = new Map<Tensor, SizedArray>()
  readonly #arrays = new Map<Tensor, SizedArray>()
  /** For each point: constants that inputs take the place of. */
  readonly #replaced: Map<Tensor, Tensor>[]
  readonly #byContent = new Map<string, readonly Tensor[]>()

  constructor(asker: Asker, table: SizeTable, roots: readonly (readonly Tensor[])[]) {
    this.#asker = asker
    this.#table = table
    this.#roots = roots
    this.#first = roots.map(() => new Map())
    this.#replaced = roots.map(() => new Map())
  }

  run(): SizedGraph {
    const nodes = zip(this.#roots.map((list) => topologicalNodes(list)))
    const sized = nodes.flatMap((row) => this.#compareNodes(row))
    for (const row of zip(this.#roots)) this.#compareTensors(row, [])
    return {
      table: this.#table,
      roots: this.#roots.map((list, i) => withReplaced(list, this.#replaced[i] ?? new Map())),
      traced: this.#roots[0] ?? [],
      arrays: this.#arrays,
      constants: this.#constants,
      nodes: sized,
      leaves: this.#leaves,
    }
  }

  #remember(row: readonly (Tensor | undefined)[]): void {
    const [head] = row
    for (const [i, tensor] of row.entries()) if (tensor && head) this.#first[i]?.set(tensor, head)
  }

  /** Throws unless the tensors, which `users` take, stand in the same place of their graphs. */
  #compareTensors(row: readonly (Tensor | undefined)[], users: readonly GraphNode[]): void {
    const [head] = row
    const known = row.map((tensor, i) => tensor && this.#first[i]?.get(tensor))
    if (head && known.every((first) => first === head)) return
    const leaves = row.flatMap((tensor) => (tensor && tensor.source.kind !== 'node' ? [tensor] : []))
    if (!head || leaves.length < row.length || known.some((first) => first !== undefined))
      throw otherGraph(this.#asker, users)
    this.#compareLeaves(leaves, head, users)
  }

  #compareLeaves(row: readonly Tensor[], head: Tensor, users: readonly GraphNode[]): void {
    const fits = ({ source, dtype, rank }: Tensor): boolean =>
      dtype === head.dtype && rank === head.rank && sameSource(source, head.source)
    if (!row.every(fits)) throw otherGraph(this.#asker, users)
    this.#remember(row)
    if (head.source.kind === 'constant') {
      this.#compareConstants(row, head, users)
      return
    }
    const shape = this.#shape(row)
    if (!shape) throw notUnderstood(this.#asker, `the shape of an input of ${users.map(placeOf).at(0)}`)
    if (!shape.every(isFixed)) this.#leaves.set(head, shape)
  }

  #shape(row: readonly Tensor[]): readonly Size[] | undefined {
    const shape = row[0]?.shape.map((_, axis) => {
      const sizes = row.map((tensor) => tensor.shape[axis] ?? 0)
      return this.#table.fit(sizes) && this.#table.axis(sizes)
    })
    return shape?.every((size) => size !== undefined) ? shape : undefined
  }

  #compareConstants(found: readonly Tensor[], head: Tensor, users: readonly GraphNode[]): void {
    const arrays = found.map(({ array }) => array)
    if (arrays.every((array) => sameNumbers(array, arrays[0]))) return
    const array = fitArray(this.#table, arrays)
    if (!array) {
      const used = users[0] ? ` that is used by ${placeOf(users[0])}` : ''
      throw notUnderstood(this.#asker, `a constant of type ${head}${used}`)
    }
    this.#shape(found)
    this.#leaves.set(head, array.shape)
    this.#arrays.set(head, array)
    // One input for equal constants, so that what is computed from both is merged.
    const key = JSON.stringify(array)
    const inputs =
      this.#byContent.get(key) ??
      found.map(({ dtype, shape }) => new Tensor(dtype, shape, { kind: 'input', name: 'constant' }))
    this.#byContent.set(key, inputs)
    for (const [i, tensor] of found.entries()) this.#replaced[i]?.set(tensor, inputs[i] as Tensor)
    if (inputs[0]) this.#constants.set(inputs[0], array)
  }

  #compareNodes(all: readonly (GraphNode | undefined)[]): SizedNode[] {
    if (!hasSameOp(all)) throw otherGraph(this.#asker, all)
    const row = all.flatMap((node) => node ?? [])
    const [node] = row
    if (!node) return []
    for (const inputs of zip(row.map((other) => other.inputs))) this.#compareTensors(inputs, row)
    for (const outputs of zip(row.map((other) => other.outputs))) this.#remember(outputs)
    const attributes = this.#attributes(
      row.map((other) => other.attributes),
      node,
      '',
    )
    const shapes = node.outputs.map((output, i) => {
      return output.shape.map((_, axis) => this.#table.axis(row.map((other) => other.outputs[i]?.shape[axis] ?? 0)))
    })
    const sized = attributes.isSized || !shapes.flat().every(isFixed)
    return sized ? [{ node, attributes: attributes.at as (values: SizeValues) => Attributes, shapes }] : []
  }

  #numberAt(number: SizedNumber, isWhole: boolean, values: SizeValues, node: GraphNode): number {
    const value = numberAt(number, values)
    if (!isWhole || Number.isInteger(value)) return value
    const { owner, names } = this.#asker
    const at = describeSizes(names, values.sizes)
    throw new UsageError(`${owner}: ${at}: ${placeOf(node)} needs a size that divides`, {
      hint: 'the function was traced with multiples of the sizes of its first call, since it refused others',
    })
  }

  /** Numbers in attributes (in lists and objects too) as functions of the sizes. */
  #attributes(values: readonly unknown[], node: GraphNode, path: string): Sized<unknown> {
    const [head] = values
    if (typeof head === 'function' || values.every((value) => Object.is(value, head) || sameList(value, head)))
      return fixed(head)
    if (values.every((value) => typeof value === 'number')) {
      const number = fitNumber(this.#table, values, (value) => value, 1e-12)
      const isWhole = values.every(Number.isInteger)
      if (number) return { isSized: true, at: (sizes) => this.#numberAt(number, isWhole, sizes, node) }
    } else if (values.every((value) => typeof value === 'object' && value !== null)) {
      const lists = values.map((value) => Object.entries(value as object))
      const keys = new Set(lists.map((entries) => entries.map(([key]) => key).join()))
      if (keys.size === 1) {
        const parts = zip(lists).map((row) => {
          const key = row[0]?.[0] ?? ''
          return [
            key,
            this.#attributes(
              row.map((entry) => entry?.[1]),
              node,
              path === '' ? key : `${path}.${key}`,
            ),
          ] as const
        })
        if (parts.every(([, part]) => !part.isSized)) return fixed(head)
        const entriesAt = (sizes: SizeValues) => parts.map(([key, part]) => [key, part.at(sizes)] as const)
        const at = Array.isArray(head)
          ? (sizes: SizeValues) => entriesAt(sizes).map(([, part]) => part)
          : (sizes: SizeValues) => Object.fromEntries(entriesAt(sizes))
        return { isSized: true, at }
      }
    }
    throw notUnderstood(this.#asker, `${path.split('.')[0] || 'an attribute'} of ${placeOf(node)}`)
  }
}

interface Sized<T> {
  readonly isSized: boolean
  readonly at: (values: SizeValues) => T
}

const fixed = <T>(value: T): Sized<T> => ({ isSized: false, at: () => value })

/** Whether both are lists of the same numbers: most attributes are, and need no closer look. */
function sameList(a: unknown, b: unknown): boolean {
  return (
    Array.isArray(a) &&
    Array.isArray(b) &&
    a.length === b.length &&
    a.every((value, i) => typeof value === 'number' && value === b[i])
  )
}

function hasSameOp(row: readonly (GraphNode | undefined)[]): boolean {
  const [head] = row
  return row.every(
    (node) =>
      node?.op === head?.op &&
      node?.inputs.length === head?.inputs.length &&
      node?.outputs.length === head?.outputs.length,
  )
}

function sameSource(a: Source, b: Source): boolean {
  if (a.kind === 'variable' && b.kind === 'variable') return sameVariable(a.variable, b.variable)
  return a.kind === 'input' && b.kind === 'input' ? a.name === b.name : a.kind === b.kind
}

/** One variable, or two that the function makes each time it is traced: the first trace's is then the one that counts. */
export function sameVariable(a: Variable, b: Variable | undefined): boolean {
  return a === b || (b !== undefined && a.name === b.name && a.dtype === b.dtype && sameNumbers(a.array, b.array))
}

function sameNumbers(a: NDArray, b: NDArray | undefined): boolean {
  if (!b || !sameShape(a.shape, b.shape)) return false
  return a.data === b.data || a.data.every((value, i) => Object.is(value, b.data[i]))
}

/** The same graph with some leaves replaced. */
function withReplaced(roots: readonly Tensor[], replaced: ReadonlyMap<Tensor, Tensor>): Tensor[] {
  if (replaced.size === 0) return [...roots]
  const current = (tensor: Tensor): Tensor => replaced.get(tensor) ?? tensor
  const rewritten = rewrite(roots, (node, inputs) => {
    return inputs.some((input) => replaced.has(input)) ? rebuild(node, inputs.map(current)) : undefined
  })
  return rewritten.map(current)
}
