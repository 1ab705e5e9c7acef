/** What it takes not to lose NaN: `node scripts/forms.js nan-forms`. Decision: docs/decisions/041-nan.md. */
import type { Emitter } from '../../src/ops/kit.ts'
import { type Contest, type Form, report } from './measure.ts'

const number = (emit: Emitter, value: number): string => emit.scalar(value, 'float32')

/** Numbers within -1 and 1: their sum is NaN where one of them is, and only there. */
const bounded = (emit: Emitter, x: string): string => emit.node('Clip', [x, number(emit, -1), number(emit, 1)])

const orNan = (emit: Emitter, marks: string, y: string): string =>
  emit.node('Where', [emit.node('IsNaN', [marks]), marks, y])

function largest(rows: number, columns: number, axis: 0 | 1): Contest {
  const reduced = (emit: Emitter, kernel: string, x: string): string =>
    emit.node(kernel, [x, emit.ints([axis])], { keepdims: 0 })
  return {
    title: `largest of [${rows}, ${columns}] along ${axis}`,
    inputs: [[rows, columns]],
    outputs: [[axis === 0 ? columns : rows]],
    forms: {
      ReduceMax: (emit, [x = '']) => reduced(emit, 'ReduceMax', x),
      'and a bounded sum': (emit, [x = '']) =>
        orNan(emit, reduced(emit, 'ReduceSum', bounded(emit, x)), reduced(emit, 'ReduceMax', x)),
      'and the largest IsNaN': (emit, [x = '']) => {
        const marks = reduced(emit, 'ReduceMax', emit.cast(emit.node('IsNaN', [x]), 'uint8'))
        return emit.node('Where', [emit.cast(marks, 'bool'), number(emit, Number.NaN), reduced(emit, 'ReduceMax', x)])
      },
    },
  }
}

const float64 = 11

function sorted(rows: number, columns: number, k: number): Contest {
  const attributes = { axis: 1, largest: 0 }
  const topk = (emit: Emitter, x: string): string[] => emit.nodes('TopK', [x, emit.ints([k])], 2, attributes)
  const form =
    (nodes: (emit: Emitter, x: string) => readonly string[]): Form =>
    (emit, [x = '']) =>
      nodes(emit, x)[0] ?? ''
  return {
    title: `least ${k} of [${rows}, ${columns}]`,
    inputs: [[rows, columns]],
    outputs: [[rows, k]],
    forms: {
      TopK: form(topk),
      'of float64 keys': form((emit, x) => {
        const wide = (input: string): string => emit.node('Cast', [input], { to: float64 })
        const key = emit.node('Where', [
          emit.node('IsNaN', [x]),
          wide(number(emit, Number.POSITIVE_INFINITY)),
          emit.node('Clip', [wide(x), '', wide(number(emit, 2 ** 100))]),
        ])
        return [emit.node('GatherElements', [x, topk(emit, key)[1] ?? ''], { axis: 1 })]
      }),
    },
  }
}

function pooled(kernel: number, stride: number): Contest {
  const [n, c, size] = [32, 64, 33]
  const count = Math.floor((size - kernel) / stride) + 1
  const window = { kernel_shape: [kernel, kernel], strides: [stride, stride] }
  return {
    title: `max pool ${kernel} x ${kernel} / ${stride} of [${n}, ${c}, ${size}, ${size}]`,
    inputs: [[n, c, size, size]],
    outputs: [[n, c, count, count]],
    forms: {
      MaxPool: (emit, [x = '']) => emit.node('MaxPool', [x], window),
      'with places': (emit, [x = '']) => {
        const [y = '', places = ''] = emit.nodes('MaxPool', [x], 2, window)
        return emit.node('Add', [y, emit.cast(places, 'float32')])
      },
      'and a bounded mean': (emit, [x = '']) =>
        orNan(emit, emit.node('AveragePool', [bounded(emit, x)], window), emit.node('MaxPool', [x], window)),
      'of NaN as infinity': (emit, [x = '']) => {
        const marked = emit.node('Where', [emit.node('IsNaN', [x]), number(emit, Number.POSITIVE_INFINITY), x])
        return emit.node('MaxPool', [marked], window)
      },
    },
  }
}

for (const [rows, columns] of [
  [1024, 1024],
  [16_384, 64],
] as const) {
  await report(largest(rows, columns, 0), 0.3)
  await report(largest(rows, columns, 1), 0.3)
}
await report(sorted(1024, 1024, 1024), 0.5)
await report(sorted(16_384, 64, 2), 0.5)
await report(pooled(2, 2), 0.3)
await report(pooled(3, 2), 0.3)
