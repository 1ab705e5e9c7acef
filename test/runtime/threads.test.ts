import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

const squared = (threads: number) => compile((x: Tensor) => ops.mul(x, x), { threads })(tensor([1, 2, 3]))

test('more threads than cores are as many as there are cores, and a warning', async () => {
  const warned = once(process, 'warning')
  expect(await (await squared(9999)).numbers()).toEqual([1, 4, 9])
  const [warning] = await warned
  expect([warning.name, warning.message]).toEqual([
    'TenfoldWarning',
    `9999 threads are more than this machine has cores: ${availableParallelism()} are used`,
  ])
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%d threads', async (threads) => {
  await expect(squared(threads)).rejects.toMatchObject({
    name: 'UsageError',
    message: `threads: must be a whole number of at least 1, found ${threads}`,
  })
})
