/** Cuts a graph at its sums over processes, into stages that run one after the other. */
import { leavesOf, rebuild, rewrite, topologicalNodes } from '../autodiff/graph.ts'
import { opOf } from '../ops/define.ts'
import { sumOverRanksOp } from '../ops/ranks.ts'
import { type Feed, type GraphNode, Tensor } from '../tensor/tensor.ts'

/** A sum over the processes. */
export interface Sum {
  /** What this process adds: a leaf, or something that the stage gives. */
  readonly own: Tensor
  /** Stands for the sum in later stages. */
  readonly leaf: Tensor
}

/** One piece of a graph. */
export interface StageGraph {
  readonly roots: readonly Tensor[]
  /** Leaves of later stages that stand for the roots. */
  readonly given: readonly Tensor[]
  /** What is summed after the stage, in the same order on all processes. */
  readonly sums: readonly Sum[]
}

/** A graph in pieces. */
export interface CutGraph {
  /** Each followed by sums. */
  readonly stages: readonly StageGraph[]
  /** What comes after the last sum: the roots of the whole graph. */
  readonly roots: readonly Tensor[]
  /** Feeds with the leaves that stand for them in the stages: each is drawn once for all. */
  readonly feeds: readonly { readonly feed: Feed; readonly leaf: Tensor }[]
}

const isSum = (node: GraphNode): boolean => opOf(node) === sumOverRanksOp
const numberOf = (node: GraphNode): number => (node.attributes as { readonly number: number }).number
const producer = ({ source }: Tensor): GraphNode | undefined => (source.kind === 'node' ? source.node : undefined)

/** The stage that computes each node, and the last stage. */
interface Places {
  readonly stageOf: ReadonlyMap<GraphNode, number>
  readonly last: number
}

/**
 * A node belongs to the first stage in which its inputs are there. What depends on no argument (moments of an optimizer times
 * their decays) is computed where it is first used: it would have to be carried there.
 */
function placeNodes(roots: readonly Tensor[]): Places {
  const nodes = topologicalNodes(roots)
  const stageOf = new Map<GraphNode, number>()
  const free = new Set<GraphNode>()
  const readyAt = (tensor: Tensor): number => {
    const node = producer(tensor)
    return node ? (stageOf.get(node) ?? 0) + Number(isSum(node)) : 0
  }
  const isFree = (tensor: Tensor): boolean => {
    const node = producer(tensor)
    return node ? free.has(node) : tensor.source.kind !== 'input'
  }
  for (const node of nodes) {
    stageOf.set(node, Math.max(0, ...node.inputs.map(readyAt)))
    if (!isSum(node) && node.inputs.every(isFree)) free.add(node)
  }
  const last = Math.max(0, ...roots.map(readyAt))
  const firstUse = new Map<GraphNode, number>()
  const use = (tensor: Tensor, stage: number): void => {
    const node = producer(tensor)
    if (node) firstUse.set(node, Math.min(stage, firstUse.get(node) ?? last))
  }
  for (const root of roots) use(root, last)
  for (const node of nodes.toReversed()) {
    if (free.has(node)) stageOf.set(node, firstUse.get(node) ?? last)
    for (const input of node.inputs) use(input, stageOf.get(node) ?? 0)
  }
  return { stageOf, last }
}

/** Cuts the graph of the roots. Without sums there are no stages before the last. */
export function cutAtSums(roots: readonly Tensor[]): CutGraph {
  const { stageOf, last } = placeNodes(roots)
  const nodes = topologicalNodes(roots)
  const stageAt = (node: GraphNode): number => stageOf.get(node) ?? 0
  const leaves = new Map<Tensor, Tensor>()
  const leafFor = (tensor: Tensor): Tensor => {
    const known = leaves.get(tensor)
    if (known) return known
    const leaf = new Tensor(tensor.dtype, tensor.shape, { kind: 'input', name: 'a value of an earlier stage' })
    leaves.set(tensor, leaf)
    return leaf
  }
  const withoutFeed = (tensor: Tensor): Tensor => (tensor.source.kind === 'feed' ? leafFor(tensor) : tensor)
  const ownOf = (tensor: Tensor): Tensor => (tensor.source.kind === 'node' ? leafFor(tensor) : withoutFeed(tensor))

  /** The same tensors from leaves instead of what other stages compute. */
  const within = (stage: number, tensors: readonly Tensor[]): Tensor[] => {
    const rewritten = rewrite(tensors, (node, inputs) => {
      if (isSum(node) || stageAt(node) < stage) return node.outputs.map(leafFor)
      const own = inputs.map(withoutFeed)
      return own.some((input, i) => input !== node.inputs[i]) ? rebuild(node, own) : undefined
    })
    return rewritten.map(withoutFeed)
  }
  /** What a stage computes for its sums and for later stages. */
  const carriedFrom = (stage: number): Tensor[] => {
    const carried = new Set<Tensor>()
    const need = (tensor: Tensor, at: number): void => {
      const node = producer(tensor)
      if (node && !isSum(node) && stageAt(node) === stage && at > stage) carried.add(tensor)
    }
    for (const node of nodes) for (const input of node.inputs) need(input, stageAt(node) + Number(isSum(node)))
    for (const root of roots) need(root, last)
    return [...carried]
  }
  const sums = nodes.filter(isSum).sort((a, b) => numberOf(a) - numberOf(b))
  const stages = Array.from({ length: last }, (_, stage): StageGraph => {
    const carried = carriedFrom(stage)
    return {
      roots: within(stage, carried),
      given: carried.map(leafFor),
      sums: sums
        .filter((node) => stageAt(node) === stage)
        .flatMap(({ inputs: [own], outputs: [sum] }) => (own && sum ? [{ own: ownOf(own), leaf: leafFor(sum) }] : [])),
    }
  })
  const feeds = leavesOf(roots).flatMap((leaf) =>
    leaf.source.kind === 'feed' ? [{ feed: leaf.source.feed, leaf: leafFor(leaf) }] : [],
  )
  return { stages, roots: within(last, roots), feeds }
}
