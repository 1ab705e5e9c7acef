/** Operators on single elements. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { dtypeOf } from '../elements.ts'
import type { OnnxNode } from '../node.ts'
import { isKnown, simplest } from '../values.ts'
import type { Operators } from './types.ts'

const unary =
  (compute: (x: Tensor) => Tensor) =>
  (node: OnnxNode): Tensor =>
    compute(node.tensor(0))

const binary =
  (compute: (a: Tensor, b: Tensor) => Tensor) =>
  (node: OnnxNode): Tensor =>
    compute(node.tensor(0), node.tensor(1))

/** Bytes are computed as int32, and what does not fit into a byte wraps around. */
const arithmetic =
  (compute: (a: Tensor, b: Tensor) => Tensor) =>
  (node: OnnxNode): Tensor =>
    onNumbers(compute)(node.tensor(0), node.tensor(1))

function onNumbers(compute: (a: Tensor, b: Tensor) => Tensor): (a: Tensor, b: Tensor) => Tensor {
  return (a, b) => {
    if (a.dtype !== 'uint8') return compute(a, b)
    return ops.cast(ops.bitwiseAnd(compute(ops.cast(a, 'int32'), ops.cast(b, 'int32')), 255), 'uint8')
  }
}

const all =
  (compute: (a: Tensor, b: Tensor) => Tensor) =>
  (node: OnnxNode): Tensor =>
    node.tensors().reduce((a, b) => compute(a, b))

/** A bound of Clip as a number where it is known: its gradient is then cheaper. */
function bound(node: OnnxNode, i: number): number | Tensor | undefined {
  const value = node.inputs[i]
  const simple = value && simplest(value)
  if (isKnown(simple)) return simple.data[0]
  return node.optional(i)
}

function clip(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const [low, high] = [bound(node, 1), bound(node, 2)]
  const isNumber = (limit: unknown): limit is number | undefined => limit === undefined || typeof limit === 'number'
  if (isNumber(low) && isNumber(high) && (low ?? -Infinity) <= (high ?? Infinity)) return ops.clamp(x, low, high)
  const raised = low === undefined ? x : ops.maximum(x, low)
  return high === undefined ? raised : ops.minimum(raised, high)
}

function power(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const exponent = node.inputs[1] && simplest(node.inputs[1])
  if (isKnown(exponent) && exponent.data.length === 1 && exponent.shape.length <= x.rank && x.dtype === 'float32')
    return ops.pow(x, exponent.data[0] ?? 1)
  return ops.cast(ops.pow(ops.cast(x, 'float32'), ops.cast(node.tensor(1), 'float32')), x.dtype)
}

function modulo(node: OnnxNode): Tensor {
  return arithmetic(node.flag('fmod', false) ? ops.fmod : ops.remainder)(node)
}

function isInfinite(node: OnnxNode): Tensor {
  const [negative, positive] = [node.flag('detect_negative', true), node.flag('detect_positive', true)]
  const x = node.tensor(0)
  const above = ops.equal(x, Number.POSITIVE_INFINITY)
  const below = ops.equal(x, Number.NEGATIVE_INFINITY)
  if (positive && negative) return ops.isInf(x)
  if (positive) return above
  return negative ? below : ops.logicalAnd(above, below)
}

function prelu(node: OnnxNode): Tensor {
  const [x, slope] = [node.tensor(0), node.tensor(1)]
  return ops.where(ops.less(x, 0), ops.mul(x, slope), x)
}

function activation(compute: (x: Tensor, alpha: number) => Tensor, alpha: number) {
  return (node: OnnxNode): Tensor => compute(node.tensor(0), node.number('alpha', alpha))
}

function cast(node: OnnxNode): Tensor {
  node.ignore('saturate', 'round_mode')
  return ops.cast(node.tensor(0), dtypeOf(node.label, node.number('to', 1)))
}

function dropout(node: OnnxNode): Tensor {
  node.ignore('seed')
  if (node.inputs[2] && node.numbers(2)?.[0]) node.fail('dropout in training mode is not supported')
  if (node.wants(1)) node.fail('the mask of dropout is not supported')
  return node.tensor(0)
}

export const elementwise: Operators = {
  Add: arithmetic(ops.add),
  Sub: arithmetic(ops.sub),
  Mul: arithmetic(ops.mul),
  Div: arithmetic(ops.div),
  Pow: power,
  Mod: modulo,
  Max: all(onNumbers(ops.maximum)),
  Min: all(onNumbers(ops.minimum)),
  Sum: all(ops.add),
  Mean: (node) => ops.div(all(ops.add)(node), node.tensors().length),
  Equal: binary(ops.equal),
  Greater: binary(ops.greater),
  GreaterOrEqual: binary(ops.greaterOrEqual),
  Less: binary(ops.less),
  LessOrEqual: binary(ops.lessOrEqual),
  And: binary(ops.logicalAnd),
  Or: binary(ops.logicalOr),
  Xor: binary(ops.logicalXor),
  BitwiseAnd: binary(ops.bitwiseAnd),
  BitwiseOr: binary(ops.bitwiseOr),
  BitwiseXor: binary(ops.bitwiseXor),
  BitwiseNot: unary(ops.bitwiseNot),
  Not: unary(ops.logicalNot),
  Where: (node) => ops.where(node.tensor(0), node.tensor(1), node.tensor(2)),
  Identity: (node) => node.inputs[0] ?? node.tensor(0),
  Cast: cast,
  CastLike: (node) => {
    node.ignore('saturate', 'round_mode')
    return ops.cast(node.tensor(0), node.tensor(1).dtype)
  },
  Dropout: dropout,
  Clip: clip,
  Neg: unary(ops.neg),
  Abs: unary(ops.abs),
  Sign: unary(ops.sign),
  Floor: unary(ops.floor),
  Ceil: unary(ops.ceil),
  Round: unary(ops.round),
  Reciprocal: unary(ops.reciprocal),
  Sqrt: unary(ops.sqrt),
  Exp: unary(ops.exp),
  Log: unary(ops.log),
  Erf: unary(ops.erf),
  Sin: unary(ops.sin),
  Cos: unary(ops.cos),
  Tan: unary(ops.tan),
  Asin: unary(ops.asin),
  Acos: unary(ops.acos),
  Atan: unary(ops.atan),
  Sinh: unary(ops.sinh),
  Cosh: unary(ops.cosh),
  Tanh: unary(ops.tanh),
  Asinh: unary(ops.asinh),
  Acosh: unary(ops.acosh),
  Atanh: unary(ops.atanh),
  IsNaN: unary(ops.isNan),
  IsInf: isInfinite,
  Relu: unary(ops.relu),
  Sigmoid: unary(ops.sigmoid),
  Softplus: unary((x) => ops.softplus(x)),
  Softsign: unary(ops.softsign),
  Mish: unary(ops.mish),
  HardSwish: unary(ops.hardswish),
  Gelu: (node) =>
    ops.gelu(node.tensor(0), { approximate: node.text('approximate', 'none') === 'tanh' ? 'tanh' : 'none' }),
  Swish: activation((x, alpha) => ops.mul(x, ops.sigmoid(ops.mul(x, alpha))), 1),
  Elu: activation((x, alpha) => ops.elu(x, { alpha }), 1),
  Celu: activation((x, alpha) => ops.celu(x, { alpha }), 1),
  LeakyRelu: activation((x, alpha) => ops.where(ops.less(x, 0), ops.mul(x, alpha), x), 0.01),
  ThresholdedRelu: activation((x, alpha) => ops.where(ops.greater(x, alpha), x, 0), 1),
  HardSigmoid: (node) =>
    ops.hardsigmoid(node.tensor(0), { slope: node.number('alpha', 0.2), offset: node.number('beta', 0.5) }),
  Shrink: (node) => {
    const [x, bias, limit] = [node.tensor(0), node.number('bias', 0), node.number('lambd', 0.5)]
    const outside = ops.where(ops.greater(x, limit), ops.sub(x, bias), 0)
    return ops.where(ops.less(x, -limit), ops.add(x, bias), outside)
  },
  Selu: (node) => {
    const [x, alpha, gamma] = [node.tensor(0), node.number('alpha', 1.6732632), node.number('gamma', 1.050701)]
    return ops.mul(ops.elu(x, { alpha }), gamma)
  },
  PRelu: prelu,
}
