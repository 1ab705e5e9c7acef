/** Single ops: their inputs are trained, so that a step is the op and its gradient. The same by name in `bench/peers/torch/ops.py`. */
import { Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import type { Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

/** Indices: their shape and the number that they stay below. */
interface Indices {
  readonly shape: Shape
  readonly below: number
}

interface SingleOp {
  readonly name: string
  readonly inputs: readonly Shape[]
  readonly indices?: readonly Indices[]
  readonly call: (inputs: readonly Tensor[], indices: readonly Tensor[]) => Tensor
}

const [x3, rows] = [[64, 128, 256], { shape: [64, 64, 256], below: 128 }] as const

const singleOps: readonly SingleOp[] = [
  {
    name: 'embedding',
    inputs: [[10_000, 128]],
    indices: [{ shape: [64, 128], below: 10_000 }],
    call: ([w], [i]) => ops.embedding(at(i), at(w)),
  },
  {
    name: 'embedding-bag',
    inputs: [[10_000, 128]],
    indices: [{ shape: [512, 20], below: 10_000 }],
    call: ([w], [i]) => ops.embeddingBag(at(i), at(w)),
  },
  { name: 'gather', inputs: [x3], indices: [rows], call: ([x], [i]) => ops.gather(at(x), at(i), 1) },
  {
    name: 'scatter-add',
    inputs: [x3, rows.shape],
    indices: [rows],
    call: ([x, y], [i]) => ops.scatterAdd(at(x), at(i), at(y), 1),
  },
  {
    name: 'scatter-add-last',
    inputs: [x3, [64, 128, 64]],
    indices: [{ shape: [64, 128, 64], below: 256 }],
    call: ([x, y], [i]) => ops.scatterAdd(at(x), at(i), at(y), 2),
  },
  {
    name: 'index-put',
    inputs: [[512, 512], [4096]],
    indices: [
      { shape: [4096], below: 512 },
      { shape: [4096], below: 512 },
    ],
    call: ([x, y], [i, j]) => ops.indexPut(at(x), [at(i), at(j)], at(y), { accumulate: true }),
  },
  { name: 'unfold-axis', inputs: [[32, 64, 1024]], call: ([x]) => ops.unfoldAxis(at(x), 2, 16, 8) },
  { name: 'cumsum', inputs: [x3], call: ([x]) => ops.cumsum(at(x), 1) },
  { name: 'sort', inputs: [[512, 1000]], call: ([x]) => ops.sort(at(x))[0] },
  { name: 'softmax', inputs: [[64, 8, 128, 128]], call: ([x]) => ops.softmax(at(x), -1) },
  { name: 'log-sum-exp', inputs: [x3], call: ([x]) => ops.logSumExp(at(x), 1) },
  { name: 'gelu', inputs: [[64, 196, 512]], call: ([x]) => ops.gelu(at(x)) },
  { name: 'lgamma', inputs: [x3], call: ([x]) => ops.lgamma(ops.add(ops.square(at(x)), 1)) },
  {
    name: 'layer-norm',
    inputs: [[64, 196, 256], [256], [256]],
    call: ([x, weight, bias]) => ops.layerNorm(at(x), [256], { weight, bias }),
  },
  {
    name: 'group-norm',
    inputs: [[16, 64, 56, 56], [64], [64]],
    call: ([x, weight, bias]) => ops.groupNorm(at(x), 8, { weight, bias }),
  },
  {
    name: 'attention-causal',
    inputs: [
      [8, 8, 256, 32],
      [8, 8, 256, 32],
      [8, 8, 256, 32],
    ],
    call: ([q, k, v]) => ops.scaledDotProductAttention(at(q), at(k), at(v), { causal: true }),
  },
  {
    name: 'attention-grouped',
    inputs: [
      [8, 8, 256, 32],
      [8, 2, 256, 32],
      [8, 2, 256, 32],
    ],
    call: ([q, k, v]) => ops.scaledDotProductAttention(at(q), at(k), at(v), { enableGqa: true }),
  },
  {
    name: 'conv1d',
    inputs: [
      [16, 64, 2048],
      [128, 64, 5],
    ],
    call: ([x, w]) => ops.conv1d(at(x), at(w), undefined, { padding: 2 }),
  },
  {
    name: 'conv3d',
    inputs: [
      [2, 16, 16, 32, 32],
      [32, 16, 3, 3, 3],
    ],
    call: ([x, w]) => ops.conv3d(at(x), at(w), undefined, { padding: 1 }),
  },
  {
    name: 'conv-depthwise',
    inputs: [
      [16, 128, 32, 32],
      [128, 1, 3, 3],
    ],
    call: ([x, w]) => ops.conv2d(at(x), at(w), undefined, { padding: 1, groups: 128 }),
  },
  {
    name: 'conv-transpose',
    inputs: [
      [16, 128, 16, 16],
      [128, 64, 4, 4],
    ],
    call: ([x, w]) => ops.convTranspose2d(at(x), at(w), undefined, { stride: 2, padding: 1 }),
  },
  { name: 'max-pool', inputs: [[32, 64, 56, 56]], call: ([x]) => ops.maxPool2d(at(x), 3, { stride: 2, padding: 1 }) },
  { name: 'avg-pool3d', inputs: [[2, 32, 16, 32, 32]], call: ([x]) => ops.avgPool3d(at(x), 2) },
  { name: 'adaptive-pool1d', inputs: [[32, 128, 500]], call: ([x]) => ops.adaptiveAvgPool1d(at(x), 7) },
  {
    name: 'bilinear-resize',
    inputs: [[8, 64, 28, 28]],
    call: ([x]) => ops.interpolate(at(x), 56, { mode: 'bilinear' }),
  },
  {
    name: 'roi-align',
    inputs: [[2, 64, 50, 50]],
    indices: [{ shape: [128, 2], below: 40 }],
    call: ([x], [corner]) => ops.roiAlign(at(x), boxesAt(at(corner)), 7, { samplingRatio: 2, aligned: true }),
  },
  {
    name: 'ctc-loss',
    inputs: [[100, 16, 40]],
    indices: [{ shape: [16, 20], below: 39 }],
    call: ([x], [i]) =>
      ops.ctcLoss(
        ops.logSoftmax(at(x), -1),
        ops.add(at(i), 1),
        new Array<number>(16).fill(100),
        new Array<number>(16).fill(20),
        { reduction: 'none' },
      ),
  },
  {
    name: 'cholesky',
    inputs: [[16, 64, 64]],
    call: ([x]) => ops.cholesky(ops.add(ops.div(ops.matmul(at(x), ops.transpose(at(x))), 64), ops.eye(64))),
  },
  {
    name: 'solve',
    inputs: [
      [16, 64, 64],
      [16, 64, 8],
    ],
    call: ([a, b]) => ops.solve(ops.add(at(a), ops.mul(ops.eye(64), 8)), at(b)),
  },
  {
    name: 'cdist',
    inputs: [
      [512, 64],
      [512, 64],
    ],
    call: ([a, b]) => ops.cdist(at(a), at(b)),
  },
]

function at(tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error('an input is missing')
  return tensor
}

/** Boxes of 10 by 10 at corners [K, 2], the first half of them in example 0. */
function boxesAt(corner: Tensor): Tensor {
  const start = ops.cast(corner, 'float32')
  const half = (corner.shape[0] ?? 0) / 2
  const example = ops.concat([ops.zeros([half, 1]), ops.ones([half, 1])], 0)
  return ops.concat([example, start, ops.add(start, 10)], 1)
}

class Op extends Module {
  readonly inputs: readonly Variable[]
  readonly indices: readonly Variable[]
  readonly #call: SingleOp['call']

  constructor({ inputs, indices = [], call }: SingleOp) {
    super()
    const variable = ({ shape, dtype, data }: NDArray, trainable: boolean): Variable =>
      new Variable(shape, { dtype, data, trainable })
    this.inputs = inputs.map((shape, i) => variable(randomFloats(shape, i + 1), true))
    this.indices = indices.map(({ shape, below }, i) => variable(randomIndices(shape, below, i + 11), false))
    this.#call = call
  }

  /** What is added to the first input, [1] -> the op's result */
  forward(shift: Tensor): Tensor {
    const [first, ...others] = this.inputs.map(({ value }) => value)
    return this.#call(
      [ops.add(at(first), shift), ...others],
      this.indices.map(({ value }) => value),
    )
  }
}

const sizesOf = ({ inputs }: SingleOp): string => inputs.map((shape) => `[${shape.join(', ')}]`).join(' ')

/** One row an op: `npm run bench -- ops`. */
export const opWorkloads: readonly Workload[] = singleOps.map((op) => ({
  name: `op-${op.name}`,
  summary: sizesOf(op),
  build: () => {
    const model = new Op(op)
    const { shape } = model.forward(ops.zeros([1]))
    return {
      model,
      batch: { shift: randomFloats([1], 21), wanted: randomFloats(shape, 22) },
      forward: ({ shift }) => model.forward(shift as Tensor),
      loss: ({ shift, wanted }) => ops.mseLoss(model.forward(shift as Tensor), wanted as Tensor),
      optimizer: { kind: 'sgd', options: { lr: 0.01, momentum: 0 } },
    }
  },
}))
