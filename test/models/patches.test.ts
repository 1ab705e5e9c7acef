import { expect, test } from 'vitest'
import '../../src/index.ts'
import { compile } from '../../src/compile/compile.ts'
import { PatchEmbed, patchify, unpatchify } from '../../src/models/patches.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** [2, 2, 4, 6], each number its own. */
const pictures = (): Tensor => ops.reshape(ops.cast(ops.arange(96), 'float32'), [2, 2, 4, 6])

test('patches row by row, in each the pixels row by row, the channels of a pixel together', async () => {
  const patches = patchify(pictures(), [2, 3])
  expect(patches.shape).toEqual([2, 4, 12])
  const numbers = await patches.numbers()
  expect(numbers.slice(0, 12)).toEqual([0, 24, 1, 25, 2, 26, 6, 30, 7, 31, 8, 32])
  expect(numbers.slice(12, 16)).toEqual([3, 27, 4, 28])
  expect(numbers.slice(24, 28)).toEqual([12, 36, 13, 37])
})

test('unpatchify is the way back', async () => {
  const back = unpatchify(patchify(pictures(), [2, 3]), [2, 3], [4, 6])
  expect(back.shape).toEqual([2, 2, 4, 6])
  expect(await back.numbers()).toEqual(Array.from({ length: 96 }, (_, i) => i))
})

test('an embedding maps the pixels of each patch', async () => {
  const model = new PatchEmbed(2, 5, [2, 3])
  expect([...model.stateDict()].map(([name, { shape }]) => [name, shape])).toEqual([
    ['proj.weight', [5, 2, 2, 3]],
    ['proj.bias', [5]],
  ])
  const run = compile((images: Tensor) => {
    const weight = ops.reshape(ops.permute(model.proj.weight, [0, 2, 3, 1]), [5, 12])
    return {
      found: model.forward(images),
      grid: model.grid(images),
      expected: ops.linear(patchify(images, [2, 3]), weight, model.proj.bias),
    }
  })
  const { found, grid, expected } = await run(
    await pictures()
      .data()
      .then((data) => ({ dtype: 'float32', shape: [2, 2, 4, 6], data })),
  )
  expect(found.shape).toEqual([2, 4, 5])
  expect(grid.shape).toEqual([2, 5, 2, 2])
  const wanted = toNumbers(expected.array.data)
  for (const [i, value] of toNumbers(found.array.data).entries()) expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, 3)
})

test.each<[string, () => unknown]>([
  ['patchify: pictures of 4x6 pixels cannot be cut into patches of 4x4', () => patchify(pictures(), 4)],
  [
    'PatchEmbed: pictures of 4x6 pixels cannot be cut into patches of 3x2',
    () => new PatchEmbed(2, 5, [3, 2]).forward(pictures()),
  ],
  [
    'unpatchify: a picture of 2x2 patches of 2x3 pixels needs [N, 4, 6 C], found float32[2, 3, 12]',
    () => unpatchify(ops.zeros([2, 3, 12]), [2, 3], [4, 6]),
  ],
])('%s', (message, make) => {
  expect(make).toThrow(expect.objectContaining({ message }) as Error)
})
