/** Affine and bilinear maps over the last axis. */
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { add } from './binary.ts'
import { checked, type Operand, toTensor } from './define.ts'
import { addmmWith, matmul, matmulWith } from './matmul.ts'
import { permute, reshape } from './movement.ts'

/** x W^T + b: x [..., in], weight [out, in], bias [out] (PyTorch's layout). */
export function linear(x: Operand, weight: Operand, bias?: Operand): Tensor {
  const [input, w] = [toTensor(x), toTensor(weight)]
  return checked(() => {
    if (w.rank !== 2 || input.rank === 0 || sizeOf(input.shape, -1) !== w.shape[1]) {
      throw new ShapeError(
        `linear: the input's last axis must be the weight's ${w.shape[1]} inputs, found input ${formatShape(input.shape)}, weight [out, in] = ${formatShape(w.shape)}`,
      )
    }
    const [outputs, inputs] = [sizeOf(w.shape, 0), sizeOf(w.shape, 1)]
    const leading = input.shape.slice(0, -1)
    // One product of two matrices: leading axes are folded, so that the weight's gradient is one product too.
    const rows = reshape(input, [elementCount(leading), inputs])
    const product =
      bias === undefined
        ? matmulWith(rows, w, { transposeB: true })
        : addmmWith(checkedBias('linear', bias, outputs), rows, w, { transposeB: true })
    return reshape(product, [...leading, outputs])
  })
}

function checkedBias(op: string, bias: Operand, outputs: number): Tensor {
  const b = toTensor(bias)
  if (!sameShape(b.shape, [outputs])) {
    throw new ShapeError(`${op}: the bias must have shape [${outputs}], found ${formatShape(b.shape)}`)
  }
  return b
}

/** y_k = a^T W_k b + bias_k: a [..., in1], b [..., in2], weight [out, in1, in2], bias [out]. */
export function bilinear(a: Operand, b: Operand, weight: Operand, bias?: Operand): Tensor {
  const [left, right, w] = [toTensor(a), toTensor(b), toTensor(weight)]
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
