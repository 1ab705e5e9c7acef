/** Texts that a language model writes: the likeliest token at each step, or one that is drawn. */
import { requireCount } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { type BeamOptions, beamSearch } from './beam-search.ts'
import {
  checkInputs,
  checkPrompts,
  type DecoderInputs,
  inputRows,
  type TokenIds,
  type TokenReader,
  type TokenReading,
} from './decoder.ts'
import { exponentials, maximumOf } from './logits.ts'
import { type GenerationOptions, type Settings, settingsOf } from './options.ts'

/** What follows a prompt. */
export interface Generated {
  /** The new tokens, the one that ends the text included. */
  readonly tokens: readonly number[]
  /** Of beams: sum of the log-probabilities, divided by the number of tokens to the power of the length penalty. */
  readonly score?: number
}

export interface GenerateOptions extends GenerationOptions, BeamOptions {
  /** Continuations of each prompt: drawn ones, or the best of the beams; greedy ones would be the same. Default: 1. */
  readonly numReturnSequences?: number
  /** What the model gets beside the tokens, [N, ...] each. */
  readonly inputs?: DecoderInputs
}

/**
 * Continues prompts, with transformers' semantics: greedy, by drawing (`doSample`), by beams (`numBeams` above 1). Gives what follows
 * each prompt, `numReturnSequences` for each, one prompt after the other (one if greedy). Throws a UsageError for options that do not fit.
 */
export async function generate(
  decoder: TokenReader,
  prompts: readonly TokenIds[],
  options: GenerateOptions = {},
): Promise<Generated[]> {
  const { numBeams = 1, lengthPenalty = 1, earlyStopping = false, numReturnSequences = 1, inputs, ...rest } = options
  for (const [name, value] of Object.entries({ numBeams, numReturnSequences }))
    requireCount('generate', name, value, 1, UsageError)
  checkPrompts('generate', prompts)
  if (inputs) checkInputs('generate', inputs, prompts.length)
  const settings = settingsOf('generate', rest, numBeams)
  if (numBeams > 1) {
    if (numReturnSequences > numBeams)
      throw new UsageError(`generate: there are ${numBeams} beams, so no ${numReturnSequences} sequences to return`)
    const beams = await beamSearch(decoder, prompts, settings, {
      numBeams,
      lengthPenalty,
      earlyStopping,
      ...(inputs && { inputs }),
    })
    return beams.flatMap((ofPrompt) => ofPrompt.slice(0, numReturnSequences))
  }
  if (numReturnSequences > 1 && !settings.doSample)
    throw new UsageError(
      `generate: the likeliest token at each step makes one sequence for each prompt, so no ${numReturnSequences} to return`,
      { hint: 'draw with doSample, or search with numBeams' },
    )
  const writer = new Writer(decoder, prompts, settings, numReturnSequences, inputs)
  while ((await writer.step()).some((token) => token !== undefined));
  return writer.generated
}

/** The tokens that follow one prompt, as they come. Options as for `generate`, without beams. */
export async function* streamTokens(
  decoder: TokenReader,
  prompt: TokenIds,
  options: GenerationOptions & { readonly inputs?: DecoderInputs } = {},
): AsyncGenerator<number, void, void> {
  const { inputs, ...rest } = options
  if ('numBeams' in rest || 'numReturnSequences' in rest)
    throw new UsageError(
      'streamTokens: writes one text, without beams: numBeams and numReturnSequences are for generate',
    )
  checkPrompts('streamTokens', [prompt])
  if (inputs) checkInputs('streamTokens', inputs, 1)
  const writer = new Writer(decoder, [prompt], settingsOf('streamTokens', rest), 1, inputs)
  for (;;) {
    const [token] = await writer.step()
    if (token === undefined) return
    yield token
  }
}

/** One continuation. */
interface Row {
  readonly tokens: number[]
  readonly promptLength: number
  readonly prompt: number
  readonly generator: Generator
  isDone: boolean
}

/** Sequences that are being written, one token a step. */
class Writer {
  readonly #decoder: TokenReader
  readonly #settings: Settings
  readonly #inputs: DecoderInputs
  readonly #rows: readonly Row[]
  /** The rows that are read, in the order of the decoding's. */
  #read: readonly Row[] = []
  #decoding: TokenReading | undefined

  constructor(
    decoder: TokenReader,
    prompts: readonly TokenIds[],
    settings: Settings,
    times: number,
    inputs: DecoderInputs = {},
  ) {
    this.#decoder = decoder
    this.#settings = settings
    this.#inputs = inputs
    this.#rows = prompts.flatMap((ids, prompt) =>
      Array.from({ length: times }, (_, i) => ({
        tokens: Array.from(ids, Number),
        promptLength: ids.length,
        prompt,
        generator: new Generator(deriveSeed(settings.seed, 'generation', prompt * times + i)),
        isDone: false,
      })),
    )
  }

  /** What was written so far. */
  get generated(): Generated[] {
    return this.#rows.map(({ tokens, promptLength }) => ({ tokens: tokens.slice(promptLength) }))
  }

  /** The next token of each row; undefined for those that have ended. */
  async step(): Promise<(number | undefined)[]> {
    const isFirst = this.#decoding === undefined
    if (!isFirst && !this.#rows.some(({ isDone }) => !isDone)) return this.#rows.map(() => undefined)
    const decoding = isFirst || !this.#decoding ? await this.#start(0) : await this.#advance(this.#decoding)
    if (isFirst && decoding.logits[0]) this.#settings.requireTokens(decoding.logits[0].length)
    const chosen = new Map(
      this.#read.flatMap((row, i) => {
        const logits = decoding.logits[i]
        return row.isDone || !logits ? [] : [[row, this.#choose(row, logits)] as const]
      }),
    )
    return this.#rows.map((row) => chosen.get(row))
  }

  /** Reads the last tokens. Where they do not fit any more, rows end, or all are read again from their later half. */
  async #advance(decoding: TokenReading): Promise<TokenReading> {
    const { maxTokens } = this.#decoder
    const isFull = decoding.lengths.map((length) => length >= maxTokens)
    if (isFull.includes(true)) {
      if (this.#settings.slides) return this.#start(Math.ceil(maxTokens / 2))
      for (const [i, row] of this.#read.entries()) row.isDone ||= isFull[i] ?? false
      const left = [...this.#read.keys()].filter((i) => this.#read[i]?.isDone === false)
      this.#read = left.flatMap((i) => this.#read[i] ?? [])
      if (left.length === 0) return decoding
      decoding.select(left)
    }
    // Rows that have ended are read on in silence, so that the program stays the same.
    await decoding.append(this.#read.map(({ tokens }) => tokens.slice(-1)))
    return decoding
  }

  /** Reads the last `most` tokens of the rows that have not ended; 0: all. Rows of one prompt are read once. */
  async #start(most: number): Promise<TokenReading> {
    this.#read = this.#rows.filter(({ isDone }) => !isDone)
    const isNew = this.#decoding === undefined
    const distinct = isNew ? this.#read.filter(({ prompt }, i, all) => all[i - 1]?.prompt !== prompt) : this.#read
    const decoding = await this.#decoder.start(
      distinct.map(({ tokens }) => tokens.slice(-most)),
      inputRows(
        this.#inputs,
        distinct.map(({ prompt }) => prompt),
      ),
    )
    if (distinct.length < this.#read.length) decoding.select(this.#read.map(({ prompt }) => prompt))
    this.#decoding = decoding
    return decoding
  }

  #choose(row: Row, logits: Float32Array): number {
    const { processors, doSample, stopTokens, maxNewTokens } = this.#settings
    for (const change of processors) change(logits, row.tokens, row.promptLength)
    const token = doSample ? draw(logits, row.generator) : likeliest(logits)
    if (token < 0)
      throw new UsageError('generate: no token may come: all scores are -Infinity or NaN', {
        hint: 'suppressTokens and the other limits must leave a token; NaN comes from the model',
      })
    row.tokens.push(token)
    row.isDone = stopTokens.has(token) || row.tokens.length - row.promptLength >= maxNewTokens
    return token
  }
}

/** The token of the highest score; -1: none may come. */
function likeliest(scores: Float32Array): number {
  const largest = maximumOf(scores)
  return largest === Number.NEGATIVE_INFINITY ? -1 : scores.indexOf(largest)
}

/** A token, each as likely as its score says; -1: none may come. */
function draw(scores: Float32Array, generator: Generator): number {
  const { weights, total } = exponentials(scores)
  if (!(total > 0)) return -1
  let left = (generator.uniform(1)[0] ?? 0) * total
  let last = 0
  for (let token = 0; token < weights.length; token++) {
    const weight = weights[token] ?? 0
    if (weight === 0) continue
    last = token
    left -= weight
    if (left < 0) break
  }
  return last
}
