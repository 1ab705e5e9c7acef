/** Puts the checks of index inputs (ops/indexing/places.ts) where they cost least: on the host if the index is an argument or a variable, else into the graph. */
import { rewrite, topologicalNodes } from '../autodiff/graph.ts'
import { checkPlaces, type PlacesAttributes, placesMessage, sameElements } from '../ops/indexing/places.ts'
import * as ops from '../ops/kit.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { describeOrigin, type Origin, withOrigin } from '../tensor/origin.ts'
import type { GraphNode, Tensor } from '../tensor/tensor.ts'
import { IndexError } from '../util/errors.ts'

/** An argument of the function, or a variable, that must hold places only. */
export interface PlacesCheck {
  readonly leaf: Tensor
  readonly attributes: PlacesAttributes
  readonly origin: Origin
}

/** A graph whose indices are checked. */
export interface ResolvedPlaces {
  readonly roots: readonly Tensor[]
  /** For `checkLeaves`. */
  readonly checks: readonly PlacesCheck[]
  /** The indices that are compared in the graph, by the origin of the nodes that do it. */
  readonly computed: ReadonlyMap<Origin, PlacesAttributes>
}

function isWithin(node: GraphNode): boolean {
  return node.op === ops.withinOp
}

/**
 * The same index, read from a table of all places: the runtime fails at an element that is none. ONNX counts negative ones from the
 * end: where these are allowed, the place is read in their stead.
 */
function guarded(index: Tensor, { size, except, fromEnd }: PlacesAttributes): Tensor {
  const shifted = fromEnd ? index : ops.where(ops.less(index, 0), size, index)
  const isException = except === null ? undefined : ops.equal(index, except)
  const table = ops.arange(0, size, { dtype: index.dtype })
  const safe = isException ? ops.where(isException, 0, shifted) : shifted
  const read = ops.apply(ops.indexSelectOp, [table, safe], { axis: 0, ignored: null })
  return isException ? ops.where(isException, index, read) : read
}

/**
 * The same graph without marks: marked arguments and variables are returned as checks for `checkLeaves`, computed indices are compared
 * where they are computed.
 */
export function resolvePlaces(roots: readonly Tensor[]): ResolvedPlaces {
  const marks = topologicalNodes(roots).filter(isWithin)
  const checks: PlacesCheck[] = []
  const computed = new Map<Origin, PlacesAttributes>()
  if (marks.length === 0) return { roots, checks, computed }
  for (const { inputs, attributes, origin } of marks) {
    const places = attributes as PlacesAttributes
    if (places.certain) continue
    const found = sameElements(ops.inputAt('within', inputs, 0))
    const leaf = found.source.kind === 'input' || found.source.kind === 'variable' ? found : undefined
    const isSame = (check: PlacesCheck): boolean =>
      check.leaf === leaf &&
      check.attributes.size === places.size &&
      check.attributes.except === places.except &&
      check.attributes.fromEnd === places.fromEnd
    if (leaf && !checks.some(isSame)) checks.push({ leaf, attributes: places, origin })
    else if (!leaf) computed.set(origin, places)
  }
  const resolved = rewrite(roots, (node, inputs) => {
    if (!isWithin(node)) return undefined
    const index = ops.inputAt('within', inputs, 0)
    if (!computed.has(node.origin)) return [index]
    return [withOrigin(node.origin, () => guarded(index, node.attributes as PlacesAttributes))]
  })
  return { roots: resolved, checks, computed }
}

function nameOf({ source }: Tensor): string {
  if (source.kind === 'variable') return `variable ${source.variable.name || '(unnamed)'}`
  return source.kind === 'input' ? source.name : ''
}

/** Throws an IndexError for the first argument or variable with an element that is not a place. `inputOf`: the arguments. */
export function checkLeaves(checks: readonly PlacesCheck[], inputOf: (leaf: Tensor) => NDArray): void {
  for (const { leaf, attributes, origin } of checks) {
    const { source } = leaf
    try {
      checkPlaces(source.kind === 'variable' ? source.variable.array : inputOf(leaf), attributes, nameOf(leaf))
    } catch (error) {
      throw error instanceof IndexError ? placed(error.message, origin) : error
    }
  }
}

function placed(message: string, origin: Origin): IndexError {
  const place = describeOrigin(origin)
  return new IndexError(`${message}${place && `\n  in ${place}`}`)
}

const complaint = /out of data bounds|Out of range value in index tensor/

/** The runtime's complaint about an index that was computed, in our words; undefined if it is about something else. */
export function indexComplaint(
  message: string,
  node: GraphNode,
  computed: ResolvedPlaces['computed'],
): IndexError | undefined {
  const places = computed.get(node.origin)
  if (!places || !complaint.test(message)) return undefined
  // What was below 0 has become `size`.
  const value = /idx=(-?\d+)/.exec(message)?.[1]
  const isShifted = !places.fromEnd && Number(value) === places.size
  const found = value === undefined || isShifted ? `${places.size} or one below 0` : value
  return placed(placesMessage(places, `${found} among those that the function computes`), node.origin)
}
