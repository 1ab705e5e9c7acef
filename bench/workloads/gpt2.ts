/** Tokens of a GPT-2, one at a time: the small one of the tests of speed, and the published smallest size. */
import { gpt2Variants } from '../../src/models/index.ts'
import type { Decoding } from '../harness/workload.ts'

/** Tokens that are read at once before the first step. */
export const promptTokens = 16
/** Tokens after which the text starts anew. */
export const textTokens = 256

const decoding = (name: string, summary: string, config: Decoding['config']): Decoding => ({
  name,
  summary: `${summary}, one token a step, ${promptTokens} to ${textTokens} tokens in the cache`,
  config,
})

export const gpt2s: readonly Decoding[] = [
  decoding('gpt2-small', '6 layers, width 384, 6 heads, vocabulary 8,000', {
    vocab_size: 8000,
    n_embd: 384,
    n_layer: 6,
    n_head: 6,
  }),
  decoding('gpt2-124m', '12 layers, width 768, 12 heads, vocabulary 50,257', gpt2Variants.gpt2),
]
