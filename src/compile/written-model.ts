/** Models as programs are loaded from, and what depends on the sizes of dynamic axes in them. */
import type { NDArray } from '../tensor/dtype.ts'
import type { Shape } from '../tensor/shape.ts'
import type { GraphNode, Tensor } from '../tensor/tensor.ts'
import type { ResolvedPlaces } from './places.ts'

/** A graph as the bytes of an ONNX model. */
export interface WrittenModel {
  readonly bytes: Uint8Array
  readonly inputs: readonly Tensor[]
  /** Names of the outputs. */
  readonly outputs: readonly string[]
  /** Of the outputs. */
  readonly shapes: readonly Shape[]
  /** The tenfold node behind each ONNX node, by name. */
  readonly origins: ReadonlyMap<string, GraphNode>
  /** How many ONNX nodes there are. */
  readonly nodes: number
}

/** What depends on the sizes of a call's arguments in a program with dynamic axes. */
export interface Sizing {
  /** Throws a ShapeError where an op refuses the sizes. */
  at(inputOf: (leaf: Tensor) => NDArray): SizedCall
}

/** A program at the sizes of one call. */
export interface SizedCall extends Pick<ResolvedPlaces, 'checks' | 'computed'> {
  /** Inputs of the graph that are computed from the sizes. */
  readonly constants: ReadonlyMap<Tensor, NDArray>
  /** Shapes of random draws. */
  readonly feeds: ReadonlyMap<Tensor, Shape>
  readonly results: readonly Shape[]
  /** Of the graph's outputs. */
  readonly shapes: readonly Shape[]
}
