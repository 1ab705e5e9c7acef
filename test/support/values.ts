/** Numbers and gradients of functions of tensors. */
import { expect } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import { type NestedNumbers, type Tensor, tensor } from '../../src/tensor/tensor.ts'

/** -0 is 0 here. */
const withoutSign = (value: number): number => value + 0

/** The elements of the result, in one list. */
export async function valuesOf(call: (...inputs: Tensor[]) => Tensor, ...inputs: NestedNumbers[]): Promise<number[]> {
  const result = await compile(call)(...inputs.map((input) => tensor(input)))
  return (await result.numbers()).map(withoutSign)
}

/** Gradients of the sum of the outputs by each input. */
export async function gradientsOf(
  call: (...inputs: Tensor[]) => Tensor,
  ...inputs: NestedNumbers[]
): Promise<number[][]> {
  const gradients = compile((...args: Tensor[]) => {
    const output = call(...args)
    return vectorJacobianProduct([output], [ops.onesLike(output)], args)
  })
  const results = await gradients(...inputs.map((input) => tensor(input)))
  return Promise.all(results.map(async (result) => (await result.numbers()).map(withoutSign)))
}

/** Each number is within a share of the expected one. */
export function expectRelative(found: readonly number[], expected: readonly number[], tolerance: number): void {
  for (const [i, value] of expected.entries())
    expect(Math.abs((found[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance * Math.abs(value))
}
