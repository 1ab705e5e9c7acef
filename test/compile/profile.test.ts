import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { formatProfile, groupRows } from '../../src/compile/profile.ts'
import { Linear, Sequential } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { SGD } from '../../src/optim/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

const layer = new Linear(3, 2)
const optimizer = new SGD(layer.parameters(), { lr: 1 })
const step = compile((x: Tensor) => {
  const loss = ops.mean(ops.exp(layer.forward(x)))
  optimizer.minimize(loss)
  return { loss }
})
const x = tensor([[1, 2, 3]])

test('a profile counts kernels of one call, forward and backward, at the line of the forward pass', async () => {
  const profile = await step.profile(3, x)
  expect(profile.calls).toBe(3)
  const kernels = groupRows(profile.rows, 'kernel')
  expect(kernels.find(({ name }) => name === 'Exp')).toMatchObject({ count: 1 })
  const products = profile.rows.filter(({ kernel }) => /Gemm|MatMul/.test(kernel))
  expect(products.length).toBeGreaterThan(0)
  // The forward product and the weight's gradient; a sum over rows is a product too, and the runtime may join nodes.
  expect(products.map(({ place }) => place)).toContainEqual(expect.stringMatching(/^Linear/))
  expect(profile.products).toBeGreaterThan(0)
  expect(profile.rows.some(({ place }) => place.includes('profile.test.ts:'))).toBe(true)
  const sum = profile.rows.reduce((total, row) => total + row.milliseconds, 0)
  expect(profile.milliseconds).toBeCloseTo(sum, 6)
})

test('counts are whole numbers, whatever the number of calls', async () => {
  const { rows } = await step.profile(7, x)
  expect(rows.map(({ count }) => count)).toEqual(rows.map(({ count }) => Math.max(1, Math.round(count))))
})

test('profiling changes no variable', async () => {
  const before = [...layer.stateDict().values()].map(({ data }) => Array.from(data as Float32Array))
  await step.profile(2, x)
  expect([...layer.stateDict().values()].map(({ data }) => Array.from(data as Float32Array))).toEqual(before)
  expect(optimizer.steps.array.data).toEqual(BigInt64Array.of(0n))
})

test('the line of the model is found through modules in modules', async () => {
  const nested = Array.from({ length: 4 }).reduce<Sequential>((inner) => new Sequential(inner), new Sequential(layer))
  const { rows } = await compile((input: Tensor) => nested.forward(input)).profile(1, x)
  expect(rows.find(({ kernel }) => /Gemm|MatMul/.test(kernel))?.place).toMatch(
    /^Sequential\.[\w.]+ \(profile\.test\.ts:\d+\)$/,
  )
})

test('as a text: two tables', async () => {
  const text = formatProfile(await step.profile(1, x))
  expect(text).toMatch(/ms a step inside of kernels, the mean of 1 steps; [\d.]+ % in matrix products/)
  expect(text).toMatch(/by kernel\n(.* x {2}\w+\n)+\nby line of the model/)
})
