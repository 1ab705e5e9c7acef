/** A convolution of a picture that was enlarged is computed on the picture as it was: with the same numbers. */
import { Tensor as OrtTensor } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { exportOnnx } from '../../../src/compile/export.ts'
import * as ops from '../../../src/ops/index.ts'
import { newSession } from '../../../src/runtime/binding.ts'
import { hasBlockedConvolutions } from '../../../src/runtime/node.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { record } from '../../../src/tensor/trace.ts'
import { Variable } from '../../../src/tensor/variable.ts'
import { randomNumbers, sampleArray } from '../../support/gradients.ts'
import { expectSame } from '../../support/tensors.ts'

interface Case {
  readonly x: readonly number[]
  readonly weight: readonly number[]
  readonly factor: number | readonly number[]
  readonly options: ops.ConvOptions
}

const cases: Case[] = [
  { x: [8, 32, 6, 7], weight: [16, 32, 3, 3], factor: 2, options: { padding: 1 } },
  { x: [4, 16, 8, 9], weight: [32, 16, 5, 3], factor: [3, 2], options: { padding: 'same' } },
  { x: [2, 16, 12, 12], weight: [16, 16, 2, 4], factor: [1, 4], options: { padding: [0, 2] } },
  { x: [2, 16, 12, 12], weight: [16, 16, 3, 3], factor: 2, options: {} },
  { x: [2, 16, 12, 12], weight: [16, 16, 4, 4], factor: 2, options: { padding: 1 } },
  // Computed as it is written: few positions, channels that fill no block, strides, dilation, groups, more padding than the kernel reaches.
  { x: [1, 16, 4, 4], weight: [16, 16, 3, 3], factor: 2, options: { padding: 1 } },
  { x: [8, 12, 6, 7], weight: [16, 12, 3, 3], factor: 2, options: { padding: 1 } },
  { x: [8, 16, 6, 7], weight: [16, 16, 3, 3], factor: 2, options: { padding: 1, stride: 2 } },
  { x: [8, 16, 6, 7], weight: [16, 16, 3, 3], factor: 2, options: { padding: 1, dilation: 2 } },
  { x: [8, 32, 6, 7], weight: [32, 16, 3, 3], factor: 2, options: { padding: 1, groups: 2 } },
  { x: [8, 16, 6, 7], weight: [16, 16, 3, 3], factor: 2, options: { padding: 3 } },
]
const random = randomNumbers(11)

const zeros = (shape: readonly number[]): Tensor => ops.zeros(shape)
const enlarge = (x: Tensor, { factor }: Pick<Case, 'factor'>): Tensor =>
  ops.interpolate(x, undefined, { scaleFactor: factor })

test.each(cases)('$x by $factor with $weight, $options', async (sample) => {
  const step = (detour: (x: Tensor) => Tensor) => (x: Tensor, weight: Tensor, bias: Tensor) => {
    const y = ops.conv2d(detour(enlarge(x, sample)), weight, bias, sample.options)
    const gradients = gradient(ops.sum(ops.mul(y, ops.sin(y))), [x, weight, bias])
    const second = gradients.map((g) => ops.sum(ops.mul(g, g))).reduce((a, b) => ops.add(a, b))
    return [y, ...gradients, ...gradient(second, [x, weight, bias])]
  }
  const inputs = [sample.x, sample.weight, sample.weight.slice(0, 1)].map((shape) => sampleArray(shape, random))
  // What is added in between is no picture that was enlarged.
  const [here, plain] = [
    compile(step((x) => x)),
    compile(
      step((x) => ops.add(x, 0)),
      { optimize: false },
    ),
  ]
  const [x, weight, bias] = inputs as [NDArray, NDArray, NDArray]
  const [found, expected] = [await here(x, weight, bias), await plain(x, weight, bias)]
  expectSame(found, expected)
  for (const tensor of expected) expect(toNumbers(tensor.array.data).some((value) => value !== 0)).toBe(true)
})

test('a kernel that is larger than the picture is told of as ever', () => {
  const call = (): Tensor => ops.conv2d(enlarge(zeros([8, 16, 6, 7]), { factor: 2 }), zeros([16, 16, 13, 3]))
  expect(() => record(call, { tuned: true })).toThrow(
    'conv: the kernel [13, 3] is larger than the padded input [12, 14]',
  )
})

const [first] = cases as [Case]

test('an exported model has the convolution as it is written, for batches of any size', async () => {
  const weight = new Variable([16, 32, 3, 3], { data: sampleArray([16, 32, 3, 3], random).data as Float32Array })
  const forward = (x: Tensor): Tensor => ops.conv2d(enlarge(x, first), weight, undefined, { padding: 1 })
  const bytes = await exportOnnx({
    inputs: { x: { dtype: 'float32', shape: first.x } },
    forward: ({ x }) => ({ y: forward(x) }),
  })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  const run = compile(forward)
  for (const n of [1, 8]) {
    const x = sampleArray([n, ...first.x.slice(1)], random)
    const given = new OrtTensor('float32', x.data as Float32Array, x.shape)
    const { y } = session.run({ x: given }, { y: null }, {})
    const { shape, array } = await run(x)
    expectSame([constant(y?.data as Float32Array, y?.dims ?? [], 'float32')], [constant(array.data, shape, 'float32')])
  }
})

test.runIf(hasBlockedConvolutions)('four convolutions in blocks instead of one, with stored weights too', async () => {
  const weight = new Variable([16, 32, 3, 3], { data: sampleArray([16, 32, 3, 3], random).data as Float32Array })
  for (const frozen of [false, true]) {
    const run = compile((x: Tensor) => ops.conv2d(enlarge(x, first), weight, undefined, { padding: 1 }), { frozen })
    const { rows } = await run.profile(1, sampleArray(first.x, random))
    const convolutions = rows.filter(({ kernel }) => kernel === 'Conv')
    expect(convolutions.reduce((sum, { count }) => sum + count, 0)).toBe(4)
  }
})
