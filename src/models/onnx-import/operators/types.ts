/** How an operator is implemented. */
import type { OnnxNode } from '../node.ts'
import type { Value } from '../values.ts'

/** The outputs of a node, one or several, from its inputs and attributes. */
export type Operator = (node: OnnxNode) => Value | readonly Value[]

/** By ONNX's name. */
export type Operators = Readonly<Record<string, Operator>>
