import { afterAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import {
  Attention,
  AttentionCache,
  Decoder,
  GPT2LMHeadModel,
  LearnedPositions,
  TransformerBlock,
} from '../../src/models/index.ts'
import { Embedding, Linear, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { readReference } from './reference.ts'

/** A decoder of timm's blocks that reads a context, as for translation. */
class Translator extends Module {
  readonly token = new Embedding(11, 8)
  readonly position = new LearnedPositions(64, 8)
  readonly source = new Embedding(7, 6)
  readonly blocks = [0, 1].map(() => [
    new TransformerBlock(8, { heads: 2 }),
    new TransformerBlock(8, { heads: 2, contextWidth: 6 }),
  ])
  readonly head = new Linear(8, 11)

  forward(ids: Tensor, source: Tensor | undefined, cache?: AttentionCache): Tensor {
    const context = source && this.source.forward(source)
    const [, length] = ids.sizes(2)
    const places = cache?.positions(length) ?? ops.arange(length)
    let x = ops.add(this.token.forward(ids), this.position.forward(places))
    for (const [self, cross] of this.blocks) {
      x = self?.forward(x, { causal: true, ...(cache && { cache }) }) ?? x
      x = cross?.forward(x, { ...(context && { context }), ...(cache && { cache }) }) ?? x
    }
    return this.head.forward(x)
  }
}

manualSeed(4)
const config = { vocab_size: 13, n_positions: 200, n_embd: 12, n_layer: 2, n_head: 3 }
const gpt2 = new GPT2LMHeadModel(config).eval()
for (const [name, variable] of gpt2.variables()) {
  // Larger than at the start of a training, so that the tokens before matter.
  if (name.includes('c_')) variable.set(Array.from(variable.data as Float32Array, (value) => 20 * value))
}
const translator = new Translator().eval()
const whole = compile((ids: Tensor) => gpt2.forward(ids), { onTrace: () => undefined })
const translated = compile((ids: Tensor, source: Tensor) => translator.forward(ids, source))
const decoder = new Decoder(gpt2)
const translating = new Decoder((ids, cache, { source }) => translator.forward(ids, source, cache))
afterAll(async () => {
  for (const one of [whole, translated, decoder, translating]) await one.release()
})

const tokensOf = (length: number, step: number, classes = 13): number[] =>
  Array.from({ length }, (_, i) => (i * i + step * i + step) % classes)
const idsOf = (rows: readonly (readonly number[])[]) => tensor(rows, 'int64')

/** Logits after the last token of a sequence, without a cache. */
async function lastLogits(tokens: readonly number[]): Promise<number[]> {
  return (await (await whole(idsOf([tokens]))).numbers()).slice(-13)
}

function expectEqual(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): void {
  expect(found?.length).toBe(expected.length)
  const differences = Array.from(expected, (value, i) => Math.abs(value - (found?.[i] ?? Number.NaN)))
  expect(Math.max(...differences)).toBeLessThan(1e-5)
}

describe('logits with a cache equal those without', () => {
  test('at every position, across programs for longer sequences', async () => {
    const tokens = tokensOf(140, 3)
    const expected = await (await whole(idsOf([tokens]))).numbers()
    const decoding = await decoder.start([tokens.slice(0, 3)])
    for (let i = 3; i <= tokens.length; i++) {
      expectEqual(decoding.logits[0], expected.slice((i - 1) * 13, i * 13))
      if (i < tokens.length) await decoding.append([tokens.slice(i, i + 1)])
    }
    expect(decoding.lengths).toEqual([140])
  })

  test('where rows have other lengths and get other numbers of tokens', async () => {
    const rows = [tokensOf(2, 1), tokensOf(9, 2), tokensOf(5, 5)]
    const decoding = await decoder.start(rows)
    for (const counts of [
      [1, 1, 1],
      [4, 1, 7],
      [1, 2, 1],
      [60, 3, 1],
      [1, 1, 1],
    ]) {
      const added = counts.map((count, row) => tokensOf(count, row + count))
      await decoding.append(added)
      for (const [row, more] of added.entries()) rows[row]?.push(...more)
      for (const [row, tokens] of rows.entries()) expectEqual(decoding.logits[row], await lastLogits(tokens))
    }
  })

  test('where rows change places', async () => {
    const rows = [tokensOf(4, 1), tokensOf(6, 2)]
    const decoding = await decoder.start(rows)
    for (const order of [
      [1, 0],
      [1, 1],
      [0, 1, 0],
      [2, 0],
    ]) {
      decoding.select(order)
      const chosen = order.map((row) => [...(rows[row] ?? [])])
      const added = order.map((_, i) => [i + 3])
      await decoding.append(added)
      rows.splice(0, rows.length, ...chosen.map((row, i) => [...row, ...(added[i] ?? [])]))
      for (const [row, tokens] of rows.entries()) expectEqual(decoding.logits[row], await lastLogits(tokens))
    }
  })

  test('where a context is read, whose keys and values are computed once', async () => {
    const sources = [
      [1, 2, 3, 4],
      [5, 6, 0, 2],
    ]
    const rows = [tokensOf(2, 1, 11), tokensOf(3, 2, 11)]
    const decoding = await translating.start(rows, { source: idsOf(sources).array })
    for (let i = 0; i < 4; i++) {
      if (i === 2) {
        decoding.select([1, 0])
        rows.reverse()
        sources.reverse()
      }
      if (i > 0) await decoding.append(rows.map((row) => [row.push(i) && i]))
      for (const [row, tokens] of rows.entries()) {
        const all = await translated(idsOf([tokens]), idsOf([sources[row] ?? []]))
        expectEqual(decoding.logits[row], (await all.numbers()).slice(-11))
      }
    }
  })
})

test('padding before the tokens, as transformers has it', async () => {
  const reference = readReference('gpt2-generation')
  const model = new GPT2LMHeadModel({ vocab_size: 37, n_positions: 64, n_embd: 24, n_layer: 3, n_head: 4 }).eval()
  model.loadStateDict(reference.state, { strict: false })
  const weight = model.transformer.wte.weight
  weight.set(Array.from(weight.data as Float32Array, (value) => value / 4))
  // Prompts of 3, 9 and 12 tokens.
  const padding = [9, 3, 0]
  const [ids, mask] = [tensor(reference.tensor('ids')), tensor(reference.tensor('mask'))]
  const run = compile((tokens: Tensor, mask: Tensor) => {
    const isToken = ops.cast(mask, 'bool')
    const of = (last: boolean): Tensor => model.forward(tokens, { cache: new AttentionCache({ mask: isToken }), last })
    return { all: of(false), last: of(true) }
  })
  const { all, last } = await run(ids, mask)
  const [found, expected] = [await all.numbers(), Array.from(reference.tensor('logits').data, Number)]
  for (const [row, count] of padding.entries()) {
    expectEqual(
      found.slice((row * 12 + count) * 37, (row + 1) * 12 * 37),
      expected.slice((row * 12 + count) * 37, (row + 1) * 12 * 37),
    )
  }
  expectEqual(
    await last.numbers(),
    [0, 1, 2].flatMap((row) => found.slice((row * 12 + 11) * 37, (row * 12 + 12) * 37)),
  )
  await run.release()
})

describe('what does not fit is an error', () => {
  const layer = new Attention(4, { heads: 2 })
  const x = ops.zeros([1, 2, 4])

  test.each<[string, () => unknown]>([
    [
      'Attention: with a cache attention must be causal and without a mask of its own, found causal: false',
      () => layer.forward(x, { cache: new AttentionCache() }),
    ],
    [
      'Attention: with a cache attention must be causal and without a mask of its own, found a mask',
      () => layer.forward(x, { cache: new AttentionCache(), causal: true, mask: ops.ones([2, 2], 'bool') }),
    ],
    [
      'AttentionCache: past and lengths must be given together, found past alone',
      () => new AttentionCache({ past: [] }),
    ],
    [
      'AttentionCache: lengths must be int64 [N], found int64[1, 1]',
      () => new AttentionCache({ past: [], lengths: ops.zeros([1, 1], 'int64') }),
    ],
    [
      'AttentionCache: mask must be bool [N, L], found float32[1, 2]',
      () => new AttentionCache({ mask: ops.zeros([1, 2]) }),
    ],
    [
      'AttentionCache: the model has more attention layers than past has: 0',
      () =>
        layer.forward(x, { causal: true, cache: new AttentionCache({ past: [], lengths: ops.zeros([1], 'int64') }) }),
    ],
    [
      'Attention: a layer with a contextWidth needs a context',
      () => new Attention(4, { heads: 2, contextWidth: 3 }).forward(x, { cache: new AttentionCache() }),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(expect.objectContaining({ message }) as Error)
  })

  test.each<[string, () => Promise<unknown>]>([
    ['Decoder: needs at least one prompt, found none', () => decoder.start([])],
    ['Decoder: each row needs at least one token, found an empty one', () => decoder.start([[1], []])],
    ['Decoder: the model takes at most 200 tokens, found 201', () => decoder.start([tokensOf(201, 1)])],
    ['Decoder: there must be tokens for 1 rows, found 2', async () => (await decoder.start([[1]])).append([[1], [2]])],
    ['Decoder: rows must be of 0 to 0, found [1]', async () => (await decoder.start([[1]])).select([1])],
  ])('%s', async (message, call) => {
    await expect(call()).rejects.toThrow(expect.objectContaining({ message }) as Error)
  })
})
