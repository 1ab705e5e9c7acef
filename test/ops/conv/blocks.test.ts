/** Blocked kernels, the kernel turned around and ONNX's own operators compute the same convolutions and gradients. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import type { CompileOptions } from '../../../src/compile/program.ts'
import { hasBlockedConvolutions } from '../../../src/runtime/node.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { type ConvolutionCase, convolution } from '../../support/convolutions.ts'
import { expectSame } from '../../support/tensors.ts'

const cases: ConvolutionCase[] = [
  { x: [2, 32, 24, 24], weight: [16, 32, 3, 3], options: { padding: 1 } },
  { x: [3, 16, 20, 22], weight: [48, 16, 3, 3], options: {} },
  { x: [2, 16, 25, 27], weight: [32, 16, 3, 2], options: { padding: 'same' } },
  { x: [4, 16, 33, 34], weight: [16, 16, 3, 3], options: { stride: [2, 1], padding: [1, 0] } },
  { x: [1, 32, 40, 40], weight: [16, 32, 3, 3], options: { dilation: [2, 3], padding: 2 } },
  { x: [16, 16, 9, 9], weight: [16, 16, 5, 5], options: { padding: 2 } },
  // Gradients of strides in phases: of both axes, of one, of three, with a larger kernel, without padding, with a row that no place meets.
  { x: [64, 16, 10, 8], weight: [32, 16, 3, 3], options: { stride: 2, padding: 1 } },
  { x: [64, 32, 10, 6], weight: [16, 32, 3, 3], options: { stride: [2, 1], padding: 1 } },
  { x: [64, 16, 15, 12], weight: [16, 16, 3, 3], options: { stride: 3, padding: 1 } },
  { x: [64, 16, 12, 12], weight: [16, 16, 4, 5], options: { stride: 2, padding: [1, 2] } },
  { x: [64, 16, 12, 12], weight: [16, 16, 3, 3], options: { stride: 2 } },
  { x: [64, 16, 12, 12], weight: [16, 16, 1, 1], options: { stride: 2 } },
  { x: [3, 16, 24, 24], weight: [16, 16, 5, 5], options: { stride: 5, padding: 2 } },
  { x: [2, 16, 24, 23], weight: [32, 16, 3, 3], options: { stride: 2, padding: 1 } },
  { x: [2, 16, 23, 25], weight: [32, 16, 4, 5], options: { stride: [3, 2], padding: [1, 2] } },
  // As many channels as no block takes, groups, few positions, more padding than the kernel reaches.
  { x: [2, 12, 24, 24], weight: [16, 12, 3, 3], options: { padding: 1 } },
  { x: [2, 32, 24, 24], weight: [32, 16, 3, 3], options: { padding: 1, groups: 2 } },
  { x: [2, 16, 6, 6], weight: [16, 16, 3, 3], options: { padding: 1 } },
  { x: [2, 16, 24, 24], weight: [16, 16, 2, 2], options: { padding: 3 } },
]

test.each(cases)('$x with $weight, $options: as without the kernels of the runtime', async (sample) => {
  const { step, inputs } = convolution(sample)
  const [here, anywhere] = [compile(step), compile(step, { fused: false })]
  const [found, expected] = [await here(...inputs), await anywhere(...inputs)]
  expectSame(found, expected)
  for (const tensor of expected) expect(toNumbers(tensor.array.data).some((value) => value !== 0)).toBe(true)
  await Promise.all([here.release(), anywhere.release()])
})

/** Kernels of a step with 3x3 convolutions of this many channels at 24 x 24 pixels. */
async function kernelsWith(channels: number, options: CompileOptions = {}): Promise<Set<string>> {
  const { step, inputs } = convolution({
    x: [2, channels, 24, 24],
    weight: [channels, channels, 3, 3],
    options: { padding: 1 },
  })
  const { rows } = await compile(step, options).profile(1, ...inputs)
  return new Set(rows.map(({ kernel }) => kernel))
}

test.runIf(hasBlockedConvolutions)('a step takes the blocked kernels where channels fill blocks', async () => {
  expect(await kernelsWith(16)).toContain('ReorderInput')
  expect(await kernelsWith(12)).not.toContain('ReorderInput')
  expect(await kernelsWith(16, { fused: false })).not.toContain('ReorderInput')
})

test('a gradient with stride 1 is a convolution with the kernel turned around, ConvTranspose in a model for other places', async () => {
  expect(await kernelsWith(12)).not.toContain('ConvTranspose')
  expect(await kernelsWith(12, { fused: false })).toContain('ConvTranspose')
})

test.runIf(hasBlockedConvolutions)(
  'a gradient with strides is a convolution for each phase that meets the kernel',
  async () => {
    const kernels = async (side: number, kernel: number): Promise<Set<string>> => {
      const options = { stride: 2, padding: (kernel - 1) / 2 }
      const { step, inputs } = convolution({ x: [4, 16, side, side], weight: [16, 16, kernel, kernel], options })
      const { rows } = await compile(step).profile(1, ...inputs)
      return new Set(rows.map(({ kernel }) => kernel))
    }
    expect(await kernels(12, 3)).not.toContain('ConvTranspose')
    expect(await kernels(13, 3)).not.toContain('ConvTranspose')
    expect(await kernels(12, 1)).toContain('ConvTranspose')
  },
)
