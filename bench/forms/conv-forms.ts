/** Gradients of convolutions in several forms: `node scripts/forms.js conv-forms`. Decision: docs/decisions/014-convolution-gradients.md. */

import { type Compiled, compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import { elementCount } from '../../src/tensor/dtype.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor, TensorType } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { RandomStream } from '../../src/util/random.ts'
import { describeTimes, takeTurns, threads } from './measure.ts'

/** [batch, in, side, out, kernel, stride] */
const layers = [
  [8, 64, 64, 64, 3, 1],
  [8, 128, 32, 128, 3, 1],
  [8, 512, 8, 512, 3, 1],
  [8, 64, 64, 128, 3, 2],
  [8, 256, 16, 512, 3, 2],
  [8, 256, 16, 512, 1, 2],
  [128, 16, 28, 32, 3, 1],
] as const

const gradientAndWeight = (types: readonly TensorType[]): readonly [TensorType, TensorType] => [
  ops.inputAt('transposedForm', types, 0),
  ops.inputAt('transposedForm', types, 1),
]

const transposed = ops.defineOp<{ readonly stride: number; readonly padding: number; readonly side: number }>({
  name: 'transposedForm',
  infer: (types, { side }) => {
    const [g, w] = gradientAndWeight(types)
    return [{ dtype: 'float32', shape: [sizeOf(g.shape, 0), sizeOf(w.shape, 1), side, side] }]
  },
  lower: (emit, { inputs, inputTypes, attributes: { stride, padding, side } }) => {
    const [g, w] = gradientAndWeight(inputTypes)
    const [out, kernel] = [sizeOf(g.shape, 2), sizeOf(w.shape, 2)]
    const extra = side - ((out - 1) * stride - 2 * padding + kernel)
    return emit.node('ConvTranspose', inputs, {
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      output_padding: [extra, extra],
    })
  },
  samples: () => [],
  errors: 'every tensor is valid',
})

/** One product of two matrices: columns [in places, N P] of windows of the input, whose channels come first. */
function joined(x: Tensor, g: Tensor, kernel: number, stride: number, padding: number): Tensor {
  const [n, out, h, w] = g.sizes(4)
  const channels = sizeOf(x.shape, 1)
  const first = ops.permute(x, [1, 0, 2, 3])
  const padded = ops.padAxis(ops.padAxis(first, 2, padding, padding), 3, padding, padding)
  const windows = ops.kernelWindows(padded, [kernel, kernel], [h, w], { stride: [stride, stride], dilation: [1, 1] })
  const columns = ops.concat(
    windows.map((window) => ops.reshape(window, [channels, 1, n * h * w])),
    1,
  )
  const rows = ops.reshape(ops.permute(g, [1, 0, 2, 3]), [out, n * h * w])
  return ops.reshape(
    ops.matmulWith(rows, ops.reshape(columns, [channels * kernel * kernel, n * h * w]), { transposeB: true }),
    [out, channels, kernel, kernel],
  )
}

/** A product for each example, summed. */
function batched(x: Tensor, g: Tensor, kernel: number, stride: number, padding: number): Tensor {
  const [n, out, h, w] = g.sizes(4)
  const channels = sizeOf(x.shape, 1)
  const padded = ops.padAxis(ops.padAxis(x, 2, padding, padding), 3, padding, padding)
  const windows = ops.kernelWindows(padded, [kernel, kernel], [h, w], { stride: [stride, stride], dilation: [1, 1] })
  const columns = ops.concat(
    windows.map((window) => ops.reshape(window, [n, channels, 1, h * w])),
    2,
  )
  const product = ops.matmulWith(
    ops.reshape(g, [n, out, h * w]),
    ops.reshape(columns, [n, channels * kernel * kernel, h * w]),
    {
      transposeB: true,
    },
  )
  return ops.reshape(ops.sum(product, 0), [out, channels, kernel, kernel])
}

for (const [n, channels, side, out, kernel, stride] of layers) {
  const padding = (kernel - 1) / 2
  const after = side / stride
  const attributes = {
    stride: [stride, stride],
    before: [padding, padding],
    after: [padding, padding],
    dilation: [1, 1],
    groups: 1,
  }
  const value = (shape: readonly number[], i: number): Variable =>
    new Variable(shape, { data: new RandomStream(1).uniform(0, i, elementCount(shape)).map((v) => v - 0.5) })
  const [x, g, w] = [
    value([n, channels, side, side], 0),
    value([n, out, after, after], 1),
    value([out, channels, kernel, kernel], 2),
  ]
  const run = (result: Variable, form: () => Tensor): Compiled<[], unknown> =>
    compile(
      () => {
        result.assign(form())
        return {}
      },
      { threads },
    )
  const [y, dx, dw] = [new Variable(g.shape), new Variable(x.shape), new Variable(w.shape)]
  const operations = 2 * g.size * channels * kernel * kernel
  console.log(`${n}x${channels}x${side}x${side} -> ${out}, kernel ${kernel}, stride ${stride}`)
  const compare = async (what: string, forms: Readonly<Record<string, Compiled<[], unknown>>>): Promise<void> =>
    console.log(`  ${what}:`, describeTimes(await takeTurns(forms), operations))
  await compare('forward', { Conv: run(y, () => ops.conv2d(x, w, undefined, { stride, padding })) })
  await compare('input', {
    current: run(dx, () => ops.convInputGradient(g.value, w.value, x.shape, attributes)),
    ConvTranspose: run(dx, () => ops.apply(transposed, [g.value, w.value], { stride, padding, side })),
  })
  await compare('weight', {
    current: run(dw, () => ops.convWeightGradient(x.value, g.value, w.shape, attributes)),
    joined: run(dw, () => joined(x.value, g.value, kernel, stride, padding)),
    batched: run(dw, () => batched(x.value, g.value, kernel, stride, padding)),
  })
}
