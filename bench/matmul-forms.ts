/** Which ONNX form of a matrix product is fastest: `node scripts/bench.js matmul-forms`. Decision: docs/decisions/001. */
import type { Emitter } from '../src/ops/index.ts'
import { type Contest, type Form, report } from './measure.ts'

const fused =
  (transA: number, transB: number): Form =>
  (emit, inputs) =>
    emit.node('FusedMatMul', inputs, { transA, transB, alpha: { float: 1 } }, 'com.microsoft')

const swapped = (rank: number): number[] => [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]
const transposed = (emit: Emitter, name: string, rank: number): string =>
  emit.node('Transpose', [name], { perm: swapped(rank) })

/** batch products of [m, k] and [k, n], stored transposed where the letter is t. */
function product(title: string, batch: number[], [m, k, n]: [number, number, number], layout: string): Contest {
  const [ta, tb] = [layout[0] === 't', layout[1] === 't']
  const rank = batch.length + 2
  const forms: Record<string, Form> = {}
  if (!ta && !tb) forms.MatMul = (emit, inputs) => emit.node('MatMul', inputs)
  forms.FusedMatMul = fused(Number(ta), Number(tb))
  forms['Transpose+MatMul'] = (emit, [a = '', b = '']) =>
    emit.node('MatMul', [ta ? transposed(emit, a, rank) : a, tb ? transposed(emit, b, rank) : b])
  if (rank === 2) {
    forms.Gemm = (emit, inputs) => emit.node('Gemm', inputs, { transA: Number(ta), transB: Number(tb) })
  }
  if (rank === 2 && ta && !tb) {
    forms['FusedMatMul(B^T,A)^T'] = (emit, [a = '', b = '']) =>
      transposed(emit, emit.node('FusedMatMul', [b, a], { transA: 1, transB: 0 }, 'com.microsoft'), 2)
  }
  return {
    title: `${title} [${batch.join('x')}] ${m}x${k}x${n} ${layout}`,
    inputs: [
      [...batch, ...(ta ? [k, m] : [m, k])],
      [...batch, ...(tb ? [n, k] : [k, n])],
    ],
    outputs: [[...batch, m, n]],
    forms,
    operations: 2 * m * k * n * batch.reduce((a, b) => a * b, 1),
  }
}

/** x [rows, in] times W^T, W [out, in], plus a bias. */
function biased(rows: number, inputs: number, outputs: number): Contest {
  return {
    title: `linear ${rows}x${inputs}x${outputs}`,
    inputs: [[rows, inputs], [outputs, inputs], [outputs]],
    outputs: [[rows, outputs]],
    operations: 2 * rows * inputs * outputs,
    forms: {
      'Gemm(C)': (emit, inputs) => emit.node('Gemm', inputs, { transB: 1 }),
      'Gemm(C), Transpose': (emit, [x = '', w = '', b = '']) => emit.node('Gemm', [x, transposed(emit, w, 2), b], {}),
      'FusedMatMul+Add': (emit, [x = '', w = '', b = '']) => emit.node('Add', [fused(0, 1)(emit, [x, w]) as string, b]),
      'Transpose+MatMul+Add': (emit, [x = '', w = '', b = '']) =>
        emit.node('Add', [emit.node('MatMul', [x, transposed(emit, w, 2)]), b]),
    },
  }
}

for (const [rows, inputs, outputs] of [
  [2048, 256, 1024],
  [2048, 1024, 256],
  [128, 784, 256],
  [32, 64, 10],
] as const) {
  await report(product('forward x W^T', [], [rows, inputs, outputs], 'nt'))
  await report(product('dx = g W', [], [rows, outputs, inputs], 'nn'))
  await report(product('dW = g^T x', [], [outputs, rows, inputs], 'tn'))
  await report(biased(rows, inputs, outputs))
}
for (const [batch, tokens, width] of [
  [[32, 8], 64, 32],
  [[32], 256, 64],
] as const) {
  await report(product('attention q k^T', [...batch], [tokens, width, tokens], 'nt'))
  await report(product('attention p v, dq', [...batch], [tokens, tokens, width], 'nn'))
  await report(product('attention dk, dv', [...batch], [tokens, tokens, width], 'tn'))
}
// Mixer mixes tokens: W [hidden, tokens] times x [batch, tokens, width]; here as products of the transposed x.
await report(product('mixer tokens, x^T W^T', [32], [128, 196, 256], 'tt'))
await report(product('mixer tokens, W x', [32], [256, 196, 128], 'nn'))
