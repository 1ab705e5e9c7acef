/** Puts the checks of index inputs (ops/indexing/places.ts) where they cost least: on the host if the index is an argument, else into the graph. */
import { rewrite, topologicalNodes } from '../autodiff/graph.ts'
import { checkPlaces, type PlacesAttributes, placesMessage, sameElements } from '../ops/indexing/places.ts'
import * as ops from '../ops/kit.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { describeOrigin, withOrigin } from '../tensor/origin.ts'
import type { GraphNode, Tensor } from '../tensor/tensor.ts'
import { IndexError } from '../util/errors.ts'

/** An argument of the function that must hold places only. */
export interface PlacesCheck {
  readonly leaf: Tensor
  readonly attributes: PlacesAttributes
  readonly origin: GraphNode['origin']
}

function isWithin(node: GraphNode): boolean {
  return node.op === ops.withinOp
}

/** Where elements are no places: an index so large that whatever reads with it fails. */
function guarded(index: Tensor, { size, except, refuses }: PlacesAttributes): Tensor {
  const isNegative = ops.less(index, 0)
  const isWrong = except === null || except >= 0 ? isNegative : ops.logicalAnd(isNegative, ops.notEqual(index, except))
  const shifted = ops.where(isWrong, size, index)
  if (refuses) return shifted
  const table = ops.arange(0, size, { dtype: index.dtype })
  return ops.apply(ops.indexSelectOp, [table, shifted], { axis: 0, ignored: null })
}

/**
 * The same graph without marks: marked arguments are returned as checks for `checkArguments`, computed indices are compared where
 * they are computed.
 */
export function resolvePlaces(roots: readonly Tensor[]): { roots: readonly Tensor[]; checks: PlacesCheck[] } {
  const marks = topologicalNodes(roots).filter(isWithin)
  if (marks.length === 0) return { roots, checks: [] }
  const checks: PlacesCheck[] = []
  const computed = new Set<object>()
  for (const { inputs, attributes, origin } of marks) {
    const places = attributes as PlacesAttributes
    if (places.certain) continue
    const found = sameElements(ops.inputAt('within', inputs, 0))
    const leaf = found.source.kind === 'input' ? found : undefined
    const isSame = (check: PlacesCheck): boolean =>
      check.leaf === leaf && check.attributes.size === places.size && check.attributes.except === places.except
    if (leaf && !checks.some(isSame)) checks.push({ leaf, attributes: places, origin })
    else if (!leaf) computed.add(attributes)
  }
  const resolved = rewrite(roots, (node, inputs) => {
    if (!isWithin(node)) return undefined
    const index = ops.inputAt('within', inputs, 0)
    if (!computed.has(node.attributes)) return [index]
    return [withOrigin(node.origin, () => guarded(index, node.attributes as PlacesAttributes))]
  })
  return { roots: resolved, checks }
}

/** Throws an IndexError for the first argument with an element that is no place. */
export function checkArguments(checks: readonly PlacesCheck[], inputOf: (leaf: Tensor) => NDArray): void {
  for (const { leaf, attributes, origin } of checks) {
    const name = leaf.source.kind === 'input' ? leaf.source.name : ''
    try {
      checkPlaces(inputOf(leaf), attributes, name)
    } catch (error) {
      throw error instanceof IndexError ? placed(error.message, origin) : error
    }
  }
}

function placed(message: string, origin: GraphNode['origin']): IndexError {
  const place = describeOrigin(origin)
  return new IndexError(`${message}${place && `\n  in ${place}`}`)
}

const complaints = /out of data bounds|Out of range value in index tensor/

/** The runtime's complaint about an index that was computed, in our words; undefined if it is about something else. */
export function indexComplaint(message: string, node: GraphNode): IndexError | undefined {
  const { axis } = node.attributes as { readonly axis?: number }
  const [source] = node.inputs
  if (!complaints.test(message) || axis === undefined || !source) return undefined
  const size = source.shape[axis] ?? 1
  const index = { subject: `${node.op.name}: index`, size, except: null, refuses: true, certain: false }
  // What was below 0 has become `size`.
  const value = /idx=(-?\d+)/.exec(message)?.[1]
  const found = value === undefined || Number(value) === size ? 'another' : value
  return placed(placesMessage(index, `${found} among those that the function computes`), node.origin)
}
