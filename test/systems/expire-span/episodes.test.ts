/** Memory that is empty where an episode begins, and learned spans that one program serves. */
import { describe, expect, test } from 'vitest'
import { blockReader, CarriedMemory } from '../../../src/systems/expire-span/carried.ts'
import type { ExpireSpanConfig, SequenceConfig } from '../../../src/systems/expire-span/config.ts'
import {
  type AnyModel,
  CompressiveTransformer,
  ExpireSpan,
  TransformerSeq,
} from '../../../src/systems/expire-span/model.ts'
import { textStream } from '../../../src/systems/expire-span/stream.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'

const small: SequenceConfig = {
  hid_sz: 8,
  inner_hid_sz: 12,
  nlayers: 1,
  mem_sz: 4,
  nheads: 2,
  head_dim: 0,
  dropout: 0,
  attn_lim: 12,
  pre_norm: true,
  vocab_sz: 6,
}
const expiring: ExpireSpanConfig = {
  ...small,
  expire_span: true,
  expire_span_loss: 0.01,
  expire_span_ramp: 4,
  expire_span_init_percentage: 0.9,
  expire_span_noisy: false,
  expire_span_pre_div: 1,
  expire_span_layerdrop: 0,
}
/** Its span is longer, since programs for all lengths are traced at some that are no size of the model. */
const adaptive = (trim: number) => ({
  adapt_span_loss: 1e-6,
  adapt_span_len: 2,
  adapt_span_init: 0.4,
  adapt_span_cache: true,
  adapt_span_trim_step: trim,
  adapt_span_layer: false,
})

/** The log probabilities of a text, [tokens][classes], and what each layer has kept after each block. */
async function readText(model: AnyModel, text: readonly number[], elapsed?: readonly number[]) {
  const read = blockReader(
    model.eval(),
    (given: { tokens: Tensor; elapsed?: Tensor }, readBlock) =>
      readBlock(given.tokens, undefined, given.elapsed).logProbs,
  )
  const memory = new CarriedMemory(model, 1)
  const { mem_sz, vocab_sz } = model.config
  const rows: number[][] = []
  const lengths: number[][] = []
  for (let at = 0; at < text.length; at += mem_sz) {
    const part = (of: readonly number[]) => ({
      dtype: 'int32',
      shape: [1, mem_sz],
      data: Int32Array.from(of.slice(at, at + mem_sz)),
    })
    const given = { tokens: part(text), ...(elapsed && { elapsed: part(elapsed) }) }
    const { result, next } = await read(given as never, memory.memories)
    memory.advance(next)
    lengths.push(memory.lengths)
    const numbers = await result.numbers()
    for (let i = 0; i < mem_sz; i++) rows.push([...numbers.slice(i * vocab_sz, (i + 1) * vocab_sz)])
  }
  const programs = read.compiled.traces.length
  await read.compiled.release()
  return { rows, lengths, programs }
}

const draws = new Generator(2)
const random = (count: number): number[] => [...draws.integers(0, 6, count)]
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('nothing of an earlier episode is seen', () => {
  // The second episode begins in the middle of the second block.
  const episode = random(18)
  const [one, other] = [random(6), random(6)]
  const elapsed = [...upTo(6), ...upTo(18)]

  test.each([
    ['Expire-Span', () => new ExpireSpan(expiring)],
    ['Expire-Span, where nothing expires', () => new ExpireSpan({ ...expiring, expire_span: false })],
    ['a fixed span', () => new TransformerSeq({ ...small, adapt_span: false })],
    ['Adaptive-Span', () => new TransformerSeq({ ...small, attn_lim: 48, adapt_span: true, adaptive: adaptive(2) })],
    ['Compressive', () => new CompressiveTransformer({ ...small, attn_lim: 4, compress_rate: 2, compress_size: 4 })],
  ] as const)('%s', async (name, make) => {
    manualSeed(4)
    const model: AnyModel = make()
    const [a, b] = [
      await readText(model, [...one, ...episode], elapsed),
      await readText(model, [...other, ...episode], elapsed),
    ]
    expect(a.rows.flat().every(Number.isFinite)).toBe(true)
    // Averages hold what lies on both sides of the beginning, which is generous; of queries that see none of these it is true.
    const own = name === 'Compressive' ? 12 : 6
    expect(a.rows.slice(own, own + 3)).toEqual(b.rows.slice(own, own + 3))
    if (name !== 'Compressive') expect(a.rows.slice(6)).toEqual(b.rows.slice(6))
    // Which is not so without.
    const [c, d] = [await readText(model, [...one, ...episode]), await readText(model, [...other, ...episode])]
    expect(c.rows.slice(6)).not.toEqual(d.rows.slice(6))
    expect([a.programs, c.programs]).toEqual([1, 1])
  })

  test('what is not seen any more is deleted, and what is left is the block', async () => {
    manualSeed(4)
    const { lengths } = await readText(new ExpireSpan(expiring), random(24), [...upTo(15), ...upTo(9)])
    // The zeros of the beginning are of no episode: they go with the first block.
    expect(lengths.map(([first]) => first)).toEqual([4, 8, 12, 4, 8, 12])
  })
})

test('a stream says how many tokens of its episode stand before each token', async () => {
  const tokens = Int32Array.from(upTo(12))
  const context = { epoch: 0, seed: 0 }
  const given = textStream(tokens, {
    rows: 2,
    length: 3,
    targets: tokens,
    elapsed: Int32Array.from(tokens, (i) => i % 4),
  })
  expect((await given.batch([2, 3], context)).elapsed).toEqual({
    dtype: 'int32',
    shape: [2, 3],
    data: Int32Array.of(3, 0, 1, 1, 2, 3),
  })
  const one = textStream(tokens, { rows: 2, length: 3, targets: tokens })
  expect((await one.batch([2, 3], context)).elapsed.data).toEqual(Int32Array.of(3, 4, 5, 3, 4, 5))
})

describe('Adaptive-Span', () => {
  test('one program serves all spans, and what is left out changes nothing', async () => {
    manualSeed(5)
    const [trimmed, whole] = [2, 100].map(
      (trim) => new TransformerSeq({ ...small, nlayers: 2, attn_lim: 48, adapt_span: true, adaptive: adaptive(trim) }),
    ) as [TransformerSeq, TransformerSeq]
    whole.loadStateDict(trimmed.stateDict())
    const read = (model: TransformerSeq) =>
      blockReader(model.eval(), (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const [a, b] = [read(trimmed), read(whole)]
    const [near, far] = [new CarriedMemory(trimmed, 1), new CarriedMemory(whole, 1)]
    const reached: number[] = []
    for (const ratio of [0.4, 0.1, 0.3, 0.7, 1, 0.2]) {
      for (const model of [trimmed, whole])
        for (const [name, parameter] of model.namedParameters())
          if (name.endsWith('size_ratio')) parameter.set(Float32Array.of(ratio, ratio / 2))
      reached.push(trimmed.reachable(near.memories[0] as never, 0).hidden.shape[1] ?? 0)
      const tokens = { dtype: 'int32', shape: [1, 4], data: Int32Array.from(random(4)) }
      const [x, y] = [await a(tokens as never, near.memories), await b(tokens as never, far.memories)]
      near.advance(x.next)
      far.advance(y.next)
      const expected = await y.result.numbers()
      for (const [i, value] of (await x.result.numbers()).entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 5)
    }
    expect(reached).toEqual([22, 8, 18, 36, 48, 12])
    expect(a.compiled.traces).toHaveLength(1)
    await Promise.all([a.compiled.release(), b.compiled.release()])
  })
})
