/** Complex numbers: a pair of float32 tensors. */
import { formatShape, sameShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { fullLike, zerosLike } from '../creation.ts'
import { checked, isTensorLike, type Operand, requireDType, toTensor } from '../define.ts'
import { sqrtOrZero } from '../elementwise/arithmetic.ts'
import { add, mul, sub } from '../elementwise/binary.ts'
import { atan2 } from '../elementwise/special.ts'

/**
 * A complex tensor: its real and its imaginary part, of one shape. PyTorch's `view_as_real` is `stack([real, imag], -1)`. There is no
 * complex dtype, in ONNX's kernels neither; two tensors, so that a part that nothing reads is not computed.
 */
export interface Complex {
  readonly real: Tensor
  readonly imag: Tensor
}

/** What stands for a complex tensor: a pair, one of whose parts may be a number, or a tensor or number without an imaginary part. */
export type ComplexOperand = Operand | { readonly real: Operand; readonly imag: Operand }

function isPair(x: ComplexOperand): x is { readonly real: Operand; readonly imag: Operand } {
  return typeof x === 'object' && x !== null && !isTensorLike(x) && 'real' in x && 'imag' in x
}

function part(op: string, argument: string, x: Operand): Tensor {
  const tensor = toTensor(op, x)
  requireDType(op, argument, tensor, ['float32'])
  return tensor
}

/** The parts of an operand; `imag` is undefined for one that is real. */
export interface Parts {
  readonly real: Tensor
  readonly imag: Tensor | undefined
}

/** The parts of an operand, float32 and of one shape. */
export function partsOf(op: string, x: ComplexOperand): Parts {
  return checked(() => {
    if (!isPair(x)) return { real: part(op, 'x', x), imag: undefined }
    // A number stands for all elements of the other part.
    const known = isTensorLike(x.real) ? x.real : x.imag
    const filled = (argument: string, given: Operand): Tensor =>
      typeof given === 'number' && isTensorLike(known) ? fullLike(known, given) : part(op, argument, given)
    const [real, imag] = [filled('real', x.real), filled('imag', x.imag)]
    if (!sameShape(real.shape, imag.shape)) {
      throw new ShapeError(
        `${op}: real and imag must have one shape, found ${formatShape(real.shape)} and ${formatShape(imag.shape)}`,
      )
    }
    return { real, imag }
  })
}

function toComplex(op: string, x: ComplexOperand): Complex {
  const { real, imag } = partsOf(op, x)
  return { real, imag: imag ?? zerosLike(real) }
}

/** The product of two complex tensors, which broadcast. */
export function complexMul(a: ComplexOperand, b: ComplexOperand): Complex {
  const [x, y] = [toComplex('complexMul', a), toComplex('complexMul', b)]
  return {
    real: sub(mul(x.real, y.real), mul(x.imag, y.imag)),
    imag: add(mul(x.real, y.imag), mul(x.imag, y.real)),
  }
}

/** sqrt(real^2 + imag^2), with gradient 0 where both are 0, as PyTorch's. */
export function complexAbs(x: ComplexOperand): Tensor {
  return sqrtOrZero(squaredMagnitude(partsOf('complexAbs', x)))
}

/** The angle atan2(imag, real), from -pi to pi. */
export function complexAngle(x: ComplexOperand): Tensor {
  const { real, imag } = toComplex('complexAngle', x)
  return atan2(imag, real)
}

/** real^2 + imag^2. */
export function squaredMagnitude({ real, imag }: Parts): Tensor {
  return imag ? add(mul(real, real), mul(imag, imag)) : mul(real, real)
}
