/** Group norm with scale and shift by channel: who takes the variance, and who divides. `node scripts/forms.js group-norm-forms`. Decision: docs/decisions/059-group-norm.md. */
import type { Emitter } from '../../src/ops/kit.ts'
import { report } from './measure.ts'

const eps = 1e-5

function centred(emit: Emitter, x: string): string {
  return emit.node('Sub', [x, emit.node('ReduceMean', [x, emit.ints([2])], { keepdims: 1 })])
}

function layerNorm(emit: Emitter, x: string, size: number): readonly string[] {
  const ones = emit.node('Expand', [emit.scalar(1, 'float32'), emit.ints([size])])
  return emit.nodes('LayerNormalization', [x, ones], 3, { axis: 2, epsilon: { float: eps } })
}

function inverse(emit: Emitter, variance: string): string {
  const deviation = emit.node('Sqrt', [emit.node('Add', [variance, emit.scalar(eps, 'float32')])])
  return emit.node('Reciprocal', [deviation])
}

for (const [n, groups, channels, positions] of [
  [16, 8, 32, 1024],
  [16, 8, 128, 64],
  [16, 8, 64, 256],
  [8, 8, 32, 4096],
  [64, 8, 32, 784],
] as const) {
  const size = (channels / groups) * positions
  const byChannel = [n, groups, channels / groups, positions]
  /** y = t * factor + shift, all of t by group and channel. */
  const affine = (emit: Emitter, t: string, factor: string, shift: string): string => {
    const grouped = emit.node('Reshape', [t, emit.ints(byChannel)])
    return emit.node('Add', [emit.node('Mul', [grouped, factor]), shift])
  }
  const folded = (variance: (emit: Emitter, c: string) => string) => {
    return (emit: Emitter, [x = '', scale = '', shift = '']: readonly string[]): readonly string[] => {
      const c = centred(emit, x)
      const r = inverse(emit, variance(emit, c))
      const r4 = emit.node('Reshape', [r, emit.ints([n, groups, 1, 1])])
      return [affine(emit, c, emit.node('Mul', [r4, scale]), shift), c, r]
    }
  }
  await report({
    title: `[${n}, ${channels}, ${positions}] in ${groups} groups`,
    inputs: [
      [n, groups, size],
      [1, groups, channels / groups, 1],
      [1, groups, channels / groups, 1],
    ],
    outputs: [byChannel, [n, groups, size], [n, groups, 1]],
    forms: {
      LayerNormalization: (emit, [x = '', scale = '', shift = '']) => {
        const [h = '', , r = ''] = layerNorm(emit, x, size)
        return [affine(emit, h, scale, shift), h, r]
      },
      'centred LayerNormalization': (emit, [x = '', scale = '', shift = '']) => {
        const [h = '', , r = ''] = layerNorm(emit, centred(emit, x), size)
        return [affine(emit, h, scale, shift), h, r]
      },
      'mean of squares': folded((emit, c) =>
        emit.node('ReduceMean', [emit.node('Mul', [c, c]), emit.ints([2])], { keepdims: 1 }),
      ),
      ReduceSumSquare: folded((emit, c) =>
        emit.node('Mul', [
          emit.node('ReduceSumSquare', [c, emit.ints([2])], { keepdims: 1 }),
          emit.scalar(1 / size, 'float32'),
        ]),
      ),
      product: folded((emit, c) => {
        const row = emit.node('Reshape', [c, emit.ints([n, groups, 1, size])])
        const column = emit.node('Reshape', [c, emit.ints([n, groups, size, 1])])
        const square = emit.node('Reshape', [emit.node('MatMul', [row, column]), emit.ints([n, groups, 1])])
        return emit.node('Mul', [square, emit.scalar(1 / size, 'float32')])
      }),
    },
  })
}
