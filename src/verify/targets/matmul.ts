/** PyTorch's matrix products, by the names of the reference entries. */
import * as ops from '../../ops/index.ts'
import { isFloat } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  inputList,
  inputOf,
  numberSetting,
  numbersSetting,
  type OpCall,
  type OpTarget,
  type OpTargets,
  stringSetting,
} from '../target.ts'

function product(f: (a: Tensor, b: Tensor) => Tensor, first: string, second: string): OpTarget {
  return (call) => f(inputOf(call, first), inputOf(call, second))
}

function factors({ settings }: OpCall): ops.AddmmOptions {
  return { alpha: numberSetting(settings, 'alpha', 1), beta: numberSetting(settings, 'beta', 1) }
}

/** beta input + alpha product; beta 0 leaves the input out, whatever is in it. */
function scaledSum(call: OpCall, product: Tensor): Tensor {
  const [{ alpha = 1, beta = 1 }, input] = [factors(call), inputOf(call, 'input')]
  const scaled = ops.mul(product, alpha)
  return beta === 0 ? scaled : ops.add(ops.mul(input, beta), scaled)
}

/** A sum of a matrix and a product; our ops for it are of float32 alone. */
function addedProduct(f: typeof ops.addmm, first: string, second: string): OpTarget {
  return (call) => {
    const [input, a, b] = [inputOf(call, 'input'), inputOf(call, first), inputOf(call, second)]
    return isFloat(input.dtype) ? f(input, a, b, factors(call)) : scaledSum(call, ops.matmul(a, b))
  }
}

/** A weight of one axis gives one number, without an axis. */
function linear(call: OpCall): Tensor {
  const [input, weight, { bias }] = [inputOf(call, 'input'), inputOf(call, 'weight'), call.inputs]
  if (weight.rank !== 1) return ops.linear(input, weight, bias)
  return bias ? ops.add(ops.matmul(input, weight), bias) : ops.matmul(input, weight)
}

/** `dims`: how many axes, or `dims_a` and `dims_b`: which. */
function contractedAxes({ settings }: OpCall): ops.ContractedAxes {
  if (settings.dims_a === undefined) return numberSetting(settings, 'dims', 2)
  return [numbersSetting(settings, 'dims_a'), numbersSetting(settings, 'dims_b')]
}

export const targets: OpTargets = {
  'torch.matmul': product(ops.matmul, 'input', 'other'),
  'torch.mm': product(ops.matmul, 'input', 'mat2'),
  'torch.inner': product((a, b) => ops.matmul(a, b.rank > 1 ? ops.transpose(b) : b), 'input', 'other'),
  'torch.vdot': product(ops.dot, 'input', 'other'),
  'torch.bmm': product(ops.bmm, 'input', 'mat2'),
  'torch.mv': product(ops.mv, 'input', 'vec'),
  'torch.outer': product(ops.outer, 'input', 'vec2'),
  'torch.dot': product(ops.dot, 'input', 'tensor'),
  'torch.kron': product(ops.kron, 'input', 'other'),
  'torch.addmm': addedProduct(ops.addmm, 'mat1', 'mat2'),
  'torch.baddbmm': addedProduct(ops.baddbmm, 'batch1', 'batch2'),
  'torch.addmv': (call) => scaledSum(call, ops.mv(inputOf(call, 'mat'), inputOf(call, 'vec'))),
  'torch.addr': (call) => scaledSum(call, ops.outer(inputOf(call, 'vec1'), inputOf(call, 'vec2'))),
  'torch.addbmm': (call) => scaledSum(call, ops.sum(ops.bmm(inputOf(call, 'batch1'), inputOf(call, 'batch2')), 0)),
  'torch.nn.functional.linear': linear,
  'torch.nn.functional.bilinear': (call) =>
    ops.bilinear(inputOf(call, 'input1'), inputOf(call, 'input2'), inputOf(call, 'weight'), call.inputs.bias),
  einsum: (call) => ops.einsum(stringSetting(call.settings, 'equation'), ...inputList(call, 'operands')),
  tensordot: (call) => ops.tensordot(inputOf(call, 'a'), inputOf(call, 'b'), contractedAxes(call)),
}
