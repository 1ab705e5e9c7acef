/** PyTorch's elementwise functions, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import { isFloat } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  choiceSetting,
  inputOf,
  numberSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  operandOf,
  optionalNumber,
} from '../target.ts'
import { asFloat, castTo, isWhole, type NumberOrTensor, ofBooleans, promoted, widest } from './promotion.ts'

function unary(f: (x: Tensor) => Tensor): OpTarget {
  return (call) => f(inputOf(call, 'input'))
}

/** A function that is one of real numbers: whole ones are taken as such. */
function real(f: (x: Tensor) => Tensor): OpTarget {
  return (call) => f(ops.cast(inputOf(call, 'input'), 'float32'))
}

/** A function that leaves whole numbers as they are. */
function rounding(f: (x: Tensor) => Tensor): OpTarget {
  return unary((x) => (isFloat(x.dtype) ? f(x) : x))
}

/** A function of `input` and `other`, either of which may be a number. */
function binary(f: (a: ops.Operand, b: ops.Operand) => Tensor): OpTarget {
  return (call) => f(...promoted(operandOf(call, 'input'), operandOf(call, 'other')))
}

/** A function of two real numbers: whole ones are taken as such. */
function realBinary(f: (a: ops.Operand, b: ops.Operand) => Tensor): OpTarget {
  return binary((a, b) => f(asFloat(a), asFloat(b)))
}

/** Booleans are stored as uint8, and logical functions take numbers too: anything but 0 is true. */
function logical(f: (a: ops.Operand, b: ops.Operand) => Tensor): OpTarget {
  return binary((a, b) => f(ops.cast(a, 'bool'), ops.cast(b, 'bool')))
}

/** A sum or difference of one operand and `alpha` times the other. */
function scaled(f: (a: ops.Operand, b: ops.Operand) => Tensor, first: string, second: string): OpTarget {
  return (call) => {
    const alpha = numberSetting(call.settings, 'alpha', 1)
    const [a, b] = promoted(operandOf(call, first), operandOf(call, second))
    return ofBooleans((x, y) => f(x, alpha === 1 ? y : ops.mul(y, alpha)))(a, b)
  }
}

/** Division: of whole numbers too it gives fractions, unless rounded. */
function divide(call: OpCall): Tensor {
  const [a, b] = promoted(operandOf(call, 'input'), operandOf(call, 'other'))
  if ((call.settings.rounding_mode ?? null) === null) return ops.div(asFloat(a), asFloat(b))
  const mode = choiceSetting(call.settings, 'rounding_mode', ['floor', 'trunc'])
  if (mode === 'floor') return ops.floorDivide(a, b)
  const quotient = ops.div(a, b)
  return isFloat(quotient.dtype) ? ops.trunc(quotient) : quotient
}

/** The first operand; a number is called `self` or `input`. */
function firstOf(call: OpCall): NumberOrTensor {
  return (
    call.inputs.input ?? call.inputs.self ?? numberSetting(call.settings, 'self' in call.settings ? 'self' : 'input')
  )
}

/** Bits of the largest exponent that is told from others. */
const exponentBits = 31

/** Powers of whole numbers, exact: products of those squares whose bit the exponent has. Of negative exponents only 1 and -1 have whole ones. */
function wholePower(base: NumberOrTensor, exponent: NumberOrTensor): Tensor {
  if (typeof exponent === 'number' && typeof base !== 'number')
    return new Array<Tensor>(exponent).fill(base).reduce<Tensor>(ops.mul, ops.onesLike(base))
  const [b, e] = [ops.cast(base, 'int64'), ops.cast(exponent, 'int64')]
  let result = ops.onesLike(ops.add(b, e))
  let square: Tensor = b
  for (let bit = 0; bit < exponentBits; bit++) {
    const isSet = ops.notEqual(ops.bitwiseAnd(e, 2 ** bit), 0)
    result = ops.mul(result, ops.where(isSet, square, 1))
    square = ops.mul(square, square)
  }
  return ops.where(ops.logicalOr(ops.greaterOrEqual(e, 0), ops.equal(ops.abs(b), 1)), result, 0)
}

/** Of whole numbers to whole powers it is whole, too. */
function power(call: OpCall): Tensor {
  const base = firstOf(call)
  const exponent = operandOf(call, 'exponent')
  const isProduct = isWhole(base) && isWhole(exponent) && !(typeof exponent === 'number' && exponent < 0)
  return isProduct ? wholePower(base, exponent) : ops.pow(asFloat(base), asFloat(exponent))
}

function clamp(call: OpCall): Tensor {
  const bound = (name: string): NumberOrTensor | undefined => call.inputs[name] ?? optionalNumber(call.settings, name)
  const [input, min, max] = [inputOf(call, 'input'), bound('min'), bound('max')]
  const dtype = widest([input, ...[min, max].filter((x) => x !== undefined)])
  const wide = (x: NumberOrTensor | undefined): NumberOrTensor | undefined =>
    x === undefined ? undefined : castTo(x, dtype)
  return ops.clamp(castTo(input, dtype), wide(min), wide(max))
}

function nanToNum(call: OpCall): Tensor {
  const options = Object.entries({ nan: 'nan', positiveInfinity: 'posinf', negativeInfinity: 'neginf' }).flatMap(
    ([option, name]) => {
      const value = optionalNumber(call.settings, name)
      return value === undefined ? [] : [[option, value] as const]
    },
  )
  const input = inputOf(call, 'input')
  return isFloat(input.dtype) ? ops.nanToNum(input, Object.fromEntries(options)) : input
}

function lerp(call: OpCall): Tensor {
  return ops.lerp(inputOf(call, 'input'), inputOf(call, 'end'), operandOf(call, 'weight'))
}

type Product = (x: ops.Operand, a: ops.Operand, b: ops.Operand, options: { readonly value: number }) => Tensor

function addProduct(f: Product): OpTarget {
  return (call) =>
    f(inputOf(call, 'input'), operandOf(call, 'tensor1'), operandOf(call, 'tensor2'), {
      value: numberSetting(call.settings, 'value', 1),
    })
}

export const targets: OpTargets = {
  'torch.abs': unary(ops.abs),
  'torch.neg': unary(ops.neg),
  'torch.exp': real(ops.exp),
  'torch.exp2': real(ops.exp2),
  'torch.expm1': real(ops.expm1),
  'torch.log': real(ops.log),
  'torch.log2': real(ops.log2),
  'torch.log10': real(ops.log10),
  'torch.log1p': real(ops.log1p),
  'torch.sqrt': real(ops.sqrt),
  'torch.rsqrt': real(ops.rsqrt),
  'torch.square': unary(ops.square),
  'torch.reciprocal': real(ops.reciprocal),
  'torch.sin': real(ops.sin),
  'torch.cos': real(ops.cos),
  'torch.tan': real(ops.tan),
  'torch.asin': real(ops.asin),
  'torch.acos': real(ops.acos),
  'torch.atan': real(ops.atan),
  'torch.sinh': real(ops.sinh),
  'torch.cosh': real(ops.cosh),
  'torch.tanh': real(ops.tanh),
  'torch.asinh': real(ops.asinh),
  'torch.acosh': real(ops.acosh),
  'torch.atanh': real(ops.atanh),
  'torch.erf': real(ops.erf),
  'torch.erfc': real(ops.erfc),
  'torch.erfinv': real(ops.erfinv),
  'torch.sigmoid': real(ops.sigmoid),
  'torch.sinc': real(ops.sinc),
  'torch.sign': unary(ops.sign),
  'torch.floor': rounding(ops.floor),
  'torch.ceil': rounding(ops.ceil),
  'torch.trunc': rounding(ops.trunc),
  'torch.frac': unary(ops.frac),
  'torch.lgamma': real(ops.lgamma),
  'torch.digamma': real(ops.digamma),
  'torch.deg2rad': real((x) => ops.mul(x, Math.PI / 180)),
  'torch.rad2deg': real((x) => ops.mul(x, 180 / Math.PI)),
  'torch.positive': unary((x) => x),
  'torch.isnan': real(ops.isNan),
  'torch.isinf': real(ops.isInf),
  'torch.isfinite': unary(ops.isFinite),
  'torch.logical_not': unary((x) => ops.logicalNot(ops.cast(x, 'bool'))),
  'torch.round': (call) => {
    const decimals = numberSetting(call.settings, 'decimals', 0)
    return rounding((x) => ops.round(x, { decimals }))(call)
  },
  'torch.logit': (call) => {
    const eps = optionalNumber(call.settings, 'eps')
    return ops.logit(inputOf(call, 'input'), eps === undefined ? {} : { eps })
  },
  'torch.clamp': clamp,
  'torch.nan_to_num': nanToNum,
  'torch.pow': power,
  'torch.add': scaled(ops.add, 'input', 'other'),
  'torch.sub': scaled(ops.sub, 'input', 'other'),
  'torch.rsub': scaled(ops.sub, 'other', 'input'),
  'torch.mul': binary(ofBooleans(ops.mul)),
  'torch.div': divide,
  'torch.floor_divide': binary(ops.floorDivide),
  'torch.fmod': binary(ops.fmod),
  'torch.remainder': binary(ops.remainder),
  'torch.maximum': binary(ofBooleans(ops.maximum)),
  'torch.minimum': binary(ofBooleans(ops.minimum)),
  'torch.atan2': realBinary(ops.atan2),
  'torch.hypot': realBinary(ops.hypot),
  'torch.logaddexp': realBinary(ops.logAddExp),
  'torch.logaddexp2': realBinary(ops.logAddExp2),
  'torch.xlogy': (call) => ops.xlogy(asFloat(firstOf(call)), asFloat(operandOf(call, 'other'))),
  'torch.lerp': lerp,
  'torch.lerp.scalar': lerp,
  'torch.addcmul': addProduct(ops.addcmul),
  'torch.addcdiv': addProduct(ops.addcdiv),
  'torch.where': (call) => {
    const [a, b] = promoted(operandOf(call, 'input'), operandOf(call, 'other'))
    return ops.where(ops.cast(inputOf(call, 'condition'), 'bool'), a, b)
  },
  'torch.heaviside': (call) => ops.heaviside(inputOf(call, 'input'), operandOf(call, 'values')),
  'torch.bitwise_and': binary(ops.bitwiseAnd),
  'torch.bitwise_or': binary(ops.bitwiseOr),
  'torch.bitwise_xor': binary(ops.bitwiseXor),
  'torch.bitwise_not': unary(ops.bitwiseNot),
  'torch.bitwise_left_shift': binary(ops.bitwiseLeftShift),
  'torch.bitwise_right_shift': binary(ops.bitwiseRightShift),
  'torch.eq': binary(ops.equal),
  'torch.ne': binary(ops.notEqual),
  'torch.lt': binary(ops.less),
  'torch.le': binary(ops.lessOrEqual),
  'torch.gt': binary(ops.greater),
  'torch.ge': binary(ops.greaterOrEqual),
  'torch.logical_and': logical(ops.logicalAnd),
  'torch.logical_or': logical(ops.logicalOr),
  'torch.logical_xor': logical(ops.logicalXor),
}
