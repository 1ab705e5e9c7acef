import { beforeAll, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { Decoder, EncoderDecoder } from '../../src/models/index.ts'
import * as ops from '../../src/ops/index.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

const config = { vocab_size: 9, max_positions: 12, d_model: 8, heads: 2, encoder_layers: 1, decoder_layers: 2 }
let model: EncoderDecoder

beforeAll(() => {
  manualSeed(2)
  model = new EncoderDecoder(config)
  model.eval()
})

const numbers = async (logits: Promise<Tensor>): Promise<number[]> => [...((await logits).array.data as Float32Array)]

test('one table of vectors, attention of every layer, norms: as many parameters as that', () => {
  const { d_model: c, vocab_size } = config
  const attention = 4 * (c * c + c)
  const mlp = 8 * c * c + 5 * c
  const norm = 2 * c
  const encoder = attention + mlp + 2 * norm
  const decoder = 2 * attention + mlp + 3 * norm
  const found = model.parameters().reduce((sum, { size }) => sum + size, 0)
  expect(found).toBe(vocab_size * c + encoder + norm + 2 * decoder + norm)
})

test('padding of the source changes nothing, and neither do later tokens of the target', async () => {
  const forward = compile((source: Tensor, target: Tensor) => model.forward(source, target, ops.notEqual(source, 0)))
  const whole = await numbers(forward(tensor([[5, 6, 1]], 'int64'), tensor([[2, 3]], 'int64')))
  const padded = await numbers(forward(tensor([[5, 6, 1, 0, 0]], 'int64'), tensor([[2, 3, 8]], 'int64')))
  for (const [i, value] of whole.entries()) expect(padded[i]).toBeCloseTo(value, 5)
})

test('token by token with the cache: the logits of the whole', async () => {
  const source = tensor([[5, 6, 1]], 'int64')
  const target = [2, 3, 8, 4]
  const forward = compile((ids: Tensor) => model.forward(source, ids))
  const whole = await numbers(forward(tensor([target], 'int64')))
  const memory = (await compile((ids: Tensor) => model.encode(ids))(source)).array
  const decoder = new Decoder((ids, cache, { memory: seen }) => {
    if (!seen) throw new Error('no memory')
    return model.decode(ids, { memory: seen, cache })
  })
  const decoding = await decoder.start([[target[0] ?? 0]], { memory })
  for (const token of target.slice(1)) await decoding.append([[token]])
  const last = whole.slice(-config.vocab_size)
  for (const [i, value] of last.entries()) expect(decoding.logits[0]?.[i]).toBeCloseTo(value, 5)
})
