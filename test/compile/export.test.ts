import { Tensor as OrtTensor } from 'onnxruntime-common'
import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { checkModelSize, exportOnnx } from '../../src/compile/export.ts'
import { BatchNorm1d, Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { newSession } from '../../src/runtime/binding.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

const input = { x: { dtype: 'float32', shape: [1, 6] } } as const
const batchOf = (n: number) => ({
  dtype: 'float32' as const,
  shape: [n, 6],
  data: Float32Array.from({ length: n * 6 }, (_, i) => Math.sin(i)),
})

test('an exported model takes any batch size and agrees with the compiled function', async () => {
  manualSeed(5)
  const layer = new Linear(6, 4)
  const forward = (x: Tensor): Tensor => {
    const heads = ops.permute(ops.reshape(layer.forward(x), [-1, 2, 2]), [1, 0, 2]) // [2, N, 2]
    const rest = ops.expand(ops.reshape(ops.arange(3, undefined, { dtype: 'float32' }), [1, 3]), [x.shape[0] ?? 0, 3])
    return ops.concat([ops.reshape(ops.permute(heads, [1, 0, 2]), [x.shape[0] ?? 0, 4]), rest], 1)
  }
  const bytes = await exportOnnx({ inputs: input, forward: ({ x }) => ({ y: forward(x) }) })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  expect(session.inputMetadata.map(({ name }) => name)).toEqual(['x'])
  expect(session.outputMetadata.map(({ name }) => name)).toEqual(['y'])
  const run = compile(forward)
  for (const n of [1, 2, 5]) {
    const batch = batchOf(n)
    const { y } = session.run({ x: new OrtTensor('float32', batch.data, batch.shape) }, { y: null }, {})
    const expected = await run(batch)
    expect(y?.dims).toEqual([n, 7])
    for (const [i, value] of Array.from(y?.data as Float32Array).entries())
      expect(value).toBeCloseTo(Number(expected.array.data[i]), 5)
  }
})

/** What ONNX Runtime computes from numbers by name, each of a shape. */
async function runFile(bytes: Uint8Array, feeds: Record<string, readonly [readonly number[], readonly number[]]>) {
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  const inputs = Object.entries(feeds).map(
    ([name, [shape, values]]) => [name, new OrtTensor('float32', Float32Array.from(values), shape)] as const,
  )
  const outputs = Object.fromEntries(session.outputMetadata.map(({ name }) => [name, null]))
  const found = session.run(Object.fromEntries(inputs), outputs, {})
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name, Array.from(value?.data as Float32Array)]),
  )
}

test('inputs, outputs and weights may have any names: no value between has one of theirs', async () => {
  const four = { dtype: 'float32', shape: [1, 4] } as const
  const bare = new Linear(4, 4, { bias: false })
  bare.weight.set(new Array(16).fill(10))
  const layer = await exportOnnx({
    inputs: { weight: four },
    forward: ({ weight }) => ({ v0: bare.forward(weight), c0: ops.mul(weight, 3) }),
  })
  expect(
    await runFile(layer, {
      weight: [
        [1, 4],
        [1, 0, 0, 0],
      ],
    }),
  ).toEqual({ v0: [10, 10, 10, 10], c0: [3, 0, 0, 0] })

  const inputs = { in0: four, c1: four, shape_c0: four }
  const sized = await exportOnnx({
    inputs,
    dynamic: { in0: { 1: 'length' }, c1: { 1: 'length' }, shape_c0: { 1: 'length' } },
    forward: ({ in0, c1, shape_c0 }) => {
      const places = ops.cast(ops.arange(in0.shape[1] ?? 0), 'float32')
      return { shape_v0: ops.add(ops.mul(ops.add(ops.mul(in0, places), c1), 2.5), shape_c0) }
    },
  })
  const ones = [
    [1, 3],
    [1, 1, 1],
  ] as const
  expect(await runFile(sized, { in0: ones, c1: ones, shape_c0: ones })).toEqual({ shape_v0: [3.5, 6, 8.5] })
})

test('a weight called as an input or output is not one of them', async () => {
  const layer = new Linear(2, 2)
  layer.weight.set([2, 0, 0, 2])
  layer.bias?.set([1, 5])
  const bytes = await exportOnnx({
    inputs: { bias: { dtype: 'float32', shape: [1, 2] } },
    forward: ({ bias }) => ({ weight: layer.forward(bias) }),
  })
  expect(
    await runFile(bytes, {
      bias: [
        [1, 2],
        [10, 20],
      ],
    }),
  ).toEqual({ weight: [21, 45] })
})

test('names that no file can have are refused', async () => {
  const wanted = async (forward: Parameters<typeof exportOnnx>[0]['forward'], message: string) =>
    expect(exportOnnx({ inputs: input, forward })).rejects.toThrow(message)
  await wanted(() => ({}), 'export: forward returns no tensor')
  await wanted(({ x }) => ({ '': ops.exp(x as Tensor) }), 'export: an input or output has an empty name')
  await wanted(
    ({ x }) => ({ x: ops.exp(x as Tensor) }),
    'export: an input and an output are called "x": in ONNX each has a name of its own',
  )
})

test('options that are none are refused', async () => {
  const forward = ({ x }: Readonly<Record<string, Tensor>>) => ({ y: ops.exp(x as Tensor) })
  for (const [options, message] of [
    [{ opst: 17 }, 'export: there is no option "opst"'],
    [{ symbolicBatch: 'no' }, 'export: symbolicBatch must be true or false, found "no"'],
    [
      { inputs: { x: { dtype: 'float64', shape: [1] } } },
      'export: the dtype of "x" must be float32, int32, int64, bool or uint8, found "float64"',
    ],
    [{ inputs: { x: { dtype: 'float32' } } }, 'export: the shape of "x" must be a list, found undefined'],
    [{ inputs: { x: undefined } }, 'export: the input "x" must be an object, found undefined'],
    [{ inputs: undefined }, 'export: inputs must be dtypes and shapes by name, found undefined'],
    [{ forward: undefined }, 'export: forward must be a function of tensors by name, found undefined'],
  ] as const)
    await expect(exportOnnx({ inputs: input, forward, ...options } as never)).rejects.toThrow(message)
})

test('what depends on the batch size as such cannot be exported with a symbolic one', async () => {
  await expect(
    exportOnnx({
      inputs: input,
      forward: ({ x }) => ({ y: ops.sum(ops.mul(x, Math.sin(x.shape[0] ?? 1))) }),
    }),
  ).rejects.toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: expect.stringMatching(
        /^export: a constant of type float32\[\] that is used by mul in export.test.ts:\d+ depends on the size of "batch" in a way that is not understood$/,
      ),
      hint: 'a mean or norm over the batch belongs to training, not to the exported function; or pass symbolicBatch: false',
    }),
  )
})

test('a number that follows another rule at larger sizes', async () => {
  const forward = ({ x }: { x: Tensor }) => ({ y: ops.slice(x, [0, Math.min(500, sizeOf(x.shape, 0))], 0) })
  await expect(exportOnnx({ inputs: input, forward })).rejects.toThrow(
    /^export: at batch \d+ slice in export\.test\.ts:\d+ depends on the size of "batch" in a way that is not understood$/,
  )
})

test('a batch norm that learns its statistics cannot be exported', async () => {
  const model = new BatchNorm1d(6)
  const forward = ({ x }: { x: Tensor }) => ({ y: model.forward(x) })
  await expect(exportOnnx({ inputs: input, forward })).rejects.toThrow(
    /^export: the function changes a variable.*: a model does not/,
  )
  model.eval()
  expect((await exportOnnx({ inputs: input, forward })).length).toBeGreaterThan(0)
})

test('random numbers cannot be exported', async () => {
  await expect(exportOnnx({ inputs: input, forward: ({ x }) => ({ y: ops.dropout(x, 0.5) }) })).rejects.toThrow(
    'export: the function draws random numbers or reads a schedule',
  )
})

test('a model that no ONNX file can hold', () => {
  const weights = { data: { byteLength: 2 ** 30 } }
  expect(() => checkModelSize([weights])).not.toThrow()
  expect(() => checkModelSize([weights, weights])).toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: 'export: the weights have 2147483648 bytes, an ONNX file holds less than 2147483648',
      hint: 'write the weights as safetensors, which have no such limit',
    }),
  )
})

test('an error shows the batch by its name', async () => {
  const inputs = { x: { dtype: 'float32', shape: [1, 6] } } as const
  await expect(exportOnnx({ inputs, forward: ({ x }) => ({ y: ops.reshape(x, [5, -1]) }) })).rejects.toThrow(
    'reshape: [batch, 6] has 6 * batch elements, which cannot fill [5, -1]',
  )
})

/** Arrays that depend on the sizes of x [batch, length], each in another way. */
function sized(x: Tensor): Record<string, Tensor> {
  const [batch, length] = x.sizes(2)
  const triangle = Array.from({ length: length * length }, (_, i) => (Math.floor(i / length) >= i % length ? 1 : -2))
  const table = { dtype: 'float32', shape: [length, length], data: Float32Array.from(triangle) } as const
  const thrice = Array.from({ length: 3 * length }, (_, i) => Math.floor(i / 3))
  return {
    means: ops.mul(ops.sum(x, 1), 1 / length),
    roots: ops.mul(x, 3 / Math.sqrt(2 * length + 1)),
    logarithms: ops.mul(x, 0.5 * Math.log(batch * length)),
    corrected: ops.mul(x, (length + 1) / length),
    spaced: ops.add(x, ops.linspace(-1, 1, length)),
    counted: ops.add(ops.arange(length - 1, -1, { step: -1 }), length),
    masked: ops.matmul(x, tensor(table)),
    repeated: ops.indexSelect(x, tensor(thrice, 'int64'), 1),
    flat: ops.reshape(ops.expand(ops.reshape(x, [batch, length, 1]), [batch, length, length + 2]), [
      batch * length * (length + 2),
    ]),
    halves: ops.reshape(ops.concat([x, x], 1), [batch, length, 2]),
  }
}

test('other axes may be dynamic too, and what depends on them is computed from the inputs', async () => {
  const inputs = { x: { dtype: 'float32', shape: [1, 6] } } as const
  const bytes = await exportOnnx({ inputs, forward: ({ x }) => sized(x), dynamic: { x: { 1: 'length' } } })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  const run = compile(sized)
  const names = session.outputMetadata.map(({ name }) => name)
  for (const shape of [
    [1, 1],
    [2, 5],
    [3, 40],
  ] as const) {
    const data = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i))
    const fetches = Object.fromEntries(names.map((name) => [name, null]))
    const found = session.run({ x: new OrtTensor('float32', data, shape) }, fetches, {})
    const expected = await run({ dtype: 'float32', shape, data })
    for (const name of names) {
      expect([name, found[name]?.dims]).toEqual([name, expected[name]?.shape])
      for (const [i, value] of Array.from(found[name]?.data as Float32Array).entries())
        expect(Number(value)).toBeCloseTo(Number(expected[name]?.array.data[i]), 4)
    }
  }
})

test('dynamic axes alone leave the batch fixed; what is declared must be there', async () => {
  const inputs = { x: { dtype: 'float32', shape: [2, 6] } } as const
  const forward = ({ x }: { x: Tensor }) => ({ y: ops.softmax(x) })
  const bytes = await exportOnnx({ inputs, forward, dynamic: { x: { [-1]: 'length' } }, symbolicBatch: false })
  const text = Buffer.from(bytes).toString('latin1')
  expect([text.includes('length'), text.includes('batch')]).toEqual([true, false])
  await expect(exportOnnx({ inputs, forward, dynamic: { z: { 1: 'length' } } as never })).rejects.toThrow(
    'export: dynamic names "z", which is no input',
  )
  await expect(exportOnnx({ inputs, forward, dynamic: { x: { 2: 'length' } } })).rejects.toThrow(
    'export: dynamic: x has 2 axes, and none at 2 ("length")',
  )
})

test('an input of which only a size is used stays an input', async () => {
  const rows = { dtype: 'float32', shape: [1, 3] } as const
  const bytes = await exportOnnx({
    inputs: { ids: { dtype: 'int64', shape: [1, 5] }, m: rows, x: rows },
    dynamic: { ids: { 1: 'length' } },
    forward: ({ ids, m, x }) => ({
      places: ops.mul(ops.arange(sizeOf(ids.shape, 1)), 2),
      scaled: ops.mul(x, sizeOf(m.shape, 0)),
    }),
  })
  const session = await newSession()
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {})
  // The batch is read from the input that is used anyway.
  expect(session.inputMetadata.map(({ name }) => name)).toEqual(['x', 'ids'])
  const ids = new OrtTensor('int64', new BigInt64Array(14), [2, 7])
  const x = new OrtTensor('float32', new Float32Array(6).fill(1), [2, 3])
  const { places, scaled } = session.run({ ids, x }, { places: null, scaled: null }, {})
  expect(Array.from(places?.data as BigInt64Array, Number)).toEqual([0, 2, 4, 6, 8, 10, 12])
  expect(Array.from(scaled?.data as Float32Array)).toEqual([2, 2, 2, 2, 2, 2])
})
