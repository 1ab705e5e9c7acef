/** Walks the registry of ops: what every op must satisfy, checked on the samples it declares. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { ShapeError } from '../../src/util/errors.ts'
import { checkGradients, randomNumbers, sampleArray } from '../support/gradients.ts'

const definitions = Object.values(ops).filter(ops.isOpDefinition)

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

describe.each(definitions.map((op) => [op.name, op] as const))('%s', (_name, op) => {
  const samples = op.samples()
  test('declares samples and errors', () => {
    expect(samples.length).toBeGreaterThan(0)
    expect(op.errors === undefined ? [] : op.errors().map((sample) => sample.inputs.length)).not.toContain(0)
  })

  test.each(samples.map((sample, i) => [i, sample] as const))(
    'sample %i: shapes, standard export, passes',
    async (i, sample) => {
      // Program.run compares every result's shape and dtype with the inferred ones.
      const fused = await outputsOf(sample, i + 1, { fused: true })
      const standard = await outputsOf(sample, i + 1, { fused: false, plain: true })
      for (const [k, output] of fused.entries()) {
        const expected = toNumbers(standard[k]?.array.data ?? new Float32Array())
        for (const [j, value] of toNumbers(output.array.data).entries())
          expect(value).toBeCloseTo(expected[j] ?? Number.NaN, 5)
      }
    },
  )

  if (op.gradient) {
    test.each(samples.map((sample, i) => [i, sample] as const))('sample %i: gradients', async (i, sample) => {
      await checkGradients(sample, 17 * i + 3)
    })
  }

  test.each((op.errors?.() ?? []).map((sample, i) => [i, sample] as const))(
    'error %i is a ShapeError naming the op',
    (_i, sample) => {
      const random = randomNumbers(1)
      const call = (): unknown =>
        sample.call(
          ...sample.inputs
            .map((input) => sampleArray(input, random))
            .map(({ data, shape, dtype }) => constant(data, shape, dtype)),
        )
      expect(call).toThrow(ShapeError)
    },
  )
})
