/** Whether formulas hold at sizes far from those that they were found at: `Math.min(length, 512)` looks linear below. */
import { topologicalNodes } from '../../autodiff/graph.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sameShape } from '../../tensor/shape.ts'
import type { GraphNode, Tensor } from '../../tensor/tensor.ts'
import { arrayAt } from './arrays.ts'
import type { SizedGraph } from './graphs.ts'
import { type Asker, describeSizes, notUnderstood, placeOf } from './messages.ts'
import { checkedSizes } from './shape-rules.ts'

/** Roundings of float32, and of numbers that were computed in another order. */
const tolerance = 2 ** -21

function isClose(a: number, b: number, largest: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= tolerance * largest
}

/** Whether attributes are the same, functions aside. */
function areClose(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return isClose(a, b, Math.abs(b))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return typeof a === 'function' || Object.is(a, b)
  const [keys, others] = [Object.entries(a), Object.entries(b)]
  return keys.length === others.length && keys.every(([, value], i) => areClose(value, others[i]?.[1]))
}

function sameArray(a: NDArray, b: NDArray): boolean {
  if (!sameShape(a.shape, b.shape)) return false
  if (a.data === b.data) return true
  const [found, expected] = [toNumbers(a.data), toNumbers(b.data)]
  const largest = expected.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0)
  return found.every((value, i) => isClose(value, expected[i] ?? Number.NaN, largest))
}

/**
 * Compares a trace at these sizes, if it has the same ops, with what the formulas say. (By their sizes ops choose among forms, and leave out
 * what does nothing: another graph with the same result.) Throws a UsageError for a number that differs.
 */
export function verifyNumbers(
  asker: Asker,
  graph: SizedGraph,
  sizes: readonly number[],
  roots: readonly Tensor[],
): void {
  const [nodes, others] = [topologicalNodes(graph.traced), topologicalNodes(roots)]
  if (nodes.length !== others.length || nodes.some(({ op }, i) => op !== others[i]?.op)) return
  const values = checkedSizes(graph, sizes, asker)
  const sized = new Map(graph.nodes.map(({ node, attributes }) => [node, attributes]))
  const expectedArray = (leaf: Tensor): NDArray => {
    const array = graph.arrays.get(leaf)
    return array ? arrayAt(array, values) : leaf.array
  }
  const differs = (node: GraphNode, other: GraphNode): boolean => {
    if (!areClose(other.attributes, sized.get(node)?.(values) ?? node.attributes)) return true
    return node.inputs.some((input, i) => {
      const found = other.inputs[i]
      if (input.source.kind !== 'constant' || found?.source.kind !== 'constant') return false
      return !sameArray(found.array, expectedArray(input))
    })
  }
  for (const [i, node] of nodes.entries()) {
    const other = others[i]
    if (other && differs(node, other))
      throw notUnderstood(asker, `at ${describeSizes(asker.names, sizes)} ${placeOf(other)}`)
  }
}

const onesOf = (sizes: readonly number[]): string => sizes.map((size) => Number(size === 1)).join()

/** The sizes of each name between which formulas are known to hold. */
export class VerifiedRange {
  readonly #least: number[]
  readonly #most: number[]
  /** Which names were 1 together. */
  readonly #ones = new Set<string>()

  constructor(points: readonly (readonly number[])[]) {
    const columns = (points[0] ?? []).map((_, name) => points.map((point) => point[name] ?? 0))
    this.#least = columns.map((column) => Math.min(...column))
    this.#most = columns.map((column) => Math.max(...column))
  }

  /** With a size of 1 only the calls of ops are looked at, once: ops take axes of one element for broadcast ones, with the same results. */
  covers(sizes: readonly number[]): boolean {
    if (sizes.includes(1)) return this.#ones.has(onesOf(sizes))
    return sizes.every((size, i) => size >= (this.#least[i] ?? 0) && size <= (this.#most[i] ?? 0))
  }

  /** The sizes again, with those beyond the largest doubled: a cache that grows is not looked at for every token. */
  beyond(sizes: readonly number[]): number[] {
    return sizes.map((size, i) => (size > (this.#most[i] ?? 0) ? 2 * size : size))
  }

  include(sizes: readonly number[]): void {
    if (sizes.includes(1)) {
      this.#ones.add(onesOf(sizes))
      return
    }
    for (const [i, size] of sizes.entries()) {
      this.#least[i] = Math.min(this.#least[i] ?? size, size)
      this.#most[i] = Math.max(this.#most[i] ?? size, size)
    }
  }
}
