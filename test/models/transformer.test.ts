import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import { compile } from '../../src/compile/compile.ts'
import { Attention, type AttentionInputs, type Mixed, TransformerBlock } from '../../src/models/transformer.ts'
import { Module, observeForward, ReLU } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { type NDArray, toNumbers } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Generator } from '../../src/util/random.ts'
import { expectGradients, expectOutputs, readReference, renamed } from './reference.ts'

/** Our names of the parameters of torch.nn.TransformerEncoderLayer. */
const torchNames = [
  ['attn.qkv.weight', 'self_attn.in_proj_weight'],
  ['attn.qkv.bias', 'self_attn.in_proj_bias'],
  ['attn.proj', 'self_attn.out_proj'],
  ['mlp.fc', 'linear'],
] as const

const inverse = (parts: readonly (readonly [string, string])[]) =>
  parts.map(([ours, theirs]) => [theirs, ours] as const)

test.each(['pre', 'post'] as const)(
  "norm %s: computes what PyTorch's encoder layer does, causal and not",
  async (norm) => {
    const reference = readReference(`encoder-layer-${norm}`)
    const model = new TransformerBlock(12, { heads: 3, mlpWidth: 20, norm })
    model.loadStateDict(
      new Map([...reference.state].map(([name, array]) => [renamed(name, inverse(torchNames)), array])),
    )
    const causal = (x: Tensor = ops.zeros([])): Tensor => model.forward(x, { causal: true })
    await expectOutputs(reference, ['x'], (x = ops.zeros([])) => ({ plain: model.forward(x), causal: causal(x) }))
    await expectGradients(reference, model, ['x'], causal, (name) => renamed(name, torchNames))
  },
)

/** Our names of the parameters of transformers' PerceiverLayer; its queries, keys and values stand apart. */
const perceiverNames = [
  ['norm_context', 'attention.self.layernorm2'],
  ['norm1', 'attention.self.layernorm1'],
  ['norm2', 'layernorm'],
  ['attn.q.', 'attention.self.query.'],
  ['attn.proj', 'attention.output.dense'],
  ['mlp.fc1', 'mlp.dense1'],
  ['mlp.fc2', 'mlp.dense2'],
] as const

test("with a context: computes what transformers' Perceiver layer does", async () => {
  const reference = readReference('perceiver-layer')
  const model = new TransformerBlock(12, { heads: 3, contextWidth: 8, mlpWidth: 24 })
  const joined = (kind: 'weight' | 'bias'): NDArray => {
    const [k, v] = ['key', 'value'].map((name) => reference.state.get(`attention.self.${name}.${kind}`))
    if (!k || !v) throw new Error(`no keys or values: ${kind}`)
    const data = Float32Array.of(...toNumbers(k.data), ...toNumbers(v.data))
    return { dtype: 'float32', shape: [24, ...k.shape.slice(1)], data }
  }
  model.loadStateDict(
    new Map([
      ...[...reference.state]
        .filter(([name]) => !/\.(key|value)\./.test(name))
        .map(([name, array]) => [renamed(name, inverse(perceiverNames)), array] as const),
      ['attn.kv.weight', joined('weight')],
      ['attn.kv.bias', joined('bias')],
    ]),
  )
  await expectOutputs(reference, ['latents', 'context'], (latents = ops.zeros([]), context = ops.zeros([])) => {
    const weights: Tensor[] = []
    const observe = (module: Module, result: unknown): void => {
      if (module instanceof Attention) weights.push((result as ops.Attention).weights)
    }
    const output = observeForward(observe, () => model.forward(latents, { context }))
    return { output, attention: weights[0] ?? output }
  })
})

const random = (shape: readonly number[], seed: number): NDArray => ({
  dtype: 'float32',
  shape,
  data: new Generator(seed).normal(shape.reduce((a, b) => a * b, 1)),
})

/** The numbers of `forward` on random tokens [2, 5, 12]. */
async function run(forward: (x: Tensor) => Tensor): Promise<readonly number[]> {
  return toNumbers((await compile(forward)(random([2, 5, 12], 1))).array.data)
}

describe('options', () => {
  test('another width of heads, no biases', () => {
    const shapes = (model: Attention) => [...model.stateDict()].map(([name, { shape }]) => [name, shape])
    expect(shapes(new Attention(12, { heads: 2, headWidth: 5, qkvBias: false }))).toEqual([
      ['qkv.weight', [30, 12]],
      ['proj.weight', [12, 10]],
      ['proj.bias', [12]],
    ])
    expect(shapes(new Attention(12, { heads: 1, headWidth: 8, contextWidth: 8, qkvBias: false }))).toEqual([
      ['q.weight', [8, 12]],
      ['kv.weight', [16, 8]],
      ['proj.weight', [12, 8]],
      ['proj.bias', [12]],
    ])
    expect(new Attention(12, { heads: 2, headWidth: 5 }).forward(ops.zeros([2, 5, 12])).output.shape).toEqual([
      2, 5, 12,
    ])
  })

  test('a mask is true where a token may be attended to', async () => {
    const model = new TransformerBlock(12, { heads: 3 })
    const isPast = ops.lessOrEqual(ops.arange(5), ops.reshape(ops.arange(5), [5, 1]))
    const masked = await run((x) => model.forward(x, { mask: isPast }))
    const causal = await run((x) => model.forward(x, { causal: true }))
    for (const [i, value] of masked.entries()) expect(value).toBeCloseTo(causal[i] ?? Number.NaN, 5)
    expect(masked).not.toEqual(await run((x) => model.forward(x)))
  })

  test('the norm after the sums comes last; without norms on a context', async () => {
    const model = new TransformerBlock(12, { heads: 3, contextWidth: 8, norm: 'post' })
    expect([...model.stateDict().keys()].filter((name) => name.startsWith('norm'))).toEqual([
      'norm1.weight',
      'norm1.bias',
      'norm2.weight',
      'norm2.bias',
    ])
    const numbers = await run((x) => model.forward(x, { context: ops.ones([2, 3, 8]) }))
    for (let token = 0; token < 10; token++) {
      expect(numbers.slice(12 * token, 12 * token + 12).reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4)
    }
  })

  test('another mixer in place of attention, another activation', async () => {
    class Reversal extends Module {
      forward(x: Tensor, _inputs?: AttentionInputs): Mixed {
        return { output: ops.flip(x, 1) }
      }
    }
    const model = new TransformerBlock(12, { attn: new Reversal(), mlpWidth: 6, act: new ReLU(), norm: 'post' })
    const { norm1, norm2, mlp } = model
    const found = await run((x) => model.forward(x))
    const expected = await run((x) => {
      const y = norm1.forward(ops.add(x, ops.flip(x, 1)))
      return norm2.forward(ops.add(y, mlp.fc2.forward(ops.relu(mlp.fc1.forward(y)))))
    })
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5)
  })

  test('dropout drops in training only', async () => {
    const dropping = [{ dropout: 0.5 }, { attentionDropout: 0.5 }].map((options) => {
      return new TransformerBlock(12, { heads: 3, ...options })
    })
    for (const model of dropping) {
      const forward = (x: Tensor): Tensor => model.forward(x)
      expect(await run(forward)).not.toEqual(await run((x) => model.eval().forward(x)))
      expect(await run(forward)).toEqual(await run(forward))
      model.train()
    }
  })
})

test.each<[string, () => unknown]>([
  ['Attention: the width must be a multiple of the heads, found 12 and 5', () => new Attention(12, { heads: 5 })],
  [
    'Attention: a layer with a contextWidth needs a context',
    () => new Attention(12, { heads: 3, contextWidth: 8 }).forward(ops.zeros([2, 5, 12])),
  ],
  [
    'Attention: a context was given, but the layer has no contextWidth',
    () => new Attention(12, { heads: 3 }).forward(ops.zeros([2, 5, 12]), { context: ops.zeros([2, 5, 12]) }),
  ],
])('%s', (message, make) => {
  expect(make).toThrow(expect.objectContaining({ message }) as Error)
})
