import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gradient } from '../../../src/autodiff/gradient.ts'
import { compile } from '../../../src/compile/compile.ts'
import { skipInit } from '../../../src/nn/init.ts'
import * as ops from '../../../src/ops/index.ts'
import { toColumns, toDistances } from '../../../src/systems/expire-span/attention.ts'
import { blockReader, CarriedMemory } from '../../../src/systems/expire-span/carried.ts'
import {
  type CompressiveConfig,
  type ExpireSpanConfig,
  type TransformerSeqConfig,
  variants,
} from '../../../src/systems/expire-span/config.ts'
import { ExpireSpanDrop } from '../../../src/systems/expire-span/expire-span.ts'
import { expireSpan } from '../../../src/systems/expire-span/index.ts'
import { forget, type StoredMemory } from '../../../src/systems/expire-span/memory.ts'
import {
  type AnyModel,
  CompressiveTransformer,
  ExpireSpan,
  TransformerSeq,
} from '../../../src/systems/expire-span/model.ts'
import { officialSizes, officialWeights } from '../../../src/systems/expire-span/official.ts'
import { elementCount, type NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/expire-span/', import.meta.url)
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe('agrees with the official code', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    for await (const result of verify([new URL(name, folder).pathname], expireSpan.targets ?? [])) results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ passed: true, tensors: expect.any(Number) })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})

const countOf = (model: { parameters(): { shape: readonly number[] }[] }): number =>
  model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)

test('the published model on enwik8 has 38 million parameters', () => {
  expect(countOf(skipInit(() => new ExpireSpan(variants.enwik8))) / 1e6).toBeCloseTo(38, 0)
})

const small = {
  hid_sz: 8,
  inner_hid_sz: 12,
  nlayers: 2,
  mem_sz: 4,
  nheads: 2,
  head_dim: 0,
  dropout: 0,
  attn_lim: 12,
  pre_norm: false,
  vocab_sz: 6,
} as const

const expiring: ExpireSpanConfig = {
  ...small,
  expire_span: true,
  expire_span_loss: 0.01,
  expire_span_ramp: 4,
  expire_span_init_percentage: 0.5,
  expire_span_noisy: false,
  expire_span_pre_div: 1,
  expire_span_layerdrop: 0,
}
const fixed: TransformerSeqConfig = { ...small, adapt_span: false }
const compressive: CompressiveConfig = { ...small, compress_rate: 2, compress_size: 8 }

describe('memories', () => {
  const memoryOf = (ages: readonly (readonly number[])[]): StoredMemory => {
    const shape = [ages.length, ages[0]?.length ?? 0]
    const data = Float32Array.from(ages.flat())
    return {
      hidden: {
        dtype: 'float32',
        shape: [...shape, 2],
        data: Float32Array.from(ages.flat().flatMap((age) => [age, -age])),
      },
      ages: { dtype: 'float32', shape, data },
    }
  }
  const remaining = (values: readonly (readonly number[])[]): NDArray => ({
    dtype: 'float32',
    shape: [values.length, values[0]?.length ?? 0],
    data: Float32Array.from(values.flat()),
  })
  const config = { mem_sz: 2, attn_lim: 4, expire_span_ramp: 3 }

  test('what no query of the next block can see is deleted, in whole blocks, equally many of each example', () => {
    // Alive for the next block: above M - R = -1. The first example has three expired, the second two.
    const memory = memoryOf([
      [6, 5, 4, 3, 2, 1, 0, -1],
      [9, 8, 7, 3, 2, 1, 0, -1],
    ])
    const left = remaining([
      [-2, 5, -1, -5, 0, 0, -9, -9],
      [1, -1, 2, -0.5, 3, -4, -9, -9],
    ])
    const next = forget(memory, left, config)
    expect(next.ages.shape).toEqual([2, 6])
    expect([...(next.ages.data as Float32Array)]).toEqual([7, 5, 4, 3, 2, 1, 11, 9, 5, 4, 2, 1])
    expect([...(next.hidden.data as Float32Array).subarray(0, 4)]).toEqual([5, -5, 3, -3])
  })

  test('fewer than a block stay, and all get older', () => {
    const next = forget(memoryOf([[4, 3, 2, 1, 0, -1]]), remaining([[-9, 9, 9, 9, 9, 9]]), config)
    expect([...(next.ages.data as Float32Array)]).toEqual([6, 5, 4, 3, 2, 1])
  })

  test('the last attn_lim are kept where nothing expires', () => {
    const next = forget(memoryOf([[4, 3, 2, 1, 0, -1]]), undefined, config)
    expect([...(next.ages.data as Float32Array)]).toEqual([4, 3, 2, 1])
  })

  test('deleting never changes what comes after', async () => {
    manualSeed(3)
    const model = new ExpireSpan({ ...expiring, expire_span_init_percentage: 0.3 })
    for (const { attn } of model.layers) {
      const predictor = (
        attn.attn as unknown as { expire_span: { span_predictor: { weight: { set(v: Float32Array): void } } } }
      ).expire_span.span_predictor
      predictor.weight.set(new Generator(5).normal(small.hid_sz))
    }
    const read = blockReader(model, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const all = new ExpireSpan({ ...expiring, expire_span_ramp: 4 })
    all.carry = (memory) => forget(memory, undefined, { ...expiring, attn_lim: 1000 })
    all.loadStateDict(model.stateDict())
    const readAll = blockReader(all, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const [kept, whole] = [new CarriedMemory(model, 2), new CarriedMemory(all, 2)]
    const draws = new Generator(9)
    for (let block = 0; block < 8; block++) {
      const tokens = tensor(
        [0, 1].map(() => [...draws.integers(0, 6, 4)]),
        'int64',
      )
      const [a, b] = [await read(tokens, kept.memories), await readAll(tokens, whole.memories)]
      const expected = await b.result.numbers()
      for (const [i, value] of (await a.result.numbers()).entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 4)
      kept.advance(a.next)
      whole.advance(b.next)
    }
    expect(whole.lengths).toEqual([36, 36])
    expect(Math.min(...kept.lengths)).toBeLessThan(36)
    // However long memories are.
    expect(read.compiled.traces).toHaveLength(1)
    await Promise.all([read.compiled.release(), readAll.compiled.release()])
  })
})

test('blocks that are longer than the lengths at which programs are usually traced', async () => {
  manualSeed(6)
  const model = new ExpireSpan({ ...expiring, mem_sz: 256, attn_lim: 600 })
  const read = blockReader(model, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
  const memory = new CarriedMemory(model, 1)
  for (let block = 0; block < 3; block++) {
    const { next, alive } = await read(tensor([new Array<number>(256).fill(block)], 'int64'), memory.memories)
    memory.advance(next)
    // Spans are 300 steps and the ramp 4: what is at most 303 steps old at the next block. Whole blocks are kept.
    expect(alive).toEqual([303, 303])
    expect(memory.lengths).toEqual([512, 512])
  }
  expect(read.compiled.traces).toHaveLength(1)
  await read.compiled.release()
})

describe('the span loss', () => {
  // Spans of 5 steps, ramp 2. Ages 9, 5, 1 before a block of two: gone, at its end for the first query and fading for the second, whole.
  const charged = async (span_regulariser: 'ramp' | 'every') => {
    const config = { ...expiring, expire_span_loss: 0.6, expire_span_ramp: 2, span_regulariser }
    const drop = new ExpireSpanDrop(config, 10, 2)
    const run = compile((hidden: Tensor, ages: Tensor) => {
      const { spans, auxLoss } = drop.forward(hidden, ages)
      return gradient(ops.sum(auxLoss), [spans])[0]
    })
    const hidden = tensor([Array.from({ length: 5 }, () => new Array<number>(small.hid_sz).fill(0))])
    const found = await run(hidden, tensor([[9, 5, 1, 0, -1]]))
    await run.release()
    return (await found.numbers()).map((value) => Math.round(value * 1e6) / 1e6)
  }

  test('of the official code charges memories while they fade', async () => {
    // One of the queries sees the second memory on the ramp: 0.6 / (R M).
    expect(await charged('ramp')).toEqual([0, 0.15, 0, 0, 0])
  })

  test('of the paper charges every memory, once, when it is made', async () => {
    expect(await charged('every')).toEqual([0, 0, 0, 0.3, 0.3])
  })
})

test('distances and columns are two views of one table', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), async (m, s) => {
      const x = tensor([Array.from({ length: m }, (_, q) => Array.from({ length: s }, (_, d) => 10 * q + d + 1))])
      const columns = toColumns(x)
      const numbers = await columns.numbers()
      // Query q's distances begin at column q.
      for (let q = 0; q < m; q++)
        for (let c = 0; c < s + m; c++)
          expect(numbers[q * (s + m) + c]).toBe(c >= q && c < q + s ? 10 * q + c - q + 1 : 0)
      expect(await toDistances(columns).numbers()).toEqual(await x.numbers())
    }),
    { numRuns: 8, seed: 1 },
  )
})

describe('the future is not seen', () => {
  test.each([
    ['Expire-Span', () => new ExpireSpan(expiring)],
    ['a fixed span', () => new TransformerSeq(fixed)],
    ['Compressive', () => new CompressiveTransformer(compressive)],
  ] as const)('%s', async (_, make) => {
    manualSeed(4)
    const model: AnyModel = make()
    const read = blockReader(model, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const memories = model.layers.map(() => model.initialMemory(1))
    const logProbs = async (last: number) => (await read(tensor([[1, 2, 3, last]], 'int64'), memories)).result.numbers()
    const [before, after] = [await logProbs(4), await logProbs(0)]
    expect(after.slice(0, 18)).toEqual(before.slice(0, 18))
    expect(after.slice(18)).not.toEqual(before.slice(18))
    await read.compiled.release()
  })
})

describe('a fixed span that is shorter than a block', () => {
  const adaptive = {
    adapt_span_loss: 0,
    adapt_span_len: 2,
    adapt_span_init: 0.5,
    adapt_span_cache: true,
    adapt_span_trim_step: 1,
    adapt_span_layer: true,
  }
  test.each([
    ['that is given', { adapt_span: false }],
    ['that is learned', { adapt_span: true, adaptive }],
  ] as const)('%s', async (_, span) => {
    manualSeed(4)
    const model = new TransformerSeq({ ...fixed, ...span, nlayers: 1, attn_lim: 2 })
    const read = blockReader(model, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
    const logProbs = async (first: number) => {
      const memory = new CarriedMemory(model, 1)
      memory.advance((await read(tensor([[1, 2, 3, 4]], 'int64'), memory.memories)).next)
      expect(memory.lengths).toEqual([2])
      return (await read(tensor([[first, 2, 3, 4]], 'int64'), memory.memories)).result.numbers()
    }
    const [before, after] = [await logProbs(1), await logProbs(5)]
    // Two positions later the token is out of reach.
    expect(after.slice(18)).toEqual(before.slice(18))
    expect(after.slice(12, 18)).not.toEqual(before.slice(12, 18))
    await read.compiled.release()
  })

  test('a span for all heads of a layer is one number, under the official name', () => {
    const model = new TransformerSeq({ ...fixed, adapt_span: true, adaptive })
    expect(model.stateDict().get('layers.0.attn.attn.adaptive_span.mask.size_ratio')?.shape).toEqual([1])
  })
})

describe('official checkpoints', () => {
  const model = new ExpireSpan(expiring)
  const state = model.stateDict()
  const mask: NDArray = {
    dtype: 'float32',
    shape: [4, 6],
    data: Float32Array.from({ length: 24 }, (_, i) => (i % 6 < 2 + Math.floor(i / 6) ? 1 : 0)),
  }
  const checkpoint = new Map([
    ...[...state].map(([name, array]) => [`model.module.${name}`, array] as const),
    ['model.module.layers.0.attn.attn.mask_causal', mask] as const,
    ['optimizer.state.0.exp_avg', mask] as const,
  ])

  test('load by their own names, and show their sizes', () => {
    const other = new ExpireSpan(expiring)
    other.loadStateDict(officialWeights(checkpoint))
    expect(other.stateDict()).toEqual(state)
    const { dropout: _, attn_lim: __, ...sizes } = small
    expect(officialSizes(checkpoint)).toEqual({ ...sizes, head_dim: 4 })
  })

  test('another mask, and another model, are refused', () => {
    const wrong = new Map([['mask_causal', { ...mask, data: new Float32Array(24).fill(2) }]])
    expect(() => officialWeights(wrong)).toThrow('mask_causal: element 0 must be 1, found 2')
    expect(() => officialSizes(new Map())).toThrow('is not an Expire-Span model: it has no "in_emb.weight"')
  })
})

test('configurations that cannot be', () => {
  expect(() => new ExpireSpan({ ...expiring, attn_lim: 3 })).toThrow(
    'Expire-Span: attn_lim must be at least mem_sz, found 3 and 4',
  )
  expect(() => new ExpireSpan({ ...expiring, nheads: 3 })).toThrow(
    'Expire-Span: hid_sz must be a multiple of nheads unless head_dim is set, found 8 and 3',
  )
  expect(() => new ExpireSpan({ ...expiring, expire_span_ramp: 0 })).toThrow(
    'Expire-Span: expire_span_ramp must be above 0, found 0',
  )
  expect(() => new ExpireSpan({ ...expiring, expire_span_init_percentage: 1 })).toThrow(
    'Expire-Span: expire_span_init_percentage must be between 0 and 1, found 1',
  )
  expect(() => new ExpireSpan({ ...expiring, nlayers: 0 })).toThrow(
    'Expire-Span: nlayers must be a whole number of at least 1, found 0',
  )
  expect(() => new CompressiveTransformer({ ...compressive, compress_rate: 3 })).toThrow(
    'Expire-Span: compress_size and mem_sz must be multiples of compress_rate, found 8, 4 and 3',
  )
  expect(() => new TransformerSeq({ ...fixed, adapt_span: true })).toThrow(
    'Expire-Span: adapt_span needs the settings adapt_span_loss, adapt_span_len, ...',
  )
})
