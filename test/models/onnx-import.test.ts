/** ONNX models of others. Official operator tests and PyTorch's exports are checked by `npm run check:import` and `check:exports`. */
import { create, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as Type,
  type ValueInfoProto,
} from 'onnx-buf'
import { beforeEach, describe, expect, test } from 'vitest'
import { compile, exportOnnx, manualSeed, nn, ops, optim, type Tensor, tensor } from '../../src/index.ts'
import { importOnnx, onnxOperators } from '../../src/models/index.ts'
import { expectEqual, random } from '../support/tensors.ts'

beforeEach(() => manualSeed(3))

class ConvNet extends nn.Module {
  readonly conv = new nn.Conv2d(2, 4, 3, { padding: 1, bias: false })
  readonly bn = new nn.BatchNorm2d(4)
  readonly down = new nn.Conv2d(4, 6, 3, { stride: 2 })
  readonly head = new nn.Linear(6, 3)

  forward(x: Tensor): Tensor {
    const features = ops.maxPool2d(ops.relu(this.bn.forward(this.conv.forward(x))), 2)
    return this.head.forward(ops.mean(ops.silu(this.down.forward(features)), [2, 3]))
  }
}

class Encoder extends nn.Module {
  readonly embedding = new nn.Embedding(11, 8)
  readonly norm = new nn.LayerNorm(8)
  readonly attention = new nn.MultiheadAttention(8, 2)
  readonly mlp = new nn.Sequential(new nn.Linear(8, 16), new nn.GELU(), new nn.Linear(16, 8))

  forward(ids: Tensor): Tensor {
    const x = this.norm.forward(this.embedding.forward(ids))
    const mixed = ops.add(x, this.attention.forward(x, x, x).output)
    return ops.add(mixed, this.mlp.forward(mixed))
  }
}

const picture = { inputs: { image: { dtype: 'float32', shape: [1, 2, 10, 10] } } } as const
const sentence = { inputs: { ids: { dtype: 'int64', shape: [1, 5] } } } as const

async function exported(model: ConvNet | Encoder): Promise<Uint8Array> {
  model.eval()
  if (model instanceof ConvNet) {
    return exportOnnx({ ...picture, forward: ({ image }) => ({ logits: model.forward(image) }) })
  }
  return exportOnnx({ ...sentence, forward: ({ ids }) => ({ states: model.forward(ids) }) })
}

describe('computes what was exported, with any size of the batch', () => {
  test('a convolutional net', async () => {
    const model = new ConvNet()
    model.bn.running_mean?.set(Float32Array.of(0.1, -0.2, 0.3, 0))
    const read = importOnnx(await exported(model))
    const image = random([3, 2, 10, 10])
    await expectEqual(read.forward({ image }).logits as Tensor, model.forward(image))
    expect(read.inputs).toEqual([{ name: 'image', dtype: 'float32', shape: ['batch', 2, 10, 10] }])
  })

  test('a transformer', async () => {
    const model = new Encoder()
    const read = importOnnx(await exported(model))
    const ids = tensor(
      [
        [1, 10, 3, 4, 0],
        [2, 2, 5, 9, 1],
      ],
      'int64',
    )
    await expectEqual(read.forward({ ids }).states as Tensor, model.forward(ids))
  })
})

test('statistics of batch norm are kept, everything else is trained', async () => {
  const read = importOnnx(await exported(new ConvNet()))
  const fixed = [...read.weights].filter(([, variable]) => !variable.trainable)
  expect(fixed.map(([, { shape }]) => shape)).toEqual([[4], [4]])
  expect(read.parameters().length).toBe(read.weights.size - 2)
})

test('fine-tuned behind a new head, and exported again', async () => {
  const file = await exported(new Encoder())
  const whole = importOnnx(file)
  const [states = ''] = whole.outputs
  const body = importOnnx(file, { outputs: [states] })
  const head = new nn.Linear(8, 2)
  const forward = (ids: Tensor): Tensor => head.forward(ops.mean(body.forward({ ids })[states] as Tensor, 1))
  const optimizer = new optim.Adam([...body.parameters(), ...head.parameters()], { lr: 0.02 })
  const step = compile((ids: Tensor, labels: Tensor) => {
    const loss = ops.crossEntropy(forward(ids), labels)
    optimizer.minimize(loss)
    return { loss }
  })
  const ids = tensor(
    Array.from({ length: 8 }, (_, i) => [1, 2, 3, i, i % 2]),
    'int64',
  )
  const labels = tensor(
    Array.from({ length: 8 }, (_, i) => i % 2),
    'int32',
  )
  let last = Number.POSITIVE_INFINITY
  for (let i = 0; i < 40; i++) last = (await step(ids, labels)).loss.item()
  expect(last).toBeLessThan(0.1)
  const again = importOnnx(await exportOnnx({ ...sentence, forward: (given) => ({ logits: forward(given.ids) }) }))
  await expectEqual(again.forward({ ids }).logits as Tensor, forward(ids))
})

test('what lies behind the named values is left out', async () => {
  const file = await exported(new ConvNet())
  const part = importOnnx(file, { outputs: ['image'] })
  expect([part.weights.size, part.inputs.length]).toEqual([0, 1])
  expect(() => importOnnx(file, { outputs: ['logit'] })).toThrow(
    'importOnnx: there is no value logit (did you mean "logits"?)',
  )
})

function info(name: string, shape: readonly number[] = [2]): Partial<ValueInfoProto> {
  const dim = shape.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }))
  return { name, type: { value: { case: 'tensorType', value: { elemType: Type.FLOAT, shape: { dim } } } } } as never
}

/** A model of one node that takes x [2] and gives y. */
function oneNode(node: object, { version = 18n, domain = '' } = {}): Uint8Array {
  const graph = { node: [{ input: ['x'], output: ['y'], name: 'n', ...node }], input: [info('x')], output: [info('y')] }
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ domain, version }], graph } as never))
}

/** A model that gives what a node makes of `s`, the shape of x [2, 3] less `less`, and of numbers beside it. */
function ofShape(node: object, less: readonly number[], numbers: readonly number[]): Uint8Array {
  const initializer = Object.entries({ less, c: numbers }).map(([name, values]) => {
    return { name, dataType: Type.INT64, dims: [BigInt(values.length)], int64Data: values.map(BigInt) }
  })
  const shape = { opType: 'Shape', input: ['x'], output: ['shape'] }
  const difference = { opType: 'Sub', input: ['shape', 'less'], output: ['s'] }
  const graph = {
    node: [shape, difference, { input: ['s', 'c'], output: ['y'], ...node }],
    initializer,
    input: [info('x', [2, 3])],
    output: [info('y')],
  }
  const opsetImport = [{ domain: '', version: 18n }]
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport, graph } as never))
}

describe('what follows from shapes is known while a model is traced', () => {
  const flag = (name: string) => ({ name, type: AttributeType.INT, i: 1n })

  test.each<[string, number[], object, number[], number[]]>([
    ['the remainder', [0, 1], { opType: 'Mod' }, [0, 0], [1, 2]],
    ['of the sign of the divisor', [-1, 2], { opType: 'Mod' }, [-1, 7], [-2, 3]],
    ['of that of the dividend', [1, -1], { opType: 'Mod', attribute: [flag('fmod')] }, [-1, 7], [-2, 3]],
    ['the smaller', [2, 2], { opType: 'Min' }, [0, 0], [2]],
    ['the greater', [3, 3], { opType: 'Max' }, [0, 0], [3]],
    ['bounds', [2, 2], { opType: 'Clip', input: ['s', '', 'c'] }, [0, 0], [2]],
    ['the sign', [-1, 1], { opType: 'Sign', input: ['s'] }, [9, 1], []],
    ['copies', [2, 3, 2, 3], { opType: 'Tile' }, [0, 0], [2]],
    ['running sums', [2, 5], { opType: 'CumSum' }, [0, 0], [0]],
    [
      'running sums from behind, each without its own',
      [3, 0],
      { opType: 'CumSum', attribute: [flag('reverse'), flag('exclusive')] },
      [0, 0],
      [0],
    ],
    ['a part', [3], { opType: 'Split', output: ['p', 'y'] }, [0, 0], [1, 1]],
  ])('%s', async (_name, expected, node, less, numbers) => {
    const model = importOnnx(ofShape(node, less, numbers))
    const run = compile((x: Tensor) => model.forward({ x }))
    const { y } = await run({ dtype: 'float32', shape: [2, 3], data: new Float32Array(6) })
    expect(await y?.numbers()).toEqual(expected)
    await run.release()
  })
})

describe('what cannot be read is one line', () => {
  const x = tensor([1, 2])

  test.each([
    ['another file', new TextEncoder().encode('hello'), 'importOnnx: the bytes are not an ONNX model'],
    [
      'an old one',
      oneNode({ opType: 'Relu' }, { version: 9n }),
      'importOnnx: the operators must be of opset 13 or later, found 9',
    ],
    ['an operator', oneNode({ opType: 'Relux' }), 'importOnnx: the operator Relux is not supported'],
    [
      'a fused one',
      oneNode({ opType: 'Gelu', domain: 'com.microsoft' }),
      'importOnnx: the operator com.microsoft.Gelu is not supported',
    ],
    [
      'an attribute',
      oneNode({ opType: 'Relu', attribute: [{ name: 'slope', type: AttributeType.FLOAT, f: 1 }] }),
      'importOnnx: Relu "n": the attribute slope is not supported',
    ],
    [
      'a shape that depends on values',
      oneNode({ opType: 'Reshape', input: ['x', 'x'] }),
      'importOnnx: Reshape "n": input 2 must be known when the model is traced, but is what the op mul computes',
    ],
  ])('%s', (_name, bytes, message) => {
    expect(() => compileOnce(bytes)).toThrow(message)
  })

  function compileOnce(bytes: Uint8Array): unknown {
    return importOnnx(bytes).forward({ x: ops.mul(x, 1) })
  }

  test('an error of an op names the node', () => {
    expect(() => compileOnce(oneNode({ opType: 'Det', input: ['x'] }))).toThrow(
      /^importOnnx: Det "n": slogdet: input must be/,
    )
  })

  test('what is no file', () => {
    const bytes = oneNode({ opType: 'Relu' })
    expect(() => importOnnx(bytes.buffer as never)).toThrow('the bytes must be a Uint8Array, found an ArrayBuffer')
    expect(() => importOnnx(new Uint8Array())).toThrow('importOnnx: the file is empty')
  })

  test('inputs', () => {
    const model = importOnnx(oneNode({ opType: 'Relu' }))
    expect(() => model.forward({})).toThrow('OnnxModel: the input x is missing')
    expect(() => model.forward({ x, z: x })).toThrow('OnnxModel: there is no input z (')
    expect(() => model.forward({ x: tensor([1, 2, 3]) })).toThrow('OnnxModel: x must be float32[2], found float32[3]')
  })

  test('what argmax is made of is read again', async () => {
    const file = await exportOnnx({
      inputs: { x: { dtype: 'float32', shape: [1, 4] } },
      forward: ({ x }) => ({ y: ops.argmax(x, 1) }),
    })
    const model = importOnnx(file)
    const run = compile((x: Tensor) => model.forward({ x }).y)
    expect(await (await run(tensor([[1, 2, 9, 4]])))?.numbers()).toEqual([2])
  })

  test('the operators that are read have names', () => {
    expect(onnxOperators).toContain('Conv')
    expect(onnxOperators.length).toBeGreaterThan(120)
  })
})
