import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import '../../../src/index.ts'
import {
  Decoder,
  type GenerateOptions,
  GPT2LMHeadModel,
  generate,
  gpt2LMWeights,
  streamTokens,
} from '../../../src/models/index.ts'
import * as ops from '../../../src/ops/index.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { readReference } from '../reference.ts'

/** What transformers' GPT-2 writes with the same weights: test/fixtures/models/make.py. */
interface Case {
  readonly options: Readonly<Record<string, unknown>>
  readonly tokens: readonly number[][]
  /** Of beams. */
  readonly scores: readonly number[]
}

const { config } = JSON.parse(
  readFileSync(new URL('../../fixtures/models/gpt2-generation.json', import.meta.url), 'utf8'),
) as {
  config: {
    vocab_size: number
    n_positions: number
    n_embd: number
    n_layer: number
    n_head: number
    prompts: number[][]
    cases: Case[]
  }
}
const { prompts } = config

/** The reference's weights; those of the embedding are a quarter. */
function scaled([name, array]: readonly [string, NDArray]): [string, NDArray] {
  const isEmbedding = name.endsWith('wte.weight')
  return [name, isEmbedding ? { ...array, data: (array.data as Float32Array).map((value) => value / 4) } : array]
}

const model = new GPT2LMHeadModel(config).eval()
model.loadStateDict(gpt2LMWeights(new Map([...readReference('gpt2-generation').state].map(scaled))))
let decoder: Decoder

beforeAll(() => {
  decoder = new Decoder(model, { threads: 1 })
})
afterAll(() => decoder.release())

/** transformers' names in camelCase. */
function optionsOf(theirs: Case['options']): GenerateOptions {
  const entries = Object.entries(theirs).map(([name, value]) => [
    name.replace(/_(.)/g, (_, c) => c.toUpperCase()),
    value,
  ])
  return { maxNewTokens: 15, doSample: false, ...Object.fromEntries(entries) }
}

test.each(config.cases)('transformers writes the same with $options', async ({ options, tokens, scores }) => {
  const generated = await generate(decoder, prompts, optionsOf(options))
  expect(generated.map((one) => one.tokens)).toEqual(tokens)
  for (const [i, score] of scores.entries()) expect(generated[i]?.score).toBeCloseTo(score, 3)
})

test('a prompt alone is continued as among others, and as a stream', async () => {
  const together = await generate(decoder, prompts, { maxNewTokens: 8 })
  for (const [i, prompt] of prompts.entries()) {
    const streamed: number[] = []
    for await (const token of streamTokens(decoder, prompt, { maxNewTokens: 8 })) streamed.push(token)
    expect(streamed).toEqual(together[i]?.tokens)
  }
})

test('a stream may be left', async () => {
  for await (const token of streamTokens(decoder, [1, 2], { maxNewTokens: 8 })) {
    expect(token).toBeGreaterThanOrEqual(0)
    break
  }
})

describe('drawn tokens', () => {
  const options = { temperature: 1.5, maxNewTokens: 12 }
  const [prompt = []] = prompts

  test('a seed gives the same text again, another seed and another row another text', async () => {
    const draw = async (seed: number): Promise<readonly (readonly number[])[]> =>
      (await generate(decoder, [prompt], { ...options, seed, numReturnSequences: 3 })).map(({ tokens }) => tokens)
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)]
    expect(first).toEqual(again)
    expect(first).not.toEqual(other)
    expect(new Set(first.map(String)).size).toBe(3)
  })

  test('they follow the probabilities that are left', async () => {
    const { logits } = await decoder.start([prompt])
    const scores = Array.from(logits[0] ?? [])
    const best = scores
      .map((score, token) => ({ score, token }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 3)
    const total = best.reduce((sum, { score }) => sum + Math.exp(score / 0.8), 0)
    const count = 4000
    const drawn = await generate(decoder, [prompt], {
      ...{ topK: 3, temperature: 0.8, maxNewTokens: 1, numReturnSequences: count },
    })
    const counts = new Map<number, number>()
    for (const {
      tokens: [token = -1],
    } of drawn)
      counts.set(token, (counts.get(token) ?? 0) + 1)
    expect([...counts.keys()].sort()).toEqual(best.map(({ token }) => token).sort())
    for (const { score, token } of best)
      expect((counts.get(token) ?? 0) / count).toBeCloseTo(Math.exp(score / 0.8) / total, 1)
  })

  test('a temperature near 0 and one token to choose from take the likeliest', async () => {
    const greedy = await generate(decoder, prompts, { maxNewTokens: 6 })
    expect(await generate(decoder, prompts, { maxNewTokens: 6, temperature: 1e-4 })).toEqual(greedy)
    expect(await generate(decoder, prompts, { maxNewTokens: 6, topK: 1 })).toEqual(greedy)
    expect(await generate(decoder, prompts, { maxNewTokens: 6, topP: 0 })).toEqual(greedy)
  })

  test('beams may be drawn', async () => {
    const draw = (seed: number) => generate(decoder, [prompt], { numBeams: 3, doSample: true, seed, maxNewTokens: 8 })
    expect(await draw(1)).toEqual(await draw(1))
    expect(await draw(1)).not.toEqual(await draw(2))
  })
})

describe('positions that are used up', () => {
  test('end a text, of each row by itself', async () => {
    const long = Array.from({ length: 62 }, (_, i) => i % 37)
    const rows = await generate(decoder, [[1, 2], long], { maxNewTokens: 10 })
    // The last token need not be read.
    expect(rows.map(({ tokens }) => tokens.length)).toEqual([10, 3])
    const [beam] = await generate(decoder, [long], { maxNewTokens: 10, numBeams: 2 })
    expect(beam?.tokens.length).toBe(3)
  })

  test('end beams of a prompt where they would alone, whatever the others', async () => {
    const long = Array.from({ length: 59 }, (_, i) => (3 * i) % 37)
    const options = { maxNewTokens: 60, numBeams: 3, eosTokenId: 0 }
    const together = await generate(decoder, [[4, 5], long, [7, 8, 9]], options)
    const apart = await Promise.all([[4, 5], long, [7, 8, 9]].map((each) => generate(decoder, [each], options)))
    expect(together.map(({ tokens }) => tokens)).toEqual(apart.flat().map(({ tokens }) => tokens))
    expect(together[1]?.tokens.length).toBeLessThanOrEqual(6)
  })

  test('or the later half is read again', async () => {
    const long = Array.from({ length: 60 }, (_, i) => i % 37)
    const [row] = await generate(decoder, [long], { maxNewTokens: 50, whenFull: 'slide' })
    expect(row?.tokens.length).toBe(50)
    const read = [...long, ...(row?.tokens ?? [])].slice(65 - 32, 65)
    const [again] = await generate(decoder, [read], { maxNewTokens: 5 })
    expect(row?.tokens.slice(5, 10)).toEqual(again?.tokens)
  })
})

test.each<[string, GenerateOptions]>([
  ['generate: maxNewTokens must be a whole number of at least 1, found 0', { maxNewTokens: 0 }],
  ['generate: temperature must be above 0, found 0', { temperature: 0 }],
  ['generate: topP must be from 0 to 1, found 1.5', { topP: 1.5 }],
  ['generate: topK must be a whole number of at least 0, found 2.5', { topK: 2.5 }],
  ['generate: there are 2 beams, so no 3 sequences to return', { numBeams: 2, numReturnSequences: 3 }],
  [
    'generate: the likeliest token at each step makes one sequence for each prompt, so no 2 to return',
    { numReturnSequences: 2 },
  ],
  ['generate: beams cannot slide', { numBeams: 2, whenFull: 'slide' }],
  ['generate: whenFull must be stop or slide, found "wait"', { whenFull: 'wait' as 'stop' }],
  ['generate: there is no option "topp"', { topp: 0.4 } as object],
  [
    "generate: earlyStopping must be true, false or 'never', found sometimes",
    { numBeams: 2, earlyStopping: 'sometimes' as 'never' },
  ],
  ['generate: doSample must be true or false, found "yes"', { doSample: 'yes' as unknown as boolean }],
])('%s', async (message, options) => {
  await expect(generate(decoder, prompts, options)).rejects.toThrow(expect.objectContaining({ message }) as Error)
})

test('options that leave nothing to write are errors', async () => {
  const all = Array.from({ length: config.vocab_size }, (_, i) => i)
  const none = 'generate: no token may come: all scores are -Infinity or NaN'
  for (const doSample of [false, true])
    await expect(generate(decoder, prompts, { suppressTokens: all, doSample })).rejects.toThrow(none)
  const spoil = (scores: Float32Array): void => void scores.fill(Number.NaN)
  for (const doSample of [false, true])
    await expect(generate(decoder, prompts, { logitsProcessor: [spoil], doSample })).rejects.toThrow(none)
  await expect(generate(decoder, prompts, { minNewTokens: 30, maxNewTokens: 5 })).rejects.toThrow(
    'generate: minNewTokens must be at most maxNewTokens, 5, found 30',
  )
  for (const wrong of [spoil, [3]] as unknown[] as GenerateOptions['logitsProcessor'][])
    await expect(generate(decoder, prompts, { logitsProcessor: wrong ?? [] })).rejects.toThrow(
      /logitsProcessor must be a list/,
    )
  const stream = streamTokens(decoder, prompts[0] ?? [], { numBeams: 2 } as object)
  await expect(stream.next()).rejects.toThrow('streamTokens: writes one text, without beams')
})

test('tokens that options name are whole numbers of the vocabulary', async () => {
  for (const [options, message] of [
    [{ eosTokenId: 1.5 }, 'eosTokenId must be a whole number of at least 0, found 1.5'],
    [{ suppressTokens: [-1] }, 'suppressTokens must be a whole number of at least 0, found -1'],
    [{ suppressTokens: 3 }, 'suppressTokens must be a list, found 3'],
    [{ eosTokenId: [3, 37] }, "eosTokenId must be below 37, the model's tokens, found 37"],
    [{ suppressTokens: [50256], numBeams: 2 }, "suppressTokens must be below 37, the model's tokens, found 50256"],
  ] as const)
    await expect(generate(decoder, prompts, options as object)).rejects.toThrow(`generate: ${message}`)
})

test('what is no model, no logits, no tokens or no input is told of', async () => {
  expect(() => new Decoder(undefined as never)).toThrow('Decoder: a model with a forward method is needed')
  for (const [wrong, found] of [
    [undefined, 'found undefined'],
    [ops.zeros([1, 37]), 'found [1, 37]'],
    [ops.zeros([1, 7, 37]), 'found [1, 7, 37]'],
  ] as const) {
    const other = new Decoder(() => wrong as never, { threads: 1 })
    await expect(generate(other, [[1, 2, 3]])).rejects.toThrow(found)
    await other.release()
  }
  const decoding = await decoder.start([[1, 2]])
  await expect(decoding.append([[0.5]])).rejects.toThrow('Decoder: tokens[0] must be a list of token ids')
  await expect(generate(decoder, prompts, { inputs: { memory: 1 } as never })).rejects.toThrow(
    `generate: inputs.memory must be an array [${prompts.length}, ...], a row for each prompt, found 1`,
  )
  const halves = {
    memory: { dtype: 'float32', shape: [prompts.length], data: new Int32Array(prompts.length) },
  } as const
  await expect(generate(decoder, prompts, { inputs: halves })).rejects.toThrow(
    'generate: inputs.memory: float32 is stored as Float32Array, found Int32Array',
  )
  expect(() => model.loadStateDict({ weight: 1 } as never)).toThrow(
    'GPT2LMHeadModel: a state dict is a Map of arrays by name',
  )
})

test('prompts are lists of token ids', async () => {
  const untyped = (prompts: unknown): Promise<unknown> => generate(decoder, prompts as number[][])
  await expect(untyped([1, 2])).rejects.toThrow(
    'generate: prompts[0] must be a list of token ids, whole numbers, found 1',
  )
  await expect(untyped([[1], [1.5]])).rejects.toThrow(
    'generate: prompts[1] must be a list of token ids, whole numbers, found 1.5',
  )
  await expect(untyped('text')).rejects.toThrow('generate: prompts must be a list, found "text"')
  // From a tensor of a tokenizer: int64.
  const ids = BigInt64Array.from(prompts[0] ?? [], BigInt) as unknown as number[]
  expect(await untyped([ids])).toEqual(await generate(decoder, prompts.slice(0, 1)))
  await expect(untyped([[37]])).rejects.toThrow('found 37')
})
