/** `tenfold continue RUN "Call me"`: text that a character model writes, with its memory. */
import { z } from 'zod'
import { type Answer, answerEach, defineUse } from '../../tasks/define.ts'
import {
  type CharacterFacts,
  decodeCharacters,
  encodeCharacters,
  unknownCharacters,
} from '../../tasks/language/characters.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { Generator } from '../../util/random.ts'
import { blockReader, CarriedMemory } from './carried.ts'
import type { AnyModel } from './model.ts'

/** How text is written. */
export interface ContinueOptions {
  readonly characters: number
  /** Log probabilities are divided by it; 0: always the most probable character. */
  readonly temperature: number
  readonly seed: number
}

/**
 * The characters that follow a text. Blocks are read as in training; of the last one, which is not full yet, what stands after its end
 * is not seen, and its memory is not taken on before it is full.
 */
export async function continueCharacters(
  model: AnyModel,
  facts: CharacterFacts,
  text: string,
  { characters, temperature, seed }: ContinueOptions,
): Promise<string> {
  const given = [...encodeCharacters(text, facts)]
  if (given.length === 0) throw new UsageError('there is no text to continue', { hint: 'begin it: "Call me"' })
  const { mem_sz } = model.config
  const classes = facts.characters.length
  const random = new Generator(seed)
  const memory = new CarriedMemory(model, 1)
  model.eval()
  const read = blockReader(model, (tokens: Tensor, readBlock) => readBlock(tokens).logProbs)
  const written: number[] = []
  let block: number[] = []
  try {
    while (written.length < characters) {
      while (given.length > 0 && block.length < mem_sz) block.push(given.shift() ?? 0)
      const padded = [...block, ...new Array<number>(mem_sz - block.length).fill(0)]
      const { result, next } = await read(tensor([padded], 'int64'), memory.memories)
      const last = (block.length - 1) * classes
      const logProbs = toNumbers(result.array.data).slice(last, last + classes)
      if (block.length === mem_sz) {
        memory.advance(next)
        block = []
      }
      if (given.length > 0) continue
      const character = choose(logProbs, temperature, random)
      written.push(character)
      block.push(character)
    }
  } finally {
    await read.compiled.release()
  }
  return decodeCharacters(written, facts)
}

/** A class by its probability; never class 0, which is no character. */
function choose(logProbs: readonly number[], temperature: number, random: Generator): number {
  const known = logProbs.map((value, i) => (i === 0 ? Number.NEGATIVE_INFINITY : value))
  const greatest = Math.max(...known)
  if (temperature === 0) return known.indexOf(greatest)
  const weights = known.map((value) => Math.exp((value - greatest) / temperature))
  let left = (random.uniform(1)[0] ?? 0) * weights.reduce((sum, weight) => sum + weight, 0)
  const chosen = weights.findIndex((weight) => {
    left -= weight
    return left < 0
  })
  return chosen < 0 ? known.indexOf(greatest) : chosen
}

/** The use `continue`. */
export const continueText = defineUse({
  summary: 'text that goes on from yours, written character by character',
  inputs: '"Call me "',
  options: z.strictObject({
    characters: z.number().int().positive().default(200).describe('characters to write'),
    temperature: z.number().min(0).default(0.7).describe('below 1: more often the probable ones; 0: always'),
  }),
  run: (
    { model, facts }: { readonly model: AnyModel; readonly facts: CharacterFacts },
    texts,
    options,
    { seed, say },
  ): AsyncGenerator<Answer> =>
    answerEach(texts, async (text) => {
      const strange = unknownCharacters(text, facts)
      if (strange !== undefined) say(`note: ${strange}`)
      return [{ input: text, text: await continueCharacters(model, facts, text, { ...options, seed }) }]
    }),
})
