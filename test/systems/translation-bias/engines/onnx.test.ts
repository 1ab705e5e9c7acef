import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../../../src/compile/compile.ts'
import { exportOnnx } from '../../../../src/compile/export.ts'
import { sentencePieceTokenizer } from '../../../../src/data/text/sentencepiece.ts'
import { AttentionCache, Decoder, EncoderDecoder, generate, type KeysAndValues } from '../../../../src/models/index.ts'
import * as ops from '../../../../src/ops/index.ts'
import { onnxEngine } from '../../../../src/systems/translation-bias/engines/onnx.ts'
import { manualSeed } from '../../../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../../../src/tensor/tensor.ts'

const special = { unk: 0, eos: 1, pad: 2 } as const
const words = ['ő', 'egy', 'orvos', 'she', 'he', 'is', 'a', 'doctor']
const sizes = { vocab_size: 3 + words.length, max_positions: 24, d_model: 16, heads: 2, dropout: 0 }
const [width, heads] = [sizes.d_model / sizes.heads, sizes.heads]

/** Attends to all that was before, in the order of the tokens: what Optimum's files do. */
class GrowingCache extends AttentionCache {
  readonly before: readonly KeysAndValues[]

  constructor(before: readonly KeysAndValues[], contexts: readonly KeysAndValues[]) {
    super({ contexts })
    this.before = before
  }

  override attend(q: Tensor, k: Tensor, v: Tensor): ops.Attention {
    const past = this.before[this.present.length]
    const [key, value] = past ? [ops.concat([past.key, k], 2), ops.concat([past.value, v], 2)] : [k, v]
    this.present.push({ key, value })
    return ops.attentionWithWeights(q, key, value, { causal: past === undefined })
  }

  override positions(length: number): Tensor {
    const [past] = this.before
    if (!past) return super.positions(length)
    const ones = ops.add(ops.mul(ops.slice(ops.sum(past.key, -1), [0, 1], 1), 0), 1) // [N, 1, S]
    return ops.cast(ops.sum(ones, -1), 'int64') // [N, 1]
  }
}

function named(prefix: string, kind: string, state: readonly KeysAndValues[]): Record<string, Tensor> {
  return Object.fromEntries(
    state.flatMap(({ key, value }, i) => [
      [`${prefix}.${i}.${kind}.key`, key],
      [`${prefix}.${i}.${kind}.value`, value],
    ]),
  )
}

const pairs = (inputs: Readonly<Record<string, Tensor>>, kind: string): KeysAndValues[] => {
  const key = inputs[`past_key_values.0.${kind}.key`]
  const value = inputs[`past_key_values.0.${kind}.value`]
  return key && value ? [{ key, value }] : []
}

const ids = { dtype: 'int64', shape: [1, 3] } as const
const hidden = { dtype: 'float32', shape: [1, 3, sizes.d_model] } as const
const cached = { dtype: 'float32', shape: [1, heads, 3, width] } as const

async function exported(model: EncoderDecoder) {
  const encoder = await exportOnnx({
    inputs: { input_ids: ids, attention_mask: ids },
    dynamic: { input_ids: { 1: 'source' }, attention_mask: { 1: 'source' } },
    forward: ({ input_ids, attention_mask }) => ({
      last_hidden_state: model.encode(input_ids, ops.greater(attention_mask, 0)),
    }),
  })
  const common = { encoder_attention_mask: ids, encoder_hidden_states: hidden }
  const lengths = { encoder_attention_mask: { 1: 'source' }, encoder_hidden_states: { 1: 'source' } } as const
  const decode = (inputs: Readonly<Record<string, Tensor>>, cache: AttentionCache): Tensor => {
    const { input_ids, encoder_attention_mask, encoder_hidden_states } = inputs
    if (!input_ids || !encoder_attention_mask || !encoder_hidden_states) throw new Error('an input is missing')
    return model.decode(input_ids, {
      memory: encoder_hidden_states,
      sourceMask: ops.greater(encoder_attention_mask, 0),
      cache,
    })
  }
  const decoder = await exportOnnx({
    inputs: { ...common, input_ids: ids },
    dynamic: { ...lengths, input_ids: { 1: 'target' } },
    forward: (inputs) => {
      const cache = new GrowingCache([], [])
      const logits = decode(inputs, cache)
      return { logits, ...named('present', 'decoder', cache.present), ...named('present', 'encoder', cache.contexts) }
    },
  })
  const next = await exportOnnx({
    inputs: {
      ...common,
      input_ids: { dtype: 'int64', shape: [1, 1] },
      'past_key_values.0.decoder.key': cached,
      'past_key_values.0.decoder.value': cached,
      'past_key_values.0.encoder.key': cached,
      'past_key_values.0.encoder.value': cached,
    },
    dynamic: {
      ...lengths,
      'past_key_values.0.decoder.key': { 2: 'past' },
      'past_key_values.0.decoder.value': { 2: 'past' },
      'past_key_values.0.encoder.key': { 2: 'source' },
      'past_key_values.0.encoder.value': { 2: 'source' },
    },
    forward: (inputs) => {
      const cache = new GrowingCache(pairs(inputs, 'decoder'), pairs(inputs, 'encoder'))
      const logits = decode(inputs, cache)
      return { logits, ...named('present', 'decoder', cache.present) }
    },
  })
  return { encoder, decoder, next }
}

const config = {
  model_type: 'marian',
  d_model: sizes.d_model,
  decoder_attention_heads: heads,
  decoder_start_token_id: special.pad,
  eos_token_id: special.eos,
  pad_token_id: special.pad,
  max_length: 10,
  num_beams: 3,
}

const tokenizer = sentencePieceTokenizer({
  kind: 'unigram',
  pieces: ['<unk>', '</s>', '<pad>', ...words.map((word) => `▁${word}`)],
  scores: [0, 0, 0, ...words.map(() => -1)],
  types: ['unknown', 'control', 'control', ...words.map(() => 'normal')],
})

let model: EncoderDecoder
let files: Awaited<ReturnType<typeof exported>>

beforeAll(async () => {
  manualSeed(4)
  model = new EncoderDecoder({ ...sizes, encoder_layers: 1, decoder_layers: 1 })
  model.eval()
  files = await exported(model)
})

async function folderWith(parts: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-onnx-'))
  for (const [name, content] of Object.entries(parts)) await writeFile(join(folder, name), content)
  return folder
}

const whole = () => ({
  'config.json': JSON.stringify(config),
  'tokenizer.json': JSON.stringify(tokenizer),
  'encoder_model.onnx': files.encoder,
  'decoder_model.onnx': files.decoder,
  'decoder_with_past_model.onnx': files.next,
})

const texts = ['ő egy orvos', 'ő', 'egy orvos ő ő egy']
const direction = { source: 'hu', target: 'en' }
const options = { beam: 1, sample: false, temperature: 1, seed: 0, batch: 8 }

/** The same by the model itself, one text at a time: nothing is filled up. */
async function directly(numBeams: number, numReturnSequences = 1): Promise<string[][]> {
  const decoder = new Decoder((tokens, cache, { memory }) => {
    if (!memory) throw new Error('no memory')
    return model.decode(tokens, { memory, cache })
  })
  const found: string[][] = []
  for (const text of texts) {
    const source = [...text.split(' ').map((word) => 3 + words.indexOf(word)), special.eos]
    const { array: memory } = await encoded(source)
    const generated = await generate(decoder, [[special.pad]], {
      maxNewTokens: config.max_length - 1,
      eosTokenId: special.eos,
      suppressTokens: [special.pad],
      numBeams,
      numReturnSequences,
      inputs: { memory },
    })
    found.push(
      generated.map(({ tokens }) =>
        tokens
          .filter((id) => id > special.pad)
          .map((id) => words[id - 3])
          .join(' '),
      ),
    )
  }
  return found
}

const encoded = (source: readonly number[]): Promise<Tensor> =>
  compile((input: Tensor) => model.encode(input))(tensor([[...source]], 'int64'))

/** Unknown pieces are written so by the tokenizer. */
const plain = (text: string): string => text.replaceAll('<unk>', '').replace(/ +/g, ' ').trim()

describe('ONNX sequence-to-sequence models', () => {
  test('translate as the model itself does, with the cache and without it, whatever the batch is filled up with', async () => {
    const expected = await directly(1)
    const withCache = await onnxEngine({ folder: await folderWith(whole()), ...options })
    const { 'decoder_with_past_model.onnx': _, ...few } = whole()
    const without = await onnxEngine({ folder: await folderWith(few), ...options })
    for (const engine of [withCache, without]) {
      expect((await engine.translate(texts, direction)).map(plain)).toEqual(expected.map(([best]) => best))
    }
  })

  test('beams: as many as the model says, and the n best', async () => {
    const folder = await folderWith(whole())
    const engine = await onnxEngine({ folder, ...options, beam: 0 })
    expect(engine.identity).toMatch(/^onnx: tenfold-onnx-\S+ \(SHA-256 [0-9a-f]{16}\), beam 3$/)
    const expected = await directly(3, 3)
    const found = await engine.alternatives?.(texts, direction, 3)
    expect(found?.map((each) => each.map(plain))).toEqual(expected)
  })

  test('drawn translations follow from the seed', async () => {
    const folder = await folderWith(whole())
    const drawn = async (seed: number): Promise<readonly string[]> => {
      const engine = await onnxEngine({ folder, ...options, sample: true, temperature: 2, seed })
      return engine.translate(texts, direction)
    }
    const first = await drawn(1)
    expect(await drawn(1)).toEqual(first)
    expect(await drawn(2)).not.toEqual(first)
  })

  test('what is missing or wrong is one line', async () => {
    const open = async (parts: Record<string, Uint8Array | string>): Promise<[string, Promise<unknown>]> => {
      const folder = await folderWith(parts)
      return [folder, onnxEngine({ folder, ...options })]
    }
    await expect(onnxEngine({ folder: '', ...options })).rejects.toThrow('the engine "onnx" needs a folder, found none')
    await expect(onnxEngine({ folder: '/nonesuch', ...options })).rejects.toThrow('/nonesuch: no such folder')
    const { 'encoder_model.onnx': _, ...noEncoder } = whole()
    const [one, first] = await open(noEncoder)
    await expect(first).rejects.toThrow(`${one} must have encoder_model.onnx and`)
    const [two, second] = await open({ ...whole(), 'config.json': '{}' })
    await expect(second).rejects.toThrow(`${two}/config.json must be of a sequence-to-sequence model: d_model`)
    const [three, third] = await open({ ...whole(), 'encoder_model.onnx': 'no model' })
    await expect(third).rejects.toThrow(`${three}/encoder_model.onnx must be an ONNX model: `)
    const { 'tokenizer.json': _tokenizer, ...noWords } = whole()
    const [four, fourth] = await open(noWords)
    await expect(fourth).rejects.toThrow(
      `${four} must have source.spm and vocab.json, or tokenizer.json, found neither`,
    )
  })
})
