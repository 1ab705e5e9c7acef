/** Attention as separate kernels or ONNX Runtime's own: `node scripts/forms.js attention-forms`. Decision: docs/decisions/011-attention.md. */

import { gradient } from '../../src/autodiff/gradient.ts'
import { type Compiled, compile } from '../../src/compile/compile.ts'
import {
  type Emitter,
  matmul,
  matmulWith,
  mean,
  scaledDotProductAttention,
  softmax,
  square,
} from '../../src/ops/kit.ts'
import { elementCount } from '../../src/tensor/dtype.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { RandomStream } from '../../src/util/random.ts'
import { describeTimes, type Form, report, takeTurns, threads } from './measure.ts'

const microsoft = 'com.microsoft'

/** Products, softmax, product: q, k, v [batch, heads, tokens, width], and a mask that is added. */
const separate =
  (scale: number): Form =>
  (emit, [q = '', k = '', v = '', mask]) => {
    const scores = emit.node('FusedMatMul', [q, k], { transB: 1, alpha: { float: scale } }, microsoft)
    const masked = mask === undefined ? scores : emit.node('Add', [scores, mask])
    return emit.node('MatMul', [emit.node('Softmax', [masked], { axis: -1 }), v])
  }

/** The kernel takes [batch, tokens, heads width]; with one head each, what lies in memory is that already. */
function kernel([b, h, t, d]: readonly [number, number, number, number], scale: number, unidirectional: number): Form {
  return (emit: Emitter, inputs) => {
    const [q = '', k = '', v = ''] = inputs
      .slice(0, 3)
      .map((name) => emit.node('Reshape', [name, emit.ints([b * h, t, d])]))
    const bias = inputs[3] === undefined ? [] : ['', '', inputs[3]]
    const attributes = { num_heads: 1, scale: { float: scale }, unidirectional }
    const y = emit.node('MultiHeadAttention', [q, k, v, ...bias], attributes, microsoft)
    return emit.node('Reshape', [y, emit.ints([b, h, t, d])])
  }
}

for (const [b, h, t, d] of [
  [32, 8, 64, 32],
  [128, 4, 49, 32],
  [8, 8, 256, 64],
  [2, 12, 512, 64],
  [1, 8, 1024, 64],
] as const) {
  const shape = [b, h, t, d]
  const scale = 1 / Math.sqrt(d)
  const operations = 4 * b * h * t * t * d
  await report({
    title: `attention [${shape}]`,
    inputs: [shape, shape, shape],
    outputs: [shape],
    operations,
    forms: { separate: separate(scale), kernel: kernel([b, h, t, d], scale, 0) },
  })
  await report({
    title: `attention [${shape}], mask added`,
    inputs: [shape, shape, shape, [1, 1, t, t]],
    outputs: [shape],
    operations,
    forms: {
      separate: separate(scale),
      kernel: kernel([b, h, t, d], scale, 0),
      'kernel, causal': kernel([b, h, t, d], scale, 1),
    },
  })
}

type Attend = (q: Tensor, k: Tensor, v: Tensor) => Tensor

/** A training step of attention alone, forward and backward. */
function trainingStep(shape: readonly number[], attend: Attend): Compiled<[], void> {
  const inputs = [0, 1, 2].map(
    (lane) => new Variable(shape, { data: new RandomStream(1).normal(0, lane, elementCount(shape)) }),
  )
  const results = inputs.map(() => new Variable(shape))
  return compile(
    () => {
      const [q, k, v] = inputs.map((variable) => variable.value) as [Tensor, Tensor, Tensor]
      const gradients = gradient(mean(square(attend(q, k, v))), inputs)
      for (const [i, result] of results.entries()) if (gradients[i]) result.assign(gradients[i])
    },
    { threads },
  )
}

for (const shape of [
  [32, 8, 64, 32],
  [128, 4, 49, 32],
  [8, 8, 256, 64],
  [2, 12, 512, 64],
]) {
  const scale = 1 / Math.sqrt(sizeOf(shape, 3))
  const times = await takeTurns({
    'own gradient': trainingStep(shape, (q, k, v) => scaledDotProductAttention(q, k, v)),
    'gradients of its ops': trainingStep(shape, (q, k, v) =>
      matmul(softmax(matmulWith(q, k, { transposeB: true, scale })), v),
    ),
  })
  console.log(`training [${shape}]: ${describeTimes(times)}`)
}
