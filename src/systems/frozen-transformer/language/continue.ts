/** `tenfold continue RUN "Call me"`: text that a GPT-2 writes, a token at the cost of one. */
import { z } from 'zod'
import { Decoder, streamTokens } from '../../../models/generation/index.ts'
import type { GenerationOptions } from '../../../models/generation/options.ts'
import { type Answer, defineUse } from '../../../tasks/define.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { codecOf } from './codec.ts'
import type { TrainedLanguage } from './experiment.ts'

const options = z.strictObject({
  tokens: z.number().int().positive().default(200).describe('tokens to write'),
  temperature: z.number().min(0).default(0.8).describe('below 1: more often the probable ones; 0: always'),
  top_k: z.number().int().min(0).default(0).describe('draw among so many likeliest tokens; 0: all'),
  top_p: z.number().gt(0).max(1).default(1).describe('draw among the likeliest tokens that have this probability'),
})

export type ContinueOptions = z.infer<typeof options>

/** The options of the loop; temperature 0 takes the likeliest token. */
function generationOptions({ tokens, temperature, top_k, top_p }: ContinueOptions): GenerationOptions {
  const common = { maxNewTokens: tokens, whenFull: 'slide' } as const
  return temperature === 0
    ? { ...common, doSample: false }
    : { ...common, doSample: true, temperature, topK: top_k, topP: top_p }
}

/**
 * What follows a text, in pieces as they are written. A text longer than the model sees is read from where it fits. A piece is given
 * out once its characters are whole: a token of bytes may end inside of one.
 */
export async function* continueText(
  decoder: Decoder,
  facts: TrainedLanguage['facts'],
  text: string,
  { seed, signal, ...given }: ContinueOptions & { readonly seed: number; readonly signal?: AbortSignal },
): AsyncGenerator<string> {
  const { encode, decode, never } = codecOf(facts)
  const prompt = encode(text)
  if (prompt.length === 0) throw new UsageError('there is no text to continue', { hint: 'begin it: "Call me"' })
  const room = Math.max(1, Math.floor(decoder.maxTokens / 2))
  const read = prompt.length > decoder.maxTokens ? prompt.slice(-room) : prompt
  const stream = streamTokens(decoder, Array.from(read), { ...generationOptions(given), suppressTokens: never, seed })
  const written: number[] = []
  let told = 0
  for await (const token of stream) {
    signal?.throwIfAborted()
    written.push(token)
    const so = decode(written)
    if (so.endsWith('\ufffd')) continue
    yield so.slice(told)
    told = so.length
  }
  const whole = decode(written)
  if (whole.length > told) yield whole.slice(told)
}

/** The use `continue`. */
export const continueLanguage = defineUse({
  summary: 'text that goes on from yours, written as it is computed',
  inputs: '"Call me "',
  options,
  run: async function* ({ model, facts }: TrainedLanguage, texts, chosen, context): AsyncGenerator<Answer> {
    model.eval()
    const decoder = new Decoder(model)
    try {
      for (const input of texts) {
        let text = ''
        try {
          const { signal, seed } = context
          for await (const piece of continueText(decoder, facts, input, {
            ...chosen,
            seed,
            ...(signal && { signal }),
          })) {
            if (text === '') context.write?.(`${input}`)
            context.write?.(piece)
            text += piece
          }
          yield { input, text }
        } catch (error) {
          if (!(error instanceof UsageError || error instanceof FormatError)) throw error
          yield { input, error }
        }
      }
    } finally {
      await decoder.release()
    }
  },
})
