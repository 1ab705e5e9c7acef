import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

test('variance over many positions rounds as sums along one axis after another do', async () => {
  const shape = [4, 2, 64, 96]
  const data = new Generator(1).normal(4 * 2 * 64 * 96)
  const run = compile((x: Tensor) => ops.variance(x, [0, 2, 3], { correction: 0 }))
  const found = (await run({ dtype: 'float32', shape, data })).array.data
  await run.release()
  for (const channel of [0, 1]) {
    const own = [...data].filter((_, i) => Math.floor(i / (64 * 96)) % 2 === channel)
    const mean = own.reduce((sum, x) => sum + x, 0) / own.length
    const exact = own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length
    expect(Math.abs(Number(found[channel]) / exact - 1)).toBeLessThan(5e-7)
  }
})
