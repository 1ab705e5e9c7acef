/** Names and arguments of PyTorch's that the reference entries at hand do not have. */
import { describe, expect, test } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { evaluate } from '../../src/compile/program.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import type { Settings } from '../../src/verify/target.ts'
import { opTargets } from '../../src/verify/targets/index.ts'

const row = tensor([1, 2, 3, 4])
const twice = tensor([1, 3, 1], 'int64')
const once = tensor([3, 0], 'int64')
const matrix = tensor([
  [1, 2, 4],
  [0, 3, 1],
])
const whole = tensor([6, -5], 'int32')

test.each<[string, Settings, Record<string, Tensor>, number[]]>([
  ['torch.scatter', { dim: 0, value: 9 }, { input: row, index: once }, [9, 2, 3, 9]],
  ['torch.scatter', { dim: 0 }, { input: row, index: once, src: tensor([7, 8]) }, [8, 2, 3, 7]],
  ['torch.scatter', { dim: 0, value: 2, reduce: 'multiply' }, { input: row, index: twice }, [1, 8, 3, 8]],
  ['torch.scatter', { dim: 0, value: 2, reduce: 'add' }, { input: row, index: twice }, [1, 6, 3, 6]],
  [
    'torch.scatter_reduce',
    { dim: 0, reduce: 'mean', include_self: false },
    { input: row, index: twice, src: tensor([5, 6, 9]) },
    [1, 7, 3, 6],
  ],
  ['torch.index_copy', { dim: 0 }, { input: row, index: once, source: tensor([7, 8]) }, [8, 2, 3, 7]],
  [
    'torch.index_put',
    { accumulate: true },
    { input: row, 'indices.0': tensor([-1, 0, -1], 'int64'), values: tensor([10, 20, 30]) },
    [21, 2, 3, 44],
  ],
  [
    'torch.masked_scatter',
    {},
    { input: row, mask: tensor([0, 1, 0, 1], 'uint8'), source: tensor([8, 9]) },
    [1, 8, 3, 9],
  ],
  ['index', {}, { input: matrix, 'indices.0': tensor([0, -1], 'int64'), 'indices.1': tensor(1, 'int64') }, [2, 3]],
  ['index', { axes: [1] }, { input: matrix, 'indices.0': tensor([-1], 'int64') }, [4, 1]],
  [
    'torch.nn.functional.embedding_bag',
    { mode: 'sum', padding_idx: null, include_last_offset: false },
    { input: tensor([0, 1, 1], 'int64'), weight: matrix, offsets: tensor([0, 2], 'int64') },
    [1, 5, 5, 0, 3, 1],
  ],
  ['torch.Tensor.unfold', { dimension: 0, size: 3, step: 1 }, { input: row }, [1, 2, 3, 2, 3, 4]],
  ['torch.bitwise_and', { other: 3 }, { input: whole }, [2, 3]],
  ['torch.bitwise_right_shift', { other: 1 }, { input: whole }, [3, -3]],
  ['torch.bitwise_not', {}, { input: whole }, [-7, 4]],
  ['torch.heaviside', { values: 0.5 }, { input: tensor([-1, 0, 2]) }, [0, 0.5, 1]],
  ['torch.nansum', { dim: null, keepdim: false }, { input: tensor([1, Number.NaN, 2]) }, [3]],
  ['torch.nanmean', { dim: 0 }, { input: tensor([1, Number.NaN, 2]) }, [1.5]],
  ['torch.cov', { correction: 0 }, { input: tensor([1, 3]), fweights: tensor([3, 1], 'int64') }, [0.75]],
  [
    'torch.corrcoef',
    {},
    {
      input: tensor([
        [1, 2],
        [4, 3],
      ]),
    },
    [1, -1, -1, 1],
  ],
  ['torch.nn.functional.one_hot', { num_classes: -1 }, { input: tensor([1, 2], 'int64') }, [0, 1, 0, 0, 0, 1]],
  ['torch.nn.functional.one_hot', { num_classes: 2 }, { input: tensor([1], 'int64') }, [0, 1]],
  ['torch.bincount', { minlength: 0 }, { input: tensor([1, 3, 1], 'int64') }, [0, 2, 0, 1]],
  ['torch.bincount', { minlength: 3 }, { input: tensor([1], 'int64') }, [0, 1, 0]],
  ['torch.pow', { exponent: 3 }, { input: tensor([-2, 3], 'int64') }, [-8, 27]],
  ['torch.sum', { dim: null, keepdim: false }, { input: tensor([1, 0, 1], 'uint8') }, [2]],
  ['torch.nn.functional.linear', {}, { input: matrix, weight: tensor([1, 0, 2]), bias: tensor(1) }, [10, 3]],
  ['torch.nn.functional.conv1d', {}, { input: matrix, weight: tensor([[[1], [-1]]]) }, [1, -1, 3]],
  ['torch.nn.functional.avg_pool1d', { kernel_size: 2, stride: 1 }, { input: matrix }, [1.5, 3, 1.5, 2]],
  ['torch.sqrt', {}, { input: tensor([4, 9], 'int64') }, [2, 3]],
  ['torch.floor', {}, { input: whole }, [6, -5]],
  ['torch.std_mean', { dim: [0], correction: 0 }, { input: tensor([1, 3]) }, [1]],
  ['torch.inner', {}, { input: matrix, other: matrix }, [21, 10, 10, 10]],
  ['torch.addr', { beta: 0, alpha: 2 }, { input: matrix, vec1: tensor([1, 2]), vec2: row }, [2, 4, 6, 8, 4, 8, 12, 16]],
  ['torch.addmv', { beta: 3 }, { input: tensor([1, 2]), mat: matrix, vec: tensor([1, 0, 1]) }, [8, 7]],
  ['torch.repeat_interleave', { dim: 0 }, { input: matrix, repeats: tensor([0, 2], 'int64') }, [0, 3, 1, 0, 3, 1]],
  ['torch.narrow', { dim: 1, start: 1, length: 2 }, { input: matrix }, [2, 4, 3, 1]],
  ['torch.unbind', { dim: -1 }, { input: matrix }, [1, 0]],
  ['torch.bucketize', { right: true }, { input: tensor([2, 5]), boundaries: row }, [2, 4]],
  ['torch.nn.functional.unfold', { kernel_size: [2, 1] }, { input: tensor([[[1], [2], [3]]]) }, [1, 2, 2, 3]],
  ['torch.nn.functional.fold', { output_size: [1, 2], kernel_size: 1 }, { input: tensor([[5, 6]]) }, [5, 6]],
  [
    'torch.nn.functional.pixel_shuffle',
    { upscale_factor: 2 },
    { input: tensor([[[[[1]], [[2]], [[3]], [[4]]]]]) },
    [1, 2, 3, 4],
  ],
  // A picture's axis whose size stays is copied, whatever the factor.
  [
    'torch.nn.functional.interpolate',
    { mode: 'nearest', scale_factor: [1, 1.3] },
    { input: tensor([[[[1, 2]]]]) },
    [1, 2],
  ],
  ['torch.nn.functional.interpolate', { mode: 'nearest', scale_factor: 1.3 }, { input: tensor([[[1, 2]]]) }, [1, 1]],
  [
    'torch.nn.functional.affine_grid',
    { size: [1, 1, 1, 1, 2] },
    {
      theta: tensor([
        [
          [1, 0, 0, 0],
          [0, 1, 0, 2],
          [0, 0, 1, 3],
        ],
      ]),
    },
    [-0.5, 2, 3, 0.5, 2, 3],
  ],
  [
    'torch.nn.functional.grid_sample',
    {},
    { input: tensor([[[[[1, 2]], [[3, 6]]]]]), grid: tensor([[[[[0, 0, 0.25]]]]]) },
    [3.75],
  ],
  ['torch.diff', { n: 1, dim: -1 }, { input: row, append: tensor([9]) }, [1, 1, 1, 5]],
])('%s %j', async (op, settings, inputs, expected) => {
  const target = opTargets[op]
  if (!target) throw new Error(`no target of ${op}`)
  const valuesOf = (name: string): readonly number[] => toNumbers(inputs[name]?.array.data ?? new Float32Array())
  const outputs = [target({ settings, inputs, valuesOf })].flat() as Tensor[]
  const [found] = await evaluate(outputs)
  for (const [i, value] of toNumbers(found?.data ?? new Float32Array()).entries())
    expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6)
  expect(found?.data.length).toBe(expected.length)
})

describe('embedding', () => {
  const embedding = (settings: Settings) => {
    const target = opTargets['torch.nn.functional.embedding']
    if (!target) throw new Error('no target')
    const run = compile((weight: Tensor, input: Tensor, incoming: Tensor) => {
      const rows = [target({ settings, inputs: { weight, input }, valuesOf: () => [] })].flat() as Tensor[]
      return { rows, gradients: vectorJacobianProduct(rows, [incoming], [weight]) }
    })
    return async () => {
      const incoming = tensor([
        [1, 1],
        [2, 2],
        [3, 4],
      ])
      const table = tensor([
        [3, 4],
        [0, 1],
        [30, 40],
      ])
      const { rows, gradients } = await run(table, tensor([0, 1, 0], 'int64'), incoming)
      const found = await Promise.all([rows, gradients].map(([first]) => first?.numbers()))
      await run.release()
      return found
    }
  }

  test('rows that are looked up are no longer than max_norm, and get the gradient that the shortened ones have', async () => {
    const [rows, gradient] = await embedding({ max_norm: 2.5 })()
    for (const [i, value] of [1.5, 2, 0, 1, 1.5, 2].entries()) expect(rows?.[i]).toBeCloseTo(value, 5)
    expect(gradient).toEqual([4, 5, 2, 2, 0, 0])
  })

  test('gradients by how often a row occurs', async () => {
    const [rows, gradient] = await embedding({ scale_grad_by_freq: true })()
    expect(rows).toEqual([3, 4, 0, 1, 3, 4])
    expect(gradient).toEqual([2, 2.5, 2, 2, 0, 0])
  })
})

test('attention whose first axis is the sequence', async () => {
  const target = opTargets.mha
  if (!target) throw new Error('no target')
  const eye = tensor([[1], [1], [1]])
  const inputs = { in_proj_weight: eye, out_proj_weight: tensor([[1]]) }
  const [query, key, value] = [tensor([[[1], [2]]]), tensor([[[0], [0]]]), tensor([[[5], [7]]])]
  const first = { ...inputs, query, key, value }
  const [found] = await evaluate(
    [target({ settings: { num_heads: 1, batch_first: false }, inputs: first, valuesOf: () => [] })].flat() as Tensor[],
  )
  // Two batches of one token each: [1, 2, 1].
  expect(found?.shape).toEqual([1, 2, 1])
  expect(toNumbers(found?.data ?? new Float32Array())).toEqual([5, 7])
})
