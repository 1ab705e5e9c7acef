/** Whether a function takes another way at some sizes: which calls of ops its own code makes. */
import { topologicalNodes } from '../../autodiff/graph.ts'
import { callSite, type Origin } from '../../tensor/origin.ts'
import type { GraphNode, Tensor } from '../../tensor/tensor.ts'
import { type Asker, choiceBySize } from './messages.ts'

/** A node of each place of the function's code that calls ops, a computing one if there is one. */
export type CallSites = ReadonlyMap<string, GraphNode>

// At some sizes these do nothing, and leave no node (a slice of everything, zeros that are none).
const moving: ReadonlySet<string> = new Set([
  ...[
    'reshape',
    'permute',
    'expand',
    'slice',
    'concat',
    'padConstant',
    'padReflect',
    'repeatElements',
    'split',
    'cast',
    'alias',
  ],
  ...['sum', 'indexSelect', 'segmentSum', 'gather', 'scatterAdd', 'within', 'withBackward', 'stopGradient', 'runAfter'],
])

export function callSitesOf(roots: readonly Tensor[]): CallSites {
  const known = new Map<Origin, string | undefined>()
  const sites = new Map<string, GraphNode>()
  for (const node of topologicalNodes(roots)) {
    if (!known.has(node.origin)) known.set(node.origin, callSite(node.origin))
    const site = known.get(node.origin)
    const other = site === undefined ? undefined : sites.get(site)
    if (site !== undefined && (!other || moving.has(other.op.name))) sites.set(site, node)
  }
  return sites
}

/**
 * Throws a UsageError where the function calls an op at these sizes that it does not call elsewhere, or leaves out one that computes something.
 * (By their sizes ops choose among forms of their own; their callers stay the same.) An axis of one element may make an op superfluous.
 */
export function verifyCallSites(
  asker: Asker,
  usual: CallSites,
  sizes: readonly number[],
  roots: readonly Tensor[],
): void {
  const found = callSitesOf(roots)
  const further = [...found].find(([site]) => !usual.has(site))
  const missing = sizes.includes(1)
    ? undefined
    : [...usual].find(([site, { op }]) => !found.has(site) && !moving.has(op.name))
  const [, node] = further ?? missing ?? []
  if (node) throw choiceBySize(asker, sizes, node)
}
