/** One ONNX graph for all sizes, from those that a graph was written as at several. */
import type { GraphNode } from '../../tensor/tensor.ts'
import type { EmittedConstant, EmittedGraph } from '../onnx.ts'
import { attributeBytes, type OnnxAttributeValue, type OnnxNode } from '../onnx-file.ts'
import { fitArray, type SizedArray } from './arrays.ts'
import { type Asker, notUnderstood, otherGraph, placeOf } from './messages.ts'
import type { SizeTable } from './sizes.ts'

/** A constant of the first graph that depends on the sizes. */
export interface SizedConstant {
  readonly constant: EmittedConstant
  readonly array: SizedArray
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]))
}

function sameAttribute(a: OnnxAttributeValue, b: OnnxAttributeValue | undefined): boolean {
  return b !== undefined && sameList([...attributeBytes(a)], [...attributeBytes(b)])
}

function sameNode(a: OnnxNode, b: OnnxNode | undefined): boolean {
  return (
    b !== undefined &&
    a.opType === b.opType &&
    a.domain === b.domain &&
    sameList(a.input, b.input) &&
    sameList(a.output, b.output) &&
    a.attribute.length === b.attribute.length &&
    a.attribute.every((attribute, i) => sameAttribute(attribute, b.attribute[i]))
  )
}

/** The node of the function behind the first ONNX node that takes a value. */
function userOf(graph: EmittedGraph, name: string): GraphNode | undefined {
  return graph.origins.get(graph.nodes.find(({ input }) => input.includes(name))?.name ?? '')
}

/**
 * Compares graphs written at the points of the table. Returns the constants that depend on the sizes; throws a UsageError that names the
 * op where anything else does.
 */
export function compareModels(asker: Asker, table: SizeTable, graphs: readonly EmittedGraph[]): SizedConstant[] {
  const [head] = graphs
  if (!head) return []
  for (const graph of graphs) {
    const i = head.nodes.findIndex((node, j) => !sameNode(node, graph.nodes[j]))
    if (i >= 0) {
      const originOf = ({ origins, nodes }: EmittedGraph): GraphNode | undefined => origins.get(nodes[i]?.name ?? '')
      throw otherGraph(asker, [originOf(head), originOf(graph)])
    }
    if (graph.nodes.length !== head.nodes.length || graph.constants.length !== head.constants.length)
      throw otherGraph(asker, [])
  }
  return head.constants.flatMap((constant, i) => {
    const row = graphs.flatMap(({ constants }) => constants[i] ?? [])
    const isFixed = row.every(
      ({ data, shape }) =>
        data === constant.data || (sameList(shape, constant.shape) && sameList(dataOf(data), dataOf(constant.data))),
    )
    if (isFixed) return []
    const array = fitArray(table, row)
    const user = userOf(head, constant.name)
    if (!array) throw notUnderstood(asker, `a constant${user ? ` of ${placeOf(user)}` : ''}`)
    return [{ constant, array }]
  })
}

/** Any typed array as a list. */
function dataOf(data: EmittedConstant['data']): readonly (number | bigint)[] {
  return data as unknown as readonly (number | bigint)[]
}
