/** Sums over the leading or the last axis: ReduceSum or a product with ones. `node scripts/forms.js sum-forms`. Decision: docs/decisions/001-matmul-forms.md. */
import { report } from './measure.ts'

for (const [rows, columns] of [
  [2048, 1024],
  [2048, 256],
  [128, 256],
  [8192, 64],
  [32, 25_088],
  [100_000, 16],
  [64, 10],
] as const) {
  await report({
    title: `rows of [${rows}, ${columns}] summed`,
    inputs: [[rows, columns]],
    outputs: [[columns]],
    forms: {
      ReduceSum: (emit, [x = '']) => emit.node('ReduceSum', [x, emit.ints([0])], { keepdims: 0 }),
      'ones x': (emit, [x = '']) => {
        const ones = emit.constant('float32', [1, rows], new Float32Array(rows).fill(1))
        return emit.node('Reshape', [emit.node('MatMul', [ones, x]), emit.ints([columns])])
      },
    },
  })
  await report({
    title: `columns of [${rows}, ${columns}] summed`,
    inputs: [[rows, columns]],
    outputs: [[rows]],
    forms: {
      ReduceSum: (emit, [x = '']) => emit.node('ReduceSum', [x, emit.ints([1])], { keepdims: 0 }),
      'x ones': (emit, [x = '']) => {
        const ones = emit.constant('float32', [columns, 1], new Float32Array(columns).fill(1))
        return emit.node('Reshape', [emit.node('MatMul', [x, ones]), emit.ints([rows])])
      },
    },
  })
}
