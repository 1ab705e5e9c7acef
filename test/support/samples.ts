import { expect } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import type * as ops from '../../src/ops/kit.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { randomNumbers, sampleArray } from './gradients.ts'

async function outputsOf(
  sample: ops.Sample,
  seed: number,
  options: { fused: boolean; plain?: boolean },
): Promise<Tensor[]> {
  const random = randomNumbers(seed)
  const arrays = sample.inputs.map((input) => sampleArray(input, random))
  const off = { simplify: false, commonSubexpressions: false, foldConstants: false }
  const run = compile((...inputs: Tensor[]) => [sample.call(...inputs)].flat() as Tensor[], {
    fused: options.fused,
    ...(options.plain && { passes: off }),
  })
  const results = await run(...arrays)
  await run.release()
  return results
}

/** The sample gives the inferred shapes and dtypes, and equal numbers as standard ONNX without any pass. */
export async function checkForms(sample: ops.Sample, seed: number): Promise<void> {
  // Program.run compares every result's shape and dtype with the inferred ones.
  const fused = await outputsOf(sample, seed, { fused: true })
  const standard = await outputsOf(sample, seed, { fused: false, plain: true })
  for (const [k, output] of fused.entries()) {
    const expected = toNumbers(standard[k]?.array.data ?? new Float32Array())
    for (const [j, value] of toNumbers(output.array.data).entries())
      expect(value).toBeCloseTo(expected[j] ?? Number.NaN, 5)
  }
}

/** Calls a sample with concrete random inputs: for errors, which come before anything runs. */
export function callConcretely(sample: ops.Sample): unknown {
  const random = randomNumbers(1)
  const arrays = sample.inputs.map((input) => sampleArray(input, random))
  return sample.call(...arrays.map(({ data, shape, dtype }) => constant(data, shape, dtype)))
}
