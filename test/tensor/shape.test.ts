import { expect, test } from 'vitest'
import { channelSizes, sizeOf, sizes } from '../../src/tensor/shape.ts'

test('sizes: a tuple, or an error for another number of axes', () => {
  const [n, c, h, w] = sizes([2, 3, 4, 5], 4)
  expect([n, c, h, w]).toEqual([2, 3, 4, 5])
  expect(sizes([], 0)).toEqual([])
  expect(() => sizes([2, 3], 4)).toThrow('a tensor of 4 axes is needed, found shape [2, 3]')
})

test('channelSizes: two sizes and the others', () => {
  const [n, c, ...spatial] = channelSizes([2, 3, 4, 5])
  expect([n, c, spatial]).toEqual([2, 3, [4, 5]])
  expect(channelSizes([2, 3])).toEqual([2, 3])
  expect(() => channelSizes([2])).toThrow('axis 1 does not exist in shape [2]')
})

test('sizeOf: an axis from the front or from the end', () => {
  expect([sizeOf([2, 3], 1), sizeOf([2, 3], -2)]).toEqual([3, 2])
  expect(() => sizeOf([2, 3], -3)).toThrow('axis -3 does not exist in shape [2, 3]')
})
