/** 3x3 convolutions with many channels by tiles of 2x2 results: the same numbers as ONNX's own operators give. */
import { expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import type { CompileOptions } from '../../../src/compile/program.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { type ConvolutionCase, convolution } from '../../support/convolutions.ts'
import { randomNumbers, sampleArray } from '../../support/gradients.ts'
import { expectSame } from '../../support/tensors.ts'

const cases: ConvolutionCase[] = [
  { x: [2, 96, 12, 12], weight: [96, 96, 3, 3], options: { padding: 1 } },
  // Odd sizes, whose last tiles are half outside; other channels in than out; zeros on one side more than on the other, none, more than the kernel reaches.
  { x: [3, 100, 11, 13], weight: [96, 100, 3, 3], options: { padding: 1 } },
  { x: [2, 96, 16, 13], weight: [110, 96, 3, 3], options: {} },
  { x: [2, 96, 12, 11], weight: [96, 96, 3, 3], options: { padding: [2, 0] } },
  { x: [2, 96, 12, 11], weight: [96, 96, 3, 3], options: { padding: 3 } },
  // Parts of the tiles: of several examples, the last one smaller; of one example.
  { x: [9, 96, 22, 23], weight: [96, 96, 3, 3], options: { padding: 1 } },
  { x: [1, 96, 62, 64], weight: [96, 96, 3, 3], options: { padding: 1 } },
]

test.each(cases)('$x with $weight, $options: as without tiles', async (sample) => {
  const { step, inputs } = convolution(sample)
  const [here, anywhere] = [compile(step), compile(step, { fused: false })]
  const expected = await anywhere(...inputs)
  expectSame(await here(...inputs), expected)
  for (const tensor of expected) expect(toNumbers(tensor.array.data).some((value) => value !== 0)).toBe(true)
  await Promise.all([here.release(), anywhere.release()])
})

/** Kernels of a step with a convolution of this many channels at 16 x 16 pixels. */
async function kernelsWith(
  channels: number,
  options: CompileOptions = {},
  conv: ops.ConvOptions = {},
): Promise<Set<string>> {
  const { step, inputs } = convolution({
    x: [2, channels, 16, 16],
    weight: [channels, channels, 3, 3],
    options: { padding: 1, ...conv },
  })
  const run = compile(step, options)
  const { rows } = await run.profile(1, ...inputs)
  await run.release()
  return new Set(rows.map(({ kernel }) => kernel))
}

test('a step with many channels multiplies tiles; few channels, strides and models for other places do not', async () => {
  expect(await kernelsWith(96)).not.toContain('Conv')
  expect(await kernelsWith(80)).toContain('Conv')
  expect(await kernelsWith(96, {}, { stride: 2 })).toContain('Conv')
  expect(await kernelsWith(96, { fused: false })).toContain('Conv')
})

test('one program for all batches', async () => {
  const step = (input: Tensor, kernel: Tensor): Tensor[] => {
    const y = ops.conv2d(input, kernel, undefined, { padding: 1 })
    return [y, ...gradient(ops.sum(ops.mul(y, y)), [input, kernel])]
  }
  const any = compile(step, { dynamic: [{ 0: 'batch' }, {}] })
  const each = compile(step)
  const random = randomNumbers(3)
  const weight = sampleArray([96, 96, 3, 3], random)
  for (const batch of [2, 5]) {
    const x = sampleArray([batch, 96, 12, 12], random)
    expectSame(await any(x, weight), await each(x, weight))
  }
  await Promise.all([any.release(), each.release()])
})

test('gradients of gradients', async () => {
  const step = (input: Tensor, kernel: Tensor): Tensor[] => {
    const y = ops.conv2d(input, kernel, undefined, { padding: 1 })
    const first = gradient(ops.mean(ops.mul(y, ops.mul(y, y))), [input, kernel])
    return gradient(ops.sum(ops.concat(first.map((g) => ops.reshape(ops.mul(g, g), [-1])))), [input, kernel])
  }
  const [here, anywhere] = [compile(step), compile(step, { fused: false })]
  const random = randomNumbers(4)
  const inputs = [sampleArray([2, 96, 12, 12], random), sampleArray([96, 96, 3, 3], random)] as const
  expectSame(await here(...inputs), await anywhere(...inputs))
  await Promise.all([here.release(), anywhere.release()])
})
