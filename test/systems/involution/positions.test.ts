import { expect, test } from 'vitest'
import { involution } from '../../../src/systems/involution/index.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { CaseTensors } from '../../../src/verify/reads.ts'
import { asGiven } from '../../../src/verify/rounding.ts'

const array = (shape: readonly number[], values: readonly number[]): NDArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
})

test('the core has as many positions as kernels: floor(5 / 2), though three windows would fit', async () => {
  const rule = involution.targets?.find(({ target }) => target instanceof RegExp && target.test('_involution_cuda'))
  const tensors = new CaseTensors([
    ['input/input', array([1, 1, 1, 5], [1, 2, 3, 4, 5])],
    ['input/weight', array([1, 1, 1, 3, 1, 2], [1, 10, 1, 100, 1, 1000])],
    ['input/cotangent', array([1, 1, 1, 2], [1, 1])],
  ])
  const config = {
    stride: [1, 2],
    padding: [0, 1],
    dilation: 1,
    channels: 1,
    groups: 1,
    kernel_size: [1, 3],
    bias: null,
  }
  const reference = {
    system: 'involution',
    name: 'odd',
    target: '',
    mode: 'eval',
    config,
    fields: {},
    folder: '',
    tensors,
  }
  const found = await rule?.run({ ...reference, tolerance: { atol: 0, rtol: 0 }, rounding: asGiven })
  // The windows are (0 1 2) and (2 3 4).
  expect([...(found?.get('output/out')?.data ?? [])]).toEqual([3, 4320])
  expect([...(found?.get('grad_input/input')?.data ?? [])]).toEqual([1, 11, 100, 1000, 0])
})
