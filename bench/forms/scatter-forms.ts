/** How rows are best added at repeated indices: `node scripts/forms.js scatter-forms`. Decision: docs/decisions/010. */
import { emitSortedSums } from '../../src/ops/indexing/sorted-sums.ts'
import type { Emitter } from '../../src/ops/kit.ts'
import { type Contest, report } from './measure.ts'

/** Random indices below `rows` from uniform numbers in [-0.5, 0.5). */
function indices(emit: Emitter, uniform: string, rows: number): string {
  const shifted = emit.node('Add', [uniform, emit.scalar(0.5, 'float32')])
  return emit.cast(emit.node('Mul', [shifted, emit.scalar(rows, 'float32')]), 'int64')
}

/** The gradient of an embedding: `count` rows of `columns` numbers added into a table of `rows`. */
function scatter(count: number, rows: number, columns: number): Contest {
  const zeros = (emit: Emitter): string => emit.node('Expand', [emit.scalar(0, 'float32'), emit.ints([rows, columns])])
  const upright = (emit: Emitter, uniform: string): string =>
    emit.node('Reshape', [indices(emit, uniform, rows), emit.ints([count, 1])])
  return {
    title: `${count} rows of ${columns} into ${rows}`,
    inputs: [[count], [count, columns]],
    outputs: [[rows, columns]],
    forms: {
      ScatterElements: (emit, [uniform = '', source = '']) => {
        const everywhere = emit.node('Expand', [upright(emit, uniform), emit.ints([count, columns])])
        return emit.node('ScatterElements', [zeros(emit), everywhere, source], { axis: 0, reduction: 'add' })
      },
      // Fast and wrong: its threads add to one row at the same time, and sums are lost.
      ScatterND: (emit, [uniform = '', source = '']) =>
        emit.node('ScatterND', [zeros(emit), upright(emit, uniform), source], { reduction: 'add' }),
      sorted: (emit, [uniform = '', source = '']) =>
        emitSortedSums(emit, source, indices(emit, uniform, rows), [count, columns, rows]),
      'one-hot MatMul': (emit, [uniform = '', source = '']) => {
        const every = emit.node('Reshape', [emit.ints(Array.from({ length: rows }, (_, i) => i)), emit.ints([rows, 1])])
        const matches = emit.node('Equal', [every, indices(emit, uniform, rows)])
        return emit.node('MatMul', [emit.cast(matches, 'float32'), source])
      },
    },
  }
}

for (const [count, rows, columns] of [
  [8192, 16, 128],
  [4096, 100, 256],
  [4096, 300, 256],
  [4096, 600, 256],
  [4096, 1000, 256],
  [8192, 600, 128],
  [4096, 8000, 384],
  [1024, 8000, 384],
  [512, 300, 64],
  [2048, 30, 8],
  [2048, 200, 16],
  [50176, 169, 4],
] as const) {
  await report(scatter(count, rows, columns), 0.5)
}
