import { compile } from '../../src/compile/compile.ts'
import type { Optimizer } from '../../src/optim/index.ts'
import { type NDArray, toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { randomNumbers } from '../support/gradients.ts'

/** From JavaScript, or from a file: the type system cannot be asked there. */
export const untyped = <T>(value: unknown): T => value as T

/** A trainable vector. */
export function vector(numbers: readonly number[], name = ''): Variable {
  return new Variable([numbers.length], { data: Float32Array.from(numbers), trainable: true, name })
}

/** `count` numbers in [-1, 1) for each of `steps` steps. */
export function randomGradients(seed: number, steps: number, count: number): number[][] {
  const random = randomNumbers(seed)
  return Array.from({ length: steps }, () => Array.from({ length: count }, () => 2 * random() - 1))
}

/** The weights of one vector after each step with given gradients. */
export async function trajectory(
  make: (parameters: readonly Variable[]) => Optimizer,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
): Promise<number[][]> {
  const weight = vector(start)
  const optimizer = make([weight])
  const step = compile((gradient: Tensor) => void optimizer.update([gradient]))
  const found: number[][] = []
  for (const numbers of gradients) {
    const gradient: NDArray = { dtype: 'float32', shape: [numbers.length], data: Float32Array.from(numbers) }
    await step(gradient)
    found.push(toNumbers(weight.data))
  }
  await step.release()
  return found
}
