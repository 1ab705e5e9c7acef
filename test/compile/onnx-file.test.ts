/** Files are written by hand: the generated classes of the format read the same from them, and write the same bytes. */
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema } from 'onnx-buf'
import { expect, test } from 'vitest'
import { emitGraph, modelBytes } from '../../src/compile/onnx.ts'
import { fileBytes } from '../../src/compile/onnx-file.ts'
import * as ops from '../../src/ops/index.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

test('a graph with every kind of attribute', () => {
  const x = new Variable([2, 3, 8, 8], { data: new Float32Array(384).fill(0.5), name: 'x' })
  const weight = new Variable([4, 3, 3, 3], { name: 'weight' })
  const input = new Tensor('float32', [2, 4], { kind: 'input', name: 'in' })
  const y = ops.conv2d(x, weight, undefined, { padding: 1 })
  const bytes = modelBytes(
    emitGraph(
      [
        ops.layerNorm(ops.sum(y, [2, 3]), [4]),
        ops.gelu(ops.mul(input, 3)),
        ops.argmax(input, 1),
        ops.randomGamma([3], 2),
      ],
      { outputNames: ['normed', 'gelu', 'best', 'drawn'], inputName: (leaf) => (leaf === input ? 'in' : undefined) },
    ),
    { documentation: 'what it is', metadata: { labels: 'ä,b' }, dimensionNames: { in: { 0: 'batch' } } },
  )
  const model = fromBinary(ModelProtoSchema, bytes)
  expect(model.metadataProps.map(({ key, value }) => [key, value])).toEqual([['labels', 'ä,b']])
  expect(model.graph?.output.map(({ name }) => name)).toEqual(['normed', 'gelu', 'best', 'drawn'])
  const batch = model.graph?.input.find(({ name }) => name === 'in')?.type?.value
  expect(batch?.case === 'tensorType' && batch.value.shape?.dim.map(({ value }) => value.value)).toEqual(['batch', 4n])
  const types = new Set(model.graph?.node.flatMap(({ attribute }) => attribute.map(({ type }) => type)))
  expect(types.size).toBeGreaterThan(3)
  expect(toBinary(ModelProtoSchema, model)).toEqual(bytes)
})

test('what no op of today writes', () => {
  const attribute = [
    { name: 'tensor', type: 4, t: { dataType: 11, doubleData: [1.5, -2] } },
    { name: 'floats', type: 6, floats: [0.5, Number.NaN, -0] },
    { name: 'ints', type: 7, ints: [-1, 2 ** 40] },
    { name: 'text', type: 3, s: new TextEncoder().encode('same') },
    {
      name: 'body',
      type: 5,
      g: { name: 'body', node: [], input: [{ name: 'i', elemType: 7, shape: [] }], output: [{ name: 'o' }] },
    },
  ]
  const node = [{ name: 'n', opType: 'Some', input: ['', 'a'], output: ['b'], attribute, domain: 'mine' }]
  const bytes = fileBytes({
    ...{ irVersion: 9, producerName: 'tenfold', docString: '', metadataProps: [] },
    opsetImport: [{ domain: 'mine', version: 1 }],
    graph: { name: 'g', node, input: [], output: [] },
  })
  const model = fromBinary(ModelProtoSchema, bytes)
  const [, floats, ints] = model.graph?.node[0]?.attribute ?? []
  expect([floats?.floats, ints?.ints]).toEqual([
    [0.5, Number.NaN, -0],
    [-1n, 2n ** 40n],
  ])
  expect(toBinary(ModelProtoSchema, model)).toEqual(bytes)
})
