/** Walks the registry of ops: with an axis that grows, one program gives what programs for each size give, gradients too. */
import { expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/kit.ts'
import { elementCount, fromNumbers, type NDArray } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const definitions = Object.values(ops).filter(ops.isOpDefinition)

/** One element, a prime number, many. */
const sizes = [1, 7, 53] as const

/** Why the samples of an op cannot grow where it could be expected. */
const limits: Readonly<Record<string, RegExp>> = {
  // A kernel that covers another part of the axis is another sum.
  conv: /the graph depends on the size/,
  convTranspose: /the graph depends on the size/,
  // At size 1 whole rows of the kernel lie outside of the input, and are left out.
  involutionWeightGradient: /failed in the runtime/,
  // Windows that do not divide the axis leave a rest.
  maxPool: /the graph depends on the size|after of padConstant/,
  scatterAdd: /the graph depends on the size/,
  // What is counted from the end is not there at size 1; every second element is a rounded number.
  slice: /sizes of slice|has no elements/,
  split: /the graph depends on the size/,
  // Its kernel is as large as the picture. Gradients of convolutions take another form where sizes change.
  weightConvolution: /the graph depends on the size/,
}

interface Input {
  readonly shape: readonly number[]
  readonly dtype?: NDArray['dtype']
  readonly range?: readonly [number, number]
  readonly values?: readonly number[]
}

function inputsOf({ inputs }: ops.Sample): Input[] {
  return inputs.map((input) => ('shape' in input ? input : { shape: input }))
}

/** The sample's input with every axis of size `from` as long as `to`. */
function grown({ shape: given, dtype = 'float32', range = [-1, 1], values }: Input, from: number, to: number): NDArray {
  const shape = given.map((size) => (size === from ? to : size))
  const numbers = Array.from({ length: elementCount(shape) }, (_, i) => {
    if (values) return values[i % values.length] ?? 0
    return dtype === 'float32' ? range[0] + (range[1] - range[0]) * ((0.618 * (i + 1)) % 1) : i % 2
  })
  return { dtype, shape, data: fromNumbers(dtype, numbers) }
}

/** The outputs, and gradients of their mean squares by the inputs. */
function traced(op: (typeof definitions)[number], sample: ops.Sample): (...inputs: Tensor[]) => Tensor[] {
  return (...inputs) => {
    const outputs = [sample.call(...inputs)].flat() as Tensor[]
    const [losses, targets] = [outputs, inputs].map((list) => list.filter(({ dtype }) => dtype === 'float32'))
    if (!op.gradient || !losses?.length || !targets?.length) return outputs
    const loss = ops.addAll(losses.map((output) => ops.mean(ops.mul(output, output))))
    return [...outputs, ...gradient(loss, targets)]
  }
}

async function compare(
  op: (typeof definitions)[number],
  sample: ops.Sample,
  from: number,
): Promise<'compared' | 'refused'> {
  const inputs = inputsOf(sample)
  const fn = traced(op, sample)
  const each = compile(fn, { onTrace: () => undefined })
  const expected: { readonly args: NDArray[]; readonly results: Tensor[] }[] = []
  for (const size of sizes) {
    const args = inputs.map((input) => grown(input, from, size))
    try {
      expected.push({ args, results: await each(...args) })
    } catch {
      // The sample is not one for every size.
    }
  }
  await each.release()
  if (expected.length < 2) return 'refused'
  const dynamic = inputs.map(({ shape }) =>
    Object.fromEntries(shape.flatMap((size, axis) => (size === from ? [[axis, 'size']] : []))),
  )
  const one = compile(fn, { dynamic })
  for (const { args, results } of expected) {
    for (const [i, found] of (await one(...args)).entries()) {
      const result = results[i]
      expect(String(found)).toBe(String(result))
      for (const [j, value] of (found.array.data as Float32Array).entries()) {
        const other = Number(result?.array.data[j])
        const bound = 1e-4 * (0.1 + Math.abs(other))
        expect(
          Object.is(Number(value), other) || Math.abs(Number(value) - other) <= bound,
          `output ${i}, ${value} and ${other}`,
        ).toBe(true)
      }
    }
  }
  expect(one.traces.length).toBe(1)
  await one.release()
  return 'compared'
}

test.each(definitions.map((op) => [op.name, op] as const))('%s', async (name, op) => {
  for (const sample of op.samples()) {
    const axes = new Set(inputsOf(sample).flatMap(({ shape }) => shape.filter((size) => size > 1)))
    for (const from of axes) {
      const result = await compare(op, sample, from).catch((error: Error) => error)
      if (result === 'compared') return
      if (result instanceof Error) expect(result.message).toMatch(limits[name] ?? /^$/)
    }
  }
})
