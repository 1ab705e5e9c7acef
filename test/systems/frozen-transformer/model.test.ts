import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { gpt2Variants } from '../../../src/models/gpt2.ts'
import { skipInit } from '../../../src/nn/init.ts'
import * as ops from '../../../src/ops/index.ts'
import { bitMemory, bitXor } from '../../../src/systems/frozen-transformer/bits/examples.ts'
import { makeBody } from '../../../src/systems/frozen-transformer/bodies/body.ts'
import { LayerNormLSTM } from '../../../src/systems/frozen-transformer/bodies/lstm.ts'
import { bodies, type FrozenTransformerConfig } from '../../../src/systems/frozen-transformer/config.ts'
import { isFrozen } from '../../../src/systems/frozen-transformer/freezing.ts'
import { frozenTransformer } from '../../../src/systems/frozen-transformer/index.ts'
import { FrozenTransformer } from '../../../src/systems/frozen-transformer/model.ts'
import { normalizeFor, wordIds, wordsWithoutBrackets } from '../../../src/systems/frozen-transformer/tasks.ts'
import { elementCount, type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { learningShare } from '../../../src/train/frozen.ts'
import { Generator } from '../../../src/util/random.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/frozen-transformer/', import.meta.url)
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe('agrees with the official implementation', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    for await (const result of verify([new URL(name, folder).pathname], frozenTransformer.targets ?? []))
      results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ passed: true })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})

const small = {
  body: { kind: 'gpt2', n_embd: 12, n_layer: 2, n_head: 3, n_positions: 10, vocab_size: 5 },
  input_dim: 3,
  output_dim: 2,
  dropout: 0,
} as const satisfies FrozenTransformerConfig

const rows = constant(new Generator(3).normal(2 * 4 * 6), [2, 4, 6], 'float32')

describe('published bodies', () => {
  test.each([
    ['gpt2', 124_439_808],
    ['gpt2-medium', 354_823_168],
    ['gpt2-large', 774_030_080],
    ['gpt2-xl', 1_557_611_200],
    ['bert', 108_891_648],
    ['vit', 86_567_656],
  ] as const)('%s', (name, count) => {
    const { model } = skipInit(() => makeBody(bodies[name], 0))
    expect(model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(count)
  })

  test('of GPT-2 only input, output, layer norms and positions learn: about a thousandth', () => {
    const model = skipInit(() => new FrozenTransformer({ body: bodies.gpt2, input_dim: 48, output_dim: 10 }))
    const { n_embd: e, n_layer } = gpt2Variants.gpt2
    const { learn, total } = learningShare(model.variables())
    expect(learn).toBe(48 * e + e + (4 * e * n_layer + 2 * e) + 1024 * e + 10 * e + 10)
    // The paper counts the positions that its 64 tokens have.
    expect((learn - (1024 - 64) * e) / total).toBeCloseTo(0.001, 3)
  })
})

test('the parts of a BERT have their switches too', () => {
  const layer = 'sequence_model.encoder.layer.0'
  const names = {
    norm: `${layer}.attention.output.LayerNorm.weight`,
    attention: `${layer}.attention.output.dense.weight`,
    feedForward: `${layer}.output.dense.weight`,
    positions: 'sequence_model.embeddings.position_embeddings.weight',
    words: 'sequence_model.embeddings.word_embeddings.weight',
  }
  const learns = (config: Parameters<typeof isFrozen>[1]) =>
    Object.entries(names).flatMap(([part, name]) => (isFrozen(name, config) ? [] : [part]))
  expect(learns({})).toEqual(['norm', 'positions'])
  expect(learns({ freeze_attn: false, freeze_ln: true })).toEqual(['attention', 'positions'])
  expect(learns({ freeze_ff: false, freeze_pos: true })).toEqual(['norm', 'feedForward'])
  expect(learns({ freeze_trans: false })).toEqual(Object.keys(names))
})

describe('the model', () => {
  test('cuts long rows into tokens and joins what is read of the last row', () => {
    const model = new FrozenTransformer(small)
    const shapes = (config: Partial<FrozenTransformerConfig>) =>
      new FrozenTransformer({ ...small, ...config }).forward(rows).shape
    expect(model.outputs(rows).hidden.shape).toEqual([2, 8, 12])
    expect(shapes({})).toEqual([2, 1, 4])
    expect(shapes({ return_last_only: false })).toEqual([2, 8, 2])
    expect(shapes({ input_dim: 6 })).toEqual([2, 1, 2])
  })

  test.each([
    [{}, true],
    [{ body: { ...small.body, causal: false } }, false],
    [{ body: { kind: 'vit', embed_dim: 12, depth: 1, num_heads: 2, img_size: 4, patch_size: 4 } }, false],
  ] as const)('%j: a token sees those before: only those %s', async (config, isCausal) => {
    manualSeed(1)
    const model = new FrozenTransformer({ ...small, ...config, return_last_only: false }).eval()
    const run = compile((x: Tensor) => {
      const changed = ops.concat([ops.slice(x, [0, 3], 1), ops.mul(ops.slice(x, [3, 4], 1), -2)], 1)
      const first = (out: Tensor): Tensor => ops.slice(out, [0, 6], 1)
      return ops.max(ops.abs(ops.sub(first(model.forward(x)), first(model.forward(changed)))))
    })
    const difference = (await run(rows)).item()
    if (isCausal) expect(difference).toBe(0)
    else expect(difference).toBeGreaterThan(1e-6)
    await run.release()
  })

  test('an LSTM begins with another state at every call, in evaluation too', async () => {
    manualSeed(1)
    const model = new LayerNormLSTM(4, 2).eval()
    const run = compile((x: Tensor) => model.forward(x))
    const x = constant(new Generator(1).normal(24), [2, 3, 4], 'float32')
    const [first, second] = [await (await run(x)).numbers(), await (await run(x)).numbers()]
    expect(first).not.toEqual(second)
    await run.release()
    expect(() => model.forward(x, { h: ops.zeros([1, 2, 4]), c: ops.zeros([2, 2, 4]) })).toThrow(
      'LayerNormLSTM: h must be [2, 2, 4], found [1, 2, 4]',
    )
  })

  test('refuses what it cannot read, in one line', () => {
    const model = new FrozenTransformer(small)
    expect(() => model.forward(ops.zeros([2, 4, 7]))).toThrow(
      'FrozenTransformer: the numbers of a row must be a multiple of input_dim = 3, found 7',
    )
    expect(() => model.forward(ops.zeros([2, 4]))).toThrow(
      'FrozenTransformer: the input must be float32[batch, rows, numbers], found float32[2, 4]',
    )
    expect(() => model.forward(ops.zeros([2, 11, 3]))).toThrow(
      'FrozenTransformer: the body has positions for 10 tokens, found 11',
    )
    const words = new FrozenTransformer({ ...small, use_embeddings_for_in: true })
    expect(() => words.forward(rows)).toThrow(
      'FrozenTransformer: the input must be integers [batch, tokens], found float32[2, 4, 6]',
    )
    expect(() => new FrozenTransformer({ ...small, body: { kind: 'lstm', hidden_size: 1, num_layers: 1 } })).toThrow(
      'LayerNormLSTM: the width must be at least 2, found 1',
    )
  })
})

const integers = (shape: readonly number[], values: readonly number[]): NDArray => ({
  dtype: 'int32',
  shape,
  data: Int32Array.from(values),
})

describe('tasks', () => {
  test('bit memory asks for one of its strings, of which some bits are hidden', () => {
    const bits = integers([1, 2, 3], [1, 0, 1, 0, 0, 1])
    const { x, y } = bitMemory(bits, integers([1, 3], [1, 0, 1]), integers([1], [1]))
    expect(toNumbers(x.data)).toEqual([1, -1, 1, -1, -1, 1, -1, 0, 1])
    expect(toNumbers(y.data)).toEqual([-1, -1, 1])
    expect(() => bitMemory(bits, integers([1, 2], [1, 0]), integers([1], [1]))).toThrow(
      'bit memory: mask must be [1, 3], found [1, 2]',
    )
  })

  test('bit XOR of three strings is whether their ones are odd', () => {
    const { y } = bitXor(integers([1, 3, 4], [1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0]))
    expect(toNumbers(y.data)).toEqual([1, 1, 1, 0])
  })

  test('the official words of list operations lose the brackets', () => {
    const words = wordsWithoutBrackets('( ( [MAX 4 ) ( ( [SM 3 ) 8 ) ] ) ]')
    expect(words).toEqual(['MAX', '4', 'SM', '3', '8'])
    expect(wordIds(words, ['4', 'MAX', 'SM'], 6)).toEqual([2, 1, 3, 4, 4, 0])
    expect(wordIds(words, ['4', 'MAX', 'SM'], 2)).toEqual([2, 1])
  })

  test('pictures need the channels of their task', () => {
    expect(() => normalizeFor('mnist', ops.zeros([1, 3, 4, 4]))).toThrow(
      'mnist: pictures must have one channel, found float32[1, 3, 4, 4]',
    )
    expect(() => normalizeFor('cifar10-gray', ops.zeros([1, 1, 4, 4]))).toThrow(
      'cifar10-gray: pictures must have 3 channels, found float32[1, 1, 4, 4]',
    )
  })
})
