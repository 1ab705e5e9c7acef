/** What reference implementations compute (test/fixtures/models), with weights that follow from their names. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import { compile } from '../../src/compile/compile.ts'
import { readSafetensors } from '../../src/io/safetensors.ts'
import type { Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { elementCount, type NDArray } from '../../src/tensor/dtype.ts'
import type { Shape } from '../../src/tensor/shape.ts'
import { constant, type Tensor } from '../../src/tensor/tensor.ts'
import { expectClose, type Tolerance } from '../support/reference.ts'

const folder = new URL('../fixtures/models/', import.meta.url)

/** Numbers in [-0.5, 0.5): `uniform` of make.py. */
function uniform(name: string, count: number): Float64Array {
  let seed = 2166136261
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619)
  const numbers = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    let h = (Math.imul(i, 2654435761) + seed) | 0
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    numbers[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32 - 0.5
  }
  return numbers
}

/** A weight: `values` of make.py. */
function weight(name: string, shape: Shape): NDArray {
  if (name.endsWith('num_batches_tracked')) return { dtype: 'int64', shape, data: new BigInt64Array(1) }
  const numbers = uniform(name, elementCount(shape))
  const isMatrix = shape.length >= 2
  const scale = isMatrix ? Math.sqrt(12 / elementCount(shape.slice(1))) : 0.4
  const start = !isMatrix && (name.endsWith('weight') || name.endsWith('running_var')) ? 1 : 0
  for (let i = 0; i < numbers.length; i++) numbers[i] = start + (numbers[i] ?? 0) * scale
  return { dtype: 'float32', shape, data: new Float32Array(numbers) }
}

export interface Reference {
  /** The state dict of the implementation, with its names. */
  readonly state: ReadonlyMap<string, NDArray>
  tensor(name: string): NDArray
  /** For each parameter its gradient's product with numbers that follow from the name. */
  readonly gradients: Readonly<Record<string, number>>
}

export function readReference(name: string): Reference {
  const text = readFileSync(new URL(`${name}.json`, folder), 'utf8')
  const { shapes, gradients } = JSON.parse(text) as { shapes: Record<string, Shape>; gradients: Record<string, number> }
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, folder)))
  return {
    state: new Map(Object.entries(shapes).map(([key, shape]) => [key, weight(key, shape)])),
    gradients,
    tensor: (key) => {
      const found = tensors.get(key)
      if (!found) throw new Error(`${name} has no tensor ${key}`)
      return found
    },
  }
}

/** Names of another implementation replaced by parts, so that ours load: `[['self_attn.', 'attn.']]`. */
export function renamed(name: string, parts: readonly (readonly [from: string, to: string])[]): string {
  return parts.reduce((text, [from, to]) => text.replace(from, to), name)
}

const tolerance: Tolerance = { atol: 2e-5, rtol: 1e-4 }

/** Computes `forward` on the arrays and compares each result with the reference's tensor of that name. */
export async function expectOutputs(
  reference: Reference,
  inputs: readonly string[],
  forward: (...inputs: Tensor[]) => Record<string, Tensor>,
): Promise<void> {
  const run = compile((...tensors: Tensor[]) => forward(...tensors))
  const found = await run(...inputs.map((name) => reference.tensor(name)))
  for (const [name, { array }] of Object.entries(found)) expectClose(name, array, reference.tensor(name), tolerance)
}

/**
 * Compares the gradients of sum(output * cotangent) with the reference's, for every parameter of the model. `nameOf` gives the
 * reference's name of a parameter.
 */
export async function expectGradients(
  reference: Reference,
  model: Module,
  inputs: readonly string[],
  forward: (...inputs: Tensor[]) => Tensor,
  nameOf: (name: string) => string = (name) => name,
): Promise<void> {
  const parameters = [...model.namedParameters()]
  const run = compile((...tensors: Tensor[]) => {
    const output = forward(...tensors)
    const cotangent = uniform('cotangent', output.size).map((u) => 2 * u)
    const loss = ops.sum(ops.mul(output, constant(Float32Array.from(cotangent), output.shape, 'float32')))
    return gradient(
      loss,
      parameters.map(([, variable]) => variable.value),
    )
  })
  const found = await run(...inputs.map((name) => reference.tensor(name)))
  const wrong = parameters.flatMap(([name], i) => {
    const numbers = (found[i] as Tensor).array.data as Float32Array
    const factors = uniform(`${nameOf(name)} gradient`, numbers.length)
    let [product, squares] = [0, 0]
    for (const [j, value] of numbers.entries()) {
      product += value * (factors[j] ?? 0)
      squares += value ** 2
    }
    const size = Math.sqrt(squares)
    const expected = reference.gradients[nameOf(name)] ?? Number.NaN
    return Math.abs(product - expected) <= 1e-4 + 1e-4 * size ? [] : [`${name}: ${product}, expected ${expected}`]
  })
  expect(wrong).toEqual([])
  expect(parameters.map(([name]) => nameOf(name)).sort()).toEqual(Object.keys(reference.gradients).sort())
}
