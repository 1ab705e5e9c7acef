/** Affine and bilinear maps over the last axis. */

import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, normalizeAxis, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { checked, type Operand, toTensor } from '../define.ts'
import { add } from '../elementwise/binary.ts'
import { permute, reshape } from '../movement/movement.ts'
import { addmmWith, matmul, matmulWith } from './matmul.ts'

export interface LinearOptions {
  /** The axis that is mapped. Default: -1. */
  readonly axis?: number
}

/** x W^T + b: x [..., in], weight [out, in], bias [out] (PyTorch's layout); or the same map of another axis of x. */
export function linear(x: Operand, weight: Operand, bias?: Operand, options?: LinearOptions): Tensor {
  const [input, w] = [toTensor('linear', x), toTensor('linear', weight)]
  return checked(() => {
    const axis =
      input.rank === 0
        ? 0
        : normalizeAxis('linear', optionsOf('linear', options, { axis: true }).axis ?? -1, input.rank)
    if (w.rank !== 2) throw new ShapeError(`linear: the weight must be [out, in], found ${formatShape(w.shape)}`)
    if (input.rank === 0 || sizeOf(input.shape, axis) !== w.shape[1]) {
      const name = axis === input.rank - 1 || input.rank === 0 ? 'last axis' : `axis ${axis}`
      throw new ShapeError(
        `linear: the input's ${name} must be the weight's ${w.shape[1]} inputs, found input ${formatShape(input.shape)}, weight [out, in] = ${formatShape(w.shape)}`,
      )
    }
    const b = bias === undefined ? undefined : checkedBias('linear', bias, sizeOf(w.shape, 0))
    return axis === input.rank - 1 ? mapLastAxis(input, w, b) : mapInnerAxis(input, w, b, axis)
  })
}

/** One product of two matrices: leading axes are folded, so that the weight's gradient is one product too. */
function mapLastAxis(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  const [outputs, inputs] = [sizeOf(weight.shape, 0), sizeOf(weight.shape, 1)]
  const leading = x.shape.slice(0, -1)
  const rows = reshape(x, [elementCount(leading), inputs])
  const product =
    bias === undefined
      ? matmulWith(rows, weight, { transposeB: true })
      : addmmWith(bias, rows, weight, { transposeB: true })
  return reshape(product, [...leading, outputs])
}

/** The weight from the left, so that no activation is transposed, forward or backward (docs/decisions/001). */
function mapInnerAxis(x: Tensor, weight: Tensor, bias: Tensor | undefined, axis: number): Tensor {
  const [leading, trailing] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)]
  const columns = reshape(x, [elementCount(leading), sizeOf(x.shape, axis), elementCount(trailing)])
  const product = matmul(weight, columns)
  const y = bias === undefined ? product : add(product, reshape(bias, [bias.size, 1]))
  return reshape(y, [...leading, sizeOf(weight.shape, 0), ...trailing])
}

function checkedBias(op: string, bias: Operand, outputs: number): Tensor {
  const b = toTensor(op, bias)
  if (!sameShape(b.shape, [outputs])) {
    throw new ShapeError(`${op}: the bias must have shape [${outputs}], found ${formatShape(b.shape)}`)
  }
  return b
}

/** y_k = a^T W_k b + bias_k: a [..., in1], b [..., in2], weight [out, in1, in2], bias [out]. */
export function bilinear(a: Operand, b: Operand, weight: Operand, bias?: Operand): Tensor {
  const [left, right, w] = [toTensor('bilinear', a), toTensor('bilinear', b), toTensor('bilinear', weight)]
  return checked(() => {
    const leading = left.shape.slice(0, -1)
    const fits =
      w.rank === 3 &&
      left.rank > 0 &&
      sameShape(right.shape.slice(0, -1), leading) &&
      left.shape.at(-1) === w.shape[1] &&
      right.shape.at(-1) === w.shape[2]
    if (!fits) {
      throw new ShapeError(
        `bilinear: needs a [..., in1], b [..., in2] and weight [out, in1, in2], found ${[left, right, w].map((t) => formatShape(t.shape)).join(', ')}`,
      )
    }
    const [outputs, in1, in2] = [sizeOf(w.shape, 0), sizeOf(w.shape, 1), sizeOf(w.shape, 2)]
    const byInput = reshape(permute(w, [1, 0, 2]), [in1, outputs * in2]) // [in1, out in2]
    const applied = reshape(matmul(left, byInput), [...leading, outputs, in2]) // [..., out, in2]
    const y = reshape(matmul(applied, reshape(right, [...leading, in2, 1])), [...leading, outputs])
    return bias === undefined ? y : add(y, checkedBias('bilinear', bias, outputs))
  })
}
