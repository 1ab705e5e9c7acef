import { expect } from 'vitest'
import { vectorJacobianProduct } from '../../src/autodiff/gradient.ts'
import { type Compiled, compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import { elementCount, type NDArray, type TypedArray, toNumbers } from '../../src/tensor/dtype.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'

/** Small deterministic pseudo-random numbers in [0, 1) for tests. */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return ((state >>> 8) + 0.5) / 2 ** 24
  }
}

/** A random array for an op's sample input. */
export function sampleArray(input: ops.SampleInput, random: () => number): NDArray {
  const { shape, dtype = 'float32', range = [-1, 1], values } = 'shape' in input ? input : { shape: input }
  const count = elementCount(shape)
  const numbers = values ?? Array.from({ length: count }, () => range[0] + (range[1] - range[0]) * random())
  if (dtype === 'float32') return { dtype, shape, data: Float32Array.from(numbers) }
  if (dtype === 'bool')
    return { dtype, shape, data: Uint8Array.from(numbers, (v) => (values ? Number(v !== 0) : Number(v > 0))) }
  if (dtype === 'uint8')
    return { dtype, shape, data: Uint8Array.from(numbers, (v) => (values ? v : Math.round(Math.abs(v) * 9))) }
  if (dtype === 'int32')
    return { dtype, shape, data: Int32Array.from(numbers, (v) => (values ? v : Math.round(v * 9))) }
  return { dtype, shape, data: BigInt64Array.from(numbers.map((v) => BigInt(values ? v : Math.round(v * 9)))) }
}

const asList = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  Array.isArray(result) ? result : [result as Tensor]

function moved(
  arrays: readonly NDArray[],
  directions: readonly (Float32Array | undefined)[],
  distance: number,
): NDArray[] {
  return arrays.map((array, i) => {
    const direction = directions[i]
    if (!direction) return array
    return {
      ...array,
      data: Float32Array.from(array.data as Float32Array, (value, j) => value + distance * (direction[j] ?? 0)),
    }
  })
}

function dot(a: readonly TypedArray[], b: readonly (Float32Array | undefined)[]): number {
  let sum = 0
  for (const [i, x] of a.entries()) for (const [j, v] of toNumbers(x).entries()) sum += v * (b[i]?.[j] ?? 0)
  return sum
}

type Loss = (...inputs: Tensor[]) => { loss: Tensor; gradients: Tensor[] }

/** A scalar of the sample's float outputs (each element weighted differently) and its gradients by the float inputs. */
function lossOf(call: ops.Sample['call'], floats: readonly number[], seed: number): Loss {
  return (...inputs) => {
    const random = randomNumbers(seed)
    const outputs = asList(call(...inputs)).filter((output) => output.dtype === 'float32')
    const weights = outputs.map((output) => weightsLike(output, random))
    const terms = outputs.map((output, i) => ops.sum(ops.mul(output, weights[i] as Tensor)))
    const targets = floats.map((i) => inputs[i] as Tensor)
    return { loss: ops.addAll(terms), gradients: vectorJacobianProduct(outputs, weights, targets) }
  }
}

function weightsLike(output: Tensor, random: () => number): Tensor {
  const data = Float32Array.from({ length: output.size }, () => 2 * random() - 1)
  return ops.constantOf(data, output.shape)
}

/**
 * Compares gradients along random directions with central differences (extrapolated once), and, where the sample is
 * smooth, the gradient of the gradient likewise.
 */
export async function checkGradients(sample: ops.Sample, seed: number, tolerance = 4e-3): Promise<void> {
  const random = randomNumbers(seed)
  const arrays = sample.inputs.map((input) => sampleArray(input, random))
  const floats = arrays.flatMap((array, i) => (array.dtype === 'float32' ? [i] : []))
  const outputs = asList(sample.call(...arrays.map(({ data, shape, dtype }) => constant(data, shape, dtype))))
  if (floats.length === 0 || outputs.every((output) => output.dtype !== 'float32')) return
  const first = compile(lossOf(sample.call, floats, seed))
  await compareWithDifferences(first, arrays, floats, random, tolerance)
  if (sample.smooth === false) return
  const direction = arrays.map((array) => ({
    ...array,
    data: Float32Array.from({ length: array.data.length }, () => 2 * random() - 1),
  }))
  const second = compile((...inputs: Tensor[]) => {
    const { gradients } = lossOf(sample.call, floats, seed)(...inputs)
    const weights = gradients.map((_, i) =>
      ops.constantOf(direction[floats[i] ?? 0]?.data as Float32Array, gradients[i]?.shape ?? []),
    )
    const loss = ops.addAll(gradients.map((g, i) => ops.sum(ops.mul(g, weights[i] as Tensor))))
    return {
      loss,
      gradients: vectorJacobianProduct(
        gradients,
        weights,
        floats.map((i) => inputs[i] as Tensor),
      ),
    }
  })
  await compareWithDifferences(second, arrays, floats, random, 3 * tolerance)
}

async function compareWithDifferences(
  compiled: Compiled<Tensor[], { loss: Tensor; gradients: Tensor[] }>,
  arrays: readonly NDArray[],
  floats: readonly number[],
  random: () => number,
  tolerance: number,
): Promise<void> {
  const { gradients } = await compiled(...arrays)
  const byInput: TypedArray[] = arrays.map(() => new Float32Array())
  for (const [k, i] of floats.entries()) byInput[i] = gradients[k]?.array.data ?? new Float32Array()
  for (let repeat = 0; repeat < 2; repeat++) {
    const directions = arrays.map((array, i) =>
      floats.includes(i) ? Float32Array.from(array.data as Float32Array, () => 2 * random() - 1) : undefined,
    )
    const difference = async (h: number): Promise<number> => {
      const [up, down] = [
        await compiled(...moved(arrays, directions, h)),
        await compiled(...moved(arrays, directions, -h)),
      ]
      return (up.loss.item() - down.loss.item()) / (2 * h)
    }
    const [coarse, fine] = [await difference(0.02), await difference(0.01)]
    const expected = (4 * fine - coarse) / 3
    const found = dot(byInput, directions)
    expect(
      Math.abs(found - expected),
      `gradient along a direction: ${found}, by differences ${expected}`,
    ).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(expected)))
  }
  await compiled.release()
}
