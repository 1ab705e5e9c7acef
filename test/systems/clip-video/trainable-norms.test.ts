/** Values of PyTorch 2.15: `F.instance_norm(x, mean, var, None, None, training, 0.1, 1e-5)`, and the biased variance of `x.var`. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { layerMaker } from '../../../src/systems/clip-video/biggan/spectral-layers.ts'
import { ConditionalNorm, OutputNorm } from '../../../src/systems/clip-video/biggan/trainable-norms.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const x = {
  dtype: 'float32',
  shape: [2, 2, 2, 2],
  data: Float32Array.from({ length: 16 }, (_, i) => ((i * i * 7) % 11) / 4 - 1),
} as const

/** A norm without a condition, of two channels with the running means 0.5, -0.5 and variances 2, 3. */
function normOf(settings: { readonly norm_style: string; readonly mybn?: boolean; readonly cross_replica?: boolean }) {
  const norm = new ConditionalNorm(2, 1, layerMaker(undefined), { BN_eps: 1e-5, mybn: false, ...settings })
  const variables = norm.variables()
  const [mean, variance] = [/_mean$/, /_var$/].map((end) => [...variables].find(([name]) => end.test(name))?.[1])
  mean?.set([0.5, -0.5])
  variance?.set([2, 3])
  const run = compile((input: Tensor) => norm.forward(input, ops.zeros([2, 1])))
  return { norm, run: async () => (await run(x)).numbers(), running: () => [mean?.data, variance?.data] }
}

const near = (expected: readonly number[]) => expected.map((value) => expect.closeTo(value, 5))

test('by pictures: running statistics are the means over them', async () => {
  const { norm, run, running } = normOf({ norm_style: 'in' })
  const first = (await run()).flat(3)
  expect(first.slice(0, 4)).toEqual(near([-1.6867466, 0.5622489, 0.2409638, 0.883534]))
  expect(running().map((values) => [...(values ?? [])])).toEqual([
    near([0.48125, -0.403125]),
    near([1.8807291, 2.788281]),
  ])
  norm.stored_mean?.set([0.5, -0.5])
  norm.stored_var?.set([2, 3])
  norm.eval()
  expect((await run()).flat(3).slice(0, 6)).toEqual(near([-1.0606575, 0.1767762, 0, 0.3535525, 0, 1.1546986]))
})

test("the official code's own: the running variance is the biased one, below `bn`", async () => {
  const { norm, run, running } = normOf({ norm_style: 'bn', mybn: true })
  expect([...norm.stateDict().keys()].filter((name) => name.includes('bn.'))).toEqual([
    'bn.stored_mean',
    'bn.stored_var',
    'bn.accumulation_counter',
  ])
  await run()
  expect([...(running()[1] ?? [])]).toEqual(near([1.8605468, 2.7663083]))
})

test('no norm: nothing to keep, nothing done', async () => {
  const { norm, run } = normOf({ norm_style: 'nonorm' })
  expect([...norm.stateDict().keys()].filter((name) => name.includes('stored'))).toEqual([])
  expect((await run()).flat(3)).toEqual([...x.data])
})

test('on one device of several: the gain is added, the running variance unbiased, batches are not counted', async () => {
  const { norm, run, running } = normOf({ norm_style: 'in', mybn: true, cross_replica: true })
  expect([...norm.stateDict().keys()]).toEqual([
    'bn.running_mean',
    'bn.running_var',
    'bn.num_batches_tracked',
    'gain.weight',
    'bias.weight',
  ])
  // Without a condition the gain is 1.
  expect((await run()).flat(3).slice(0, 4)).toEqual(near([-0.6867466, 1.5622489, 1.2409638, 1.883534]))
  expect(running().map((values) => [...(values ?? [])])).toEqual([
    near([0.48125, -0.403125]),
    near([1.8691964, 2.7757812]),
  ])
  expect([...(norm.stateDict().get('bn.num_batches_tracked')?.data ?? [])]).toEqual([0n])
  norm.eval()
  expect((await run()).flat(3)[0]).toBeCloseTo((-1 - 0.48125) / Math.sqrt(1.86919) + 1, 4)
  const output = new OutputNorm(2, { BN_eps: 1e-4, norm_style: 'bn', mybn: false, cross_replica: true })
  output.bias.set([0.25, 0])
  const found = await (await compile((input: Tensor) => output.forward(input))(x)).numbers()
  expect(found.flat(3)[0]).toBeCloseTo(-1.68675 + 1.25, 4)
})
