import { expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { movedProducts } from '../../../src/ops/conv/moved-products.ts'
import * as ops from '../../../src/ops/kit.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { expectSame } from '../../support/tensors.ts'

const wave = (shape: readonly number[], step: number, height = 1) => {
  const size = shape.reduce((total, n) => total * n, 1)
  return {
    dtype: 'float32' as const,
    shape,
    data: Float32Array.from({ length: size }, (_, i) => height * Math.sin(step * (i + 1))),
  }
}

/** In float64, place by place: sum over batch and positions of g[p] x[p + place]. One or two axes behind the channels. */
function reference(
  x: ReturnType<typeof wave>,
  g: ReturnType<typeof wave>,
  weight: readonly number[],
  conv: ops.ConvAttributes,
): number[] {
  const size = (shape: readonly number[], axis: number): number => shape[axis] ?? 1
  const [out = 0, perGroup = 0] = weight
  const [kh, kw] = [weight.length > 3 ? size(weight, 2) : 1, size(weight, weight.length - 1)]
  const plane = (shape: readonly number[]): [number, number] => [
    shape.length > 3 ? size(shape, 2) : 1,
    size(shape, shape.length - 1),
  ]
  const [[height, width], [rows, columns]] = [plane(x.shape), plane(g.shape)]
  const of = (list: readonly number[]): [number, number] =>
    list.length > 1 ? [list[0] ?? 0, list[1] ?? 0] : [0, list[0] ?? 0]
  const [[top, left], [dy, dx], [sy, sx]] = [of(conv.before), of(conv.dilation), of(conv.stride)]
  const [n, channels] = [size(x.shape, 0), size(x.shape, 1)]
  const result: number[] = []
  for (let o = 0; o < out; o++)
    for (let c = 0; c < perGroup; c++)
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const channel = Math.floor(o / (out / conv.groups)) * perGroup + c
          let sum = 0
          for (let b = 0; b < n; b++)
            for (let r = 0; r < rows; r++)
              for (let q = 0; q < columns; q++) {
                const [y, z] = [r * sy + i * dy - top, q * sx + j * dx - left]
                if (y < 0 || y >= height || z < 0 || z >= width) continue
                const met = x.data[((b * channels + channel) * height + y) * width + z] ?? 0
                sum += met * (g.data[((b * out + o) * rows + r) * columns + q] ?? 0)
              }
          result.push(sum)
        }
  return result
}

const one = (axes: number): number[] => new Array(axes).fill(1)

interface Case extends Omit<ops.ConvAttributes, 'stride'> {
  readonly name: string
  readonly x: readonly number[]
  readonly weight: readonly number[]
  readonly stride?: readonly number[]
  /** Of the numbers: sums of many are smaller, so that float32 has their fourth digit. */
  readonly height?: number
}

async function checkCase({ name: _, x: shape, weight, height, ...rest }: Case): Promise<void> {
  const conv = { stride: one(rest.before.length), ...rest }
  const spatial = shape.slice(2).map((size, i) => {
    const reach = (conv.dilation[i] ?? 1) * ((weight[i + 2] ?? 1) - 1)
    return Math.floor((size + (conv.before[i] ?? 0) + (conv.after[i] ?? 0) - reach - 1) / (conv.stride[i] ?? 1)) + 1
  })
  const [x, g] = [wave(shape, 0.37, height), wave([shape[0] ?? 0, weight[0] ?? 0, ...spatial], 0.71)]
  const run = compile((input: Tensor, gradient: Tensor) => ops.convWeightGradient(input, gradient, weight, conv))
  const found = await run(x, g)
  await run.release()
  const expected = reference(x, g, weight, conv)
  expect(found.shape).toEqual(weight)
  for (const [i, value] of toNumbers(found.array.data).entries()) expect(value).toBeCloseTo(expected[i] as number, 4)
}

test.each<Case>([
  {
    name: 'as large as the input',
    x: [2, 6, 5, 18],
    weight: [4, 6, 3, 3],
    before: [1, 1],
    after: [1, 1],
    dilation: [1, 1],
    groups: 1,
  },
  {
    name: 'groups, dilation, uneven padding',
    x: [2, 8, 6, 20],
    weight: [4, 4, 2, 3],
    before: [0, 2],
    after: [1, 1],
    dilation: [2, 2],
    groups: 2,
  },
  { name: 'one axis', x: [3, 5, 40], weight: [2, 5, 4], before: [0], after: [3], dilation: [3], groups: 1 },
  {
    name: 'narrow: columns',
    x: [2, 6, 7, 7],
    weight: [4, 6, 3, 3],
    before: [1, 0],
    after: [0, 1],
    dilation: [1, 1],
    groups: 1,
  },
])('weight gradient, stride 1: $name', checkCase)

const square = { before: [1, 1], after: [1, 1], dilation: [1, 1], groups: 1 }

test.each<Case>([
  { name: 'both move', x: [8, 5, 6, 7], weight: [6, 5, 3, 3], ...square },
  { name: 'only the input moves: it has few channels', x: [8, 1, 6, 7], weight: [9, 1, 3, 3], ...square },
  { name: 'only the gradient moves: it has few channels', x: [9, 16, 6, 7], weight: [1, 16, 3, 3], ...square },
  { name: 'many out channels', x: [8, 2, 5, 5], weight: [160, 2, 3, 3], ...square, stride: [2, 2] },
  { name: 'stride', x: [8, 3, 9, 8], weight: [4, 3, 3, 3], ...square, stride: [2, 3] },
  { name: 'stride of one axis', x: [8, 6, 7, 8], weight: [5, 6, 3, 3], ...square, stride: [2, 1] },
  {
    name: 'a kernel of one place, stride',
    x: [8, 3, 7, 7],
    weight: [4, 3, 1, 1],
    ...square,
    before: [0, 0],
    stride: [2, 2],
  },
  {
    name: 'groups, dilation, uneven padding',
    x: [8, 8, 6, 9],
    weight: [4, 4, 2, 3],
    before: [0, 2],
    after: [1, 1],
    dilation: [2, 2],
    groups: 2,
  },
  { name: 'groups of one channel', x: [8, 4, 6, 6], weight: [4, 1, 3, 3], ...square, groups: 4 },
  { name: 'one axis', x: [10, 5, 20], weight: [4, 5, 4], before: [0], after: [3], dilation: [3], groups: 1 },
  { name: 'in parts', x: [8, 12, 64, 64], weight: [12, 12, 3, 3], ...square },
  { name: 'in parts, stride', x: [8, 12, 129, 65], weight: [8, 12, 3, 3], ...square, stride: [2, 2], height: 0.1 },
])('weight gradient, batch of 8 and more: $name', checkCase)

test.each<Case>([
  { name: 'as many channels', x: [2, 32, 8, 9], weight: [32, 32, 3, 3], ...square },
  { name: 'more out channels', x: [3, 16, 9, 8], weight: [34, 16, 3, 3], ...square },
  { name: 'fewer out channels', x: [3, 33, 9, 8], weight: [20, 33, 3, 3], ...square },
  { name: 'fewer out channels, uneven padding', x: [2, 32, 9, 11], weight: [16, 32, 2, 4], ...square, after: [0, 2] },
  { name: 'fewer out channels, wide padding', x: [2, 32, 8, 8], weight: [16, 32, 3, 3], ...square, before: [3, 3] },
  { name: 'stride', x: [2, 32, 17, 19], weight: [33, 32, 3, 3], ...square, stride: [2, 2] },
  { name: 'stride that leaves the last column', x: [2, 32, 18, 18], weight: [32, 32, 3, 3], ...square, stride: [2, 2] },
  { name: 'dilation of rows', x: [2, 32, 12, 10], weight: [32, 32, 3, 3], ...square, dilation: [2, 1] },
  { name: 'dilation of both', x: [2, 32, 12, 12], weight: [32, 32, 3, 3], ...square, dilation: [2, 2] },
  { name: 'one axis', x: [2, 48, 30], weight: [40, 48, 5], before: [2], after: [2], dilation: [1], groups: 1 },
])('weight gradient, many channels: $name', checkCase)

const blocked = { ...square, height: 0.3 }
test.each<Case>([
  { name: 'as many channels, bands', x: [16, 16, 8, 9], weight: [16, 16, 3, 3], ...blocked },
  { name: 'rows that no bands divide', x: [16, 16, 7, 5], weight: [32, 16, 3, 3], ...blocked },
  { name: 'fewer out channels', x: [16, 32, 6, 8], weight: [16, 32, 3, 3], ...blocked },
  { name: 'fewer out channels, no blocks of them', x: [16, 48, 6, 8], weight: [5, 48, 3, 3], ...blocked },
  { name: 'no blocks of in channels', x: [16, 20, 6, 8], weight: [16, 20, 3, 3], ...blocked },
  { name: 'one in channel', x: [32, 1, 9, 8], weight: [16, 1, 3, 3], ...blocked },
  { name: 'groups of examples', x: [160, 16, 5, 6], weight: [16, 16, 3, 3], ...blocked, height: 0.1 },
  { name: 'many channels', x: [48, 96, 6, 6], weight: [80, 96, 3, 3], ...blocked, height: 0.1 },
  { name: 'stride', x: [32, 16, 9, 11], weight: [32, 16, 3, 3], ...blocked, stride: [2, 2] },
  {
    name: 'stride that leaves the last column',
    x: [16, 16, 16, 16],
    weight: [16, 16, 3, 3],
    ...blocked,
    stride: [2, 2],
  },
  { name: 'stride of one axis', x: [16, 16, 9, 8], weight: [16, 16, 3, 3], ...blocked, stride: [3, 1] },
  { name: 'dilation of rows, bands', x: [16, 16, 8, 9], weight: [16, 16, 3, 3], ...blocked, dilation: [2, 1] },
  { name: 'uneven padding', x: [32, 16, 9, 8], weight: [16, 16, 2, 4], ...blocked, before: [0, 2], after: [1, 0] },
  {
    name: 'uneven padding, bands',
    x: [16, 32, 8, 8],
    weight: [16, 32, 4, 2],
    ...blocked,
    before: [2, 0],
    after: [0, 1],
  },
  { name: 'rows of a large picture in bands', x: [32, 16, 40, 36], weight: [64, 16, 3, 3], ...blocked, height: 0.05 },
])('weight gradient, examples and channels in blocks: $name', checkCase)

test('three axes: as products of moved copies', async () => {
  const [weight, shape] = [
    [33, 16, 2, 3, 3],
    [3, 16, 8, 9, 10],
  ]
  const attributes = { stride: one(3), before: [1, 1, 1], after: [0, 1, 1], dilation: one(3), groups: 1 }
  const [x, g] = [wave(shape, 0.37), wave([3, 33, ...shape.slice(2)], 0.71)]
  expect(ops.isWeightConvolution(shape, g.shape, weight, attributes)).toBe(true)
  const run = compile((input: Tensor, gradient: Tensor) => [
    ops.convWeightGradient(input, gradient, weight, attributes),
    movedProducts(input, gradient, weight, attributes),
  ])
  const [found, expected] = (await run(x, g)).map(({ array }) => toNumbers(array.data))
  for (const [i, value] of (found ?? []).entries()) expect(value).toBeCloseTo(expected?.[i] ?? Number.NaN, 3)
  await run.release()
})

test.each([4, 32])('one program for all lengths, %i channels', async (channels) => {
  const step = (x: Tensor, weight: Tensor): Tensor =>
    gradient(ops.sum(ops.square(ops.conv1d(x, weight, undefined, { padding: 1 }))), [weight])[0]
  const [program, forOne] = [compile(step, { dynamic: [{ 2: 'length' }] }), compile(step)]
  for (const length of [20, 33]) {
    const inputs = [wave([8, channels, length], 0.37, 0.1), wave([channels, channels, 3], 0.71, 0.1)] as const
    const [found, expected] = [await program(...inputs), await forOne(...inputs)]
    expectSame([found], [expected])
  }
  expect(program.traces).toHaveLength(1)
  await Promise.all([program.release(), forOne.release()])
})

test('many channels, and whole blocks of examples and channels, are one convolution; few channels and small pictures are products', () => {
  const { stride, ...rest } = { ...square, stride: one(2) }
  const is = (x: readonly number[], out: number, kernel = 3): boolean => {
    const [n = 0, inner = 0, ...sizes] = x
    return ops.isWeightConvolution(x, [n, out, ...sizes], [out, inner, kernel, kernel], { ...rest, stride })
  }
  expect([is([8, 32, 64, 64], 32), is([8, 64, 32, 32], 32), is([16, 64, 16, 16], 64)]).toEqual([true, true, true])
  expect([is([120, 16, 14, 14], 16), is([250, 32, 7, 7], 64), is([8, 3, 64, 64], 32)]).toEqual([false, false, false])
  expect([is([128, 16, 14, 14], 16), is([256, 32, 7, 7], 64), is([256, 64, 2, 2], 64)]).toEqual([true, true, false])
  expect([is([8, 512, 4, 4], 512), is([8, 64, 64, 64], 64, 1)]).toEqual([false, false])
})
