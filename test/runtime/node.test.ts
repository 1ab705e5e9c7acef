import { expect, test } from 'vitest'
import { emitGraph, modelBytes } from '../../src/compile/onnx.ts'
import * as ops from '../../src/ops/index.ts'
import { loadSession } from '../../src/runtime/node.ts'
import type { Session, Target } from '../../src/runtime/session.ts'
import { allocate, type DType, elementCount, type NDArray, type TypedArray } from '../../src/tensor/dtype.ts'
import { constant } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

const length = 2 ** 21

/** An output with its array. */
function buffer(dtype: DType, shape: readonly number[]): Target & { readonly data: TypedArray } {
  const data = allocate(dtype, elementCount(shape))
  return { dtype, shape, data, buffer: () => data }
}

/** x [length] -> x + 1, and the sum of x. */
async function sumAndSuccessor(): Promise<Session> {
  const x = new Variable([length], { data: new Float32Array(length) })
  return loadSession(modelBytes(emitGraph([ops.add(x.value, 1), ops.sum(x.value)])), { threads: 1 })
}

test('results are written into the buffers that are given, every time', async () => {
  const session = await sumAndSuccessor()
  const [successor, sum] = [buffer('float32', [length]), buffer('float32', [])]
  for (const start of [0.5, 2]) {
    const x = { ...successor, data: new Float32Array(length).fill(start) }
    const written = await session.run([x], [successor, sum])
    expect(written[0] === successor.data && written[1] === sum.data).toBe(true)
    expect(new Set<number | bigint>(successor.data)).toEqual(new Set([start + 1]))
    expect(sum.data[0]).toBe(start * length)
  }
  await session.release()
})

test('results are not copied beside the buffers', async () => {
  const session = await sumAndSuccessor()
  const [x, successor, sum] = [buffer('float32', [length]), buffer('float32', [length]), buffer('float32', [])]
  await session.run([x], [successor, sum])
  const before = process.memoryUsage().arrayBuffers
  await session.run([x], [successor, sum])
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(successor.data.byteLength / 2)
  await session.release()
})

test('a run that fails says why', async () => {
  const row = new Variable([1], { dtype: 'int64', data: BigInt64Array.of(9n) })
  const table = constant(Float32Array.of(1, 2, 3), [3], 'float32')
  const session = await loadSession(modelBytes(emitGraph([ops.gather(table, row.value, 0)])))
  const result = buffer('float32', [1])
  const index = (value: bigint): NDArray => ({ dtype: 'int64', shape: [1], data: BigInt64Array.of(value) })
  await expect(session.run([index(9n)], [result])).rejects.toThrow('Out of range value in index tensor')
  await session.run([index(2n)], [result])
  expect(result.data[0]).toBe(3)
  await session.release()
})

test("the numbers of inputs and outputs must be the model's", async () => {
  const session = await sumAndSuccessor()
  await expect(session.run([], [])).rejects.toThrow('found 0')
  await session.release()
})

test('a sum and a layer norm stay two kernels, the joined one is slower', async () => {
  const [x, y] = [1, 2].map(() => new Variable([4, 8]))
  if (!x || !y) throw new Error('two variables')
  const normed = ops.layerNorm(ops.add(x.value, y.value), [8])
  const session = await loadSession(modelBytes(emitGraph([normed])), { profile: true })
  await session.run([x.array, y.array], [buffer('float32', [4, 8])])
  const kernels = session.endProfiling().map(({ op }) => op)
  expect(kernels.sort()).toEqual(['Add', 'LayerNormalization'])
  await session.release()
})
