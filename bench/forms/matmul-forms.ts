/** Which ONNX form of a matrix product is fastest: `node scripts/forms.js matmul-forms`. Decision: docs/decisions/001-matmul-forms.md. */
import type { Emitter } from '../../src/ops/kit.ts'
import { emitTransposedProduct } from '../../src/ops/products/transposed.ts'
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
for (const [rows, inputs, outputs] of [
  [8192, 64, 256],
  [8192, 256, 64],
  [512, 256, 512],
  [64, 128, 128],
  [16, 32, 32],
] as const) {
  await report(biased(rows, inputs, outputs))
}

// Weight gradients g^T x of larger layers: which operand is transposed, and by what.
for (const [rows, outputs, inputs] of [
  [512, 256, 1024],
  [512, 1024, 256],
  [2048, 256, 1024],
  [2048, 1024, 256],
  [2048, 256, 256],
  [2048, 768, 768],
  [2048, 3072, 768],
  [4096, 1000, 256],
  [8192, 256, 64],
] as const) {
  await report({
    title: `dW = g^T x, ${rows} rows, [${outputs}, ${inputs}]`,
    inputs: [
      [rows, outputs],
      [rows, inputs],
    ],
    outputs: [[outputs, inputs]],
    operations: 2 * rows * outputs * inputs,
    forms: {
      FusedMatMul: fused(1, 0),
      'g transposed': (emit, [g = '', x = '']) => emitTransposedProduct(emit, g, x, 1, 'left'),
      'x and dW transposed': (emit, [g = '', x = '']) => emitTransposedProduct(emit, g, x, 1, 'right'),
    },
  })
}

// Mixing tokens, x [B, S, C]: a product with W [H, S] from the left, or a linear layer between two transposes.
for (const [B, S, C, H] of [
  [32, 196, 256, 128],
  [64, 49, 128, 64],
  [32, 49, 512, 256],
] as const) {
  const operations = 2 * B * S * C * H
  const reshape = (emit: Emitter, name: string, ...shape: number[]): string =>
    emit.node('Reshape', [name, emit.ints(shape)])
  await report({
    title: `tokens mixed, forward [${B}, ${S}, ${C}] -> ${H}`,
    inputs: [
      [H, S],
      [B, S, C],
    ],
    outputs: [[B, H, C]],
    operations,
    forms: {
      'W x': (emit, inputs) => emit.node('MatMul', inputs),
      'x^T W^T (out transposed)': (emit, [w = '', x = '']) =>
        reshape(emit, fused(1, 1)(emit, [x, w]) as string, B, H, C),
      'Transpose, linear (out transposed)': (emit, [w = '', x = '']) =>
        reshape(emit, fused(0, 1)(emit, [reshape(emit, transposed(emit, x, 3), B * C, S), w]) as string, B, H, C),
    },
  })
  await report({
    title: `tokens mixed, dx [${B}, ${S}, ${C}] -> ${H}`,
    inputs: [
      [H, S],
      [B, H, C],
    ],
    outputs: [[B, S, C]],
    operations,
    forms: {
      'W^T g': fused(1, 0),
      'Transpose W, MatMul': (emit, [w = '', g = '']) => emit.node('MatMul', [transposed(emit, w, 2), g]),
      'linear, Transpose': (emit, [w = '', g = '']) =>
        transposed(emit, reshape(emit, emit.node('MatMul', [reshape(emit, g, B * C, H), w]), B, C, S), 3),
    },
  })
  await report({
    title: `tokens mixed, dW [${B}, ${S}, ${C}] -> ${H}`,
    inputs: [
      [B, H, C],
      [B, S, C],
    ],
    outputs: [[H, S]],
    operations,
    forms: {
      'products, summed': (emit, inputs) => {
        const ones = emit.constant('float32', [1, B], new Float32Array(B).fill(1))
        const products = reshape(emit, fused(0, 1)(emit, inputs) as string, B, H * S)
        return reshape(emit, emit.node('MatMul', [ones, products]), H, S)
      },
      'Transposes, one product': (emit, inputs) => {
        const [g = '', x = ''] = inputs.map((name, i) =>
          reshape(emit, emit.node('Transpose', [name], { perm: [1, 0, 2] }), i === 0 ? H : S, B * C),
        )
        return fused(0, 1)(emit, [g, x])
      },
    },
  })
}
