/** Products, and the norms that models are made of. */
import * as ops from '../../../ops/index.ts'
import { normalizeAxis, sameShape, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { OnnxNode } from '../node.ts'
import type { Operators } from './types.ts'

function gemm(node: OnnxNode): Tensor {
  const [a, b, c] = [node.tensor(0), node.tensor(1), node.optional(2)]
  const [alpha, beta] = [node.number('alpha', 1), node.number('beta', 1)]
  const [transA, transB] = [node.flag('transA', false), node.flag('transB', false)]
  const left = transA ? ops.transpose(a) : a
  if (transB && alpha === 1 && beta === 1 && (!c || c.rank === 1)) return ops.linear(left, b, c)
  const product = ops.matmul(left, transB ? ops.transpose(b) : b)
  const scaled = alpha === 1 ? product : ops.mul(product, alpha)
  if (!c || beta === 0) return scaled
  return ops.add(scaled, beta === 1 ? c : ops.mul(c, beta))
}

function layerNorm(node: OnnxNode): readonly Tensor[] {
  node.ignore('stash_type')
  const [x, scale, bias] = [node.tensor(0), node.optional(1), node.optional(2)]
  const axis = normalizeAxis(node.type, node.number('axis', -1), x.rank)
  const eps = node.number('epsilon', 1e-5)
  const shape = x.shape.slice(axis)
  const fits = (t: Tensor | undefined): boolean => !t || sameShape(t.shape, shape)
  const axes = x.shape.map((_, i) => i).slice(axis)
  const inside = fits(scale) && fits(bias)
  const normal = ops.layerNorm(x, shape, inside ? { weight: scale, bias, eps } : { eps })
  const scaled = inside || !scale ? normal : ops.mul(normal, scale)
  const y = inside || !bias ? scaled : ops.add(scaled, bias)
  if (!node.wants(1) && !node.wants(2)) return [y]
  const mean = ops.mean(x, axes, { keepDims: true })
  const variance = ops.mean(ops.square(ops.sub(x, mean)), axes, { keepDims: true })
  return [y, mean, ops.rsqrt(ops.add(variance, eps))]
}

function rmsNorm(node: OnnxNode): Tensor {
  node.ignore('stash_type')
  const [x, scale] = [node.tensor(0), node.tensor(1)]
  const axis = normalizeAxis(node.type, node.number('axis', -1), x.rank)
  const normal = ops.rmsNorm(x, x.shape.slice(axis), { eps: node.number('epsilon', 1e-5) })
  return ops.mul(normal, scale)
}

function batchNorm(node: OnnxNode): Tensor {
  node.ignore('momentum')
  if (node.flag('training_mode', false))
    node.fail('batch norm in training mode is not supported', 'export the model after model.eval()')
  const [x, weight, bias] = [node.tensor(0), node.tensor(1), node.tensor(2)]
  return ops.batchNorm(x, node.tensor(3), node.tensor(4), { weight, bias, eps: node.number('epsilon', 1e-5) })
}

function groupNorm(node: OnnxNode): Tensor {
  node.ignore('stash_type')
  const [x, scale, bias] = [node.tensor(0), node.tensor(1), node.tensor(2)]
  const groups = node.number('num_groups', 1)
  const channels = sizeOf(x.shape, 1)
  // Before opset 21 there was one scale for each group.
  const byChannel = (t: Tensor): Tensor =>
    sizeOf(t.shape, 0) === channels ? t : ops.repeatInterleave(t, channels / groups, 0)
  const eps = node.number('epsilon', 1e-5)
  return ops.groupNorm(x, groups, { weight: byChannel(scale), bias: byChannel(bias), eps })
}

function instanceNorm(node: OnnxNode): Tensor {
  const [weight, bias] = [node.tensor(1), node.tensor(2)]
  return ops.instanceNorm(node.tensor(0), { weight, bias, eps: node.number('epsilon', 1e-5) })
}

function lpNorm(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const axis = normalizeAxis(node.type, node.number('axis', -1), x.rank)
  const norm = ops.vectorNorm(x, node.number('p', 2), axis, { keepDims: true })
  return ops.where(ops.equal(norm, 0), 0, ops.div(x, norm))
}

function meanVariance(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const axes = node.list('axes') ?? [0, 2, 3]
  const centered = ops.sub(x, ops.mean(x, axes, { keepDims: true }))
  const variance = ops.mean(ops.square(centered), axes, { keepDims: true })
  return ops.div(centered, ops.add(ops.sqrt(variance), 1e-9))
}

function responseNorm(node: OnnxNode): Tensor {
  return ops.localResponseNorm(node.tensor(0), node.number('size', 1), {
    alpha: node.number('alpha', 1e-4),
    beta: node.number('beta', 0.75),
    k: node.number('bias', 1),
  })
}

export const products: Operators = {
  MatMul: (node) => ops.matmul(node.tensor(0), node.tensor(1)),
  Gemm: gemm,
  Einsum: (node) => ops.einsum(node.text('equation', ''), ...node.tensors()),
  Det: (node) => ops.det(node.tensor(0)),
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  InstanceNormalization: instanceNorm,
  LpNormalization: lpNorm,
  MeanVarianceNormalization: meanVariance,
  LRN: responseNorm,
}
