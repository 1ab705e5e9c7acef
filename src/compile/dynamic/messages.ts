/** What is said of functions that are no graph for all sizes. */
import { describeOrigin } from '../../tensor/origin.ts'
import type { GraphNode } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'

/** Who asks, for messages, and the names of the dynamic axes. */
export interface Asker {
  readonly owner: string
  readonly names: readonly string[]
}

/** `the size of "length"`, or of several. */
function namesOf({ names }: Asker): string {
  return `the size of ${names.map((name) => `"${name}"`).join(' or ')}`
}

/** `add in Mixer.fc1 (model.ts:12)`. */
export function placeOf({ op, origin }: GraphNode): string {
  const place = describeOrigin(origin)
  return place === '' ? op.name : `${op.name} in ${place}`
}

const hint = 'compute it with ops from ops.arange(size) and the like, or leave the axis fixed'
const structureHint =
  'a loop over the axis, or a choice by its size, is another graph for each size: leave the axis fixed'

/** `length 5, past 3`. */
export function describeSizes(names: readonly string[], sizes: readonly number[]): string {
  return names.map((name, i) => `${name} ${sizes[i]}`).join(', ')
}

/** A graph that is not the same for all sizes. */
export class StructureError extends UsageError {}

/** Something in the graph depends on the sizes in a way that is not understood. */
export function notUnderstood(asker: Asker, what: string): StructureError {
  return new StructureError(`${asker.owner}: ${what} depends on ${namesOf(asker)} in a way that is not understood`, {
    hint,
  })
}

/** What the function returns beside tensors is the same at all sizes. */
export function plainBySize(asker: Asker, path: string): StructureError {
  return new StructureError(`${asker.owner}: ${path} is no tensor, and depends on ${namesOf(asker)}`, {
    hint: 'one program serves all sizes: take such values from the shapes of arguments or results',
  })
}

function dependsOnSizes(asker: Asker, where: string, cause?: unknown): StructureError {
  return new StructureError(`${asker.owner}: the graph depends on ${namesOf(asker)}${where}`, {
    hint: structureHint,
    ...(cause !== undefined && { cause }),
  })
}

/** The function calls other ops at these sizes. */
export function choiceBySize(asker: Asker, sizes: readonly number[], node: GraphNode): StructureError {
  return dependsOnSizes(asker, `: at ${describeSizes(asker.names, sizes)}, ${placeOf(node)}`)
}

/** Ops of the graph refuse sizes that the function itself takes. */
export function refusedSizes(asker: Asker, sizes: readonly number[], error: unknown): StructureError {
  const reason = error instanceof Error ? error.message : String(error)
  return dependsOnSizes(asker, `: at ${describeSizes(asker.names, sizes)}, ${reason}`, error)
}

/** The graphs themselves differ. */
export function otherGraph(asker: Asker, nodes: readonly (GraphNode | undefined)[]): StructureError {
  const texts = [...new Set(nodes.flatMap((node) => (node ? [placeOf(node)] : [])))]
  return dependsOnSizes(asker, texts.length > 0 ? `: ${texts.join(', ')}` : '')
}
