/** Elements that stand several times in a row. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { apply, defineOp, type Emitter, emitConstants, inputAt } from '../define.ts'

interface RepeatAttributes {
  /** How often each element stands in a row, by axis after batch and channel. */
  readonly factors: readonly number[]
}

/** Writes it as Concat, which takes a fifth of Gather's time. */
export function emitRepeated(emit: Emitter, name: string, shape: Shape, factors: readonly number[]): string {
  const sizes = [...shape]
  return factors.reduce((value, factor, i) => {
    const [before, after] = [sizes.slice(0, i + 3), sizes.slice(i + 3)]
    const single = emit.node('Reshape', [value, emit.ints([...before, 1, ...after])])
    const repeated = emit.node('Concat', new Array<string>(factor).fill(single), { axis: i + 3 })
    sizes[i + 2] = sizeOf(shape, i + 2) * factor
    return emit.node('Reshape', [repeated, emit.ints(sizes)])
  }, name)
}

/** A primitive because a convolution of its result is faster on its input (docs/decisions/065-enlarged-convolution.md). */
export const repeatElementsOp = defineOp<RepeatAttributes>({
  name: 'repeatElements',
  keepsValues: true,
  infer: (inputs, { factors }) => {
    const x = inputAt('repeatElements', inputs, 0)
    if (x.shape.length !== factors.length + 2)
      throw new ShapeError(
        `repeatElements: there must be a factor for each axis after [N, C], found ${formatShape(factors)} for ${formatShape(x.shape)}`,
      )
    return [{ dtype: x.dtype, shape: x.shape.map((size, i) => (i < 2 ? size : size * sizeOf(factors, i - 2))) }]
  },
  // One sum over all axes: one for each would take four times as long.
  gradient: (o, { inputs, attributes: { factors } }, [g]) => {
    const { shape } = inputAt('repeatElements', inputs, 0)
    const split = [...shape.slice(0, 2), ...factors.flatMap((factor, i) => [sizeOf(shape, i + 2), factor])]
    const axes = factors.map((_, i) => 2 * i + 3)
    return [g && o.sum(o.reshape(g, split), axes)]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { factors } }) => {
    const { shape } = inputAt('repeatElements', inputTypes, 0)
    if (elementCount(shape) === 0) return emitConstants(emit, outputTypes)
    return emitRepeated(emit, inputAt('repeatElements', inputs, 0), shape, factors)
  },
  samples: () => [
    { inputs: [[2, 3, 2]], call: (x) => repeatElements(x, [3]) },
    { inputs: [[1, 2, 3, 2]], call: (x) => repeatElements(x, [2, 1]) },
    { inputs: [{ shape: [1, 2, 2, 2, 3], dtype: 'int64' }], call: (x) => repeatElements(x, [1, 2, 2]) },
  ],
  errors: () => [{ inputs: [[2, 3, 4]], call: (x) => repeatElements(x, [2, 2]) }],
})

/** Every element of the axes after batch and channel `factors[i]` times in a row. x [N, C, ...]. */
export function repeatElements(x: Tensor, factors: readonly number[]): Tensor {
  return apply(repeatElementsOp, [x], { factors })
}

/** A tensor whose elements are those of x, each several times in a row. */
export interface Repetition extends RepeatAttributes {
  readonly x: Tensor
}

/** What a tensor repeats the elements of, if it does. */
export function repetitionOf({ source }: Tensor): Repetition | undefined {
  if (source.kind !== 'node' || source.node.op !== repeatElementsOp) return undefined
  const { inputs, attributes } = source.node
  return { x: inputAt('repeatElements', inputs, 0), factors: (attributes as { factors: readonly number[] }).factors }
}
