/** How tokens are chosen: transformers' names and defaults, in camelCase. */
import {
  optionsOf,
  requireCount,
  requireFinite,
  requireFlag,
  requireList,
  requireOneOf,
  requirePositive,
  requireWithin,
  shown,
} from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import {
  type LogitsProcessor,
  minNewTokens,
  minP,
  noRepeatNgrams,
  repetitionPenalty,
  suppressTokens,
  temperature,
  topK,
  topP,
} from './logits.ts'

export interface GenerationOptions {
  /** New tokens of each prompt, at most. Default: 20. */
  readonly maxNewTokens?: number
  /** New tokens before one that ends the text may come. Default: 0. */
  readonly minNewTokens?: number
  /** Tokens that end a text; they are part of it. Default: none. */
  readonly eosTokenId?: number | readonly number[]
  /** Whether tokens are drawn; else the likeliest is taken. Default: whether temperature, topK, topP or minP is given. */
  readonly doSample?: boolean
  /** Divides the logits. Default: 1. */
  readonly temperature?: number
  /** Draw among the k likeliest tokens only; 0: among all. Default: 0 (transformers: 50). */
  readonly topK?: number
  /** Draw among the likeliest tokens whose probabilities sum to this. Default: 1. */
  readonly topP?: number
  /** Draw among the tokens with at least this share of the likeliest one's probability. Default: 0. */
  readonly minP?: number
  /** Divides logits above 0, multiplies those below, of tokens that were there already. Default: 1. */
  readonly repetitionPenalty?: number
  /** No sequence of so many tokens comes twice; 0: any may. Default: 0. */
  readonly noRepeatNgramSize?: number
  /** Tokens that never come. Default: none. */
  readonly suppressTokens?: readonly number[]
  /** What else is done to the logits, before temperature, topK, topP and minP. Default: nothing. */
  readonly logitsProcessor?: readonly LogitsProcessor[]
  /** Of what is drawn; each prompt has its own stream. Default: 0. */
  readonly seed?: number | bigint
  /**
   * What happens once the model's positions are used up: `stop`, or `slide`: the older half of the tokens is forgotten and the rest read
   * again. Default: stop.
   */
  readonly whenFull?: 'stop' | 'slide'
}

/** All that a loop needs to know. */
export interface Settings {
  readonly maxNewTokens: number
  readonly stopTokens: ReadonlySet<number>
  /** Throws a UsageError if the options name a token beyond a vocabulary of so many. */
  readonly requireTokens: (vocabulary: number) => void
  readonly doSample: boolean
  readonly seed: number | bigint
  readonly slides: boolean
  /** In their order. */
  readonly processors: readonly LogitsProcessor[]
}

const optionNames = {
  maxNewTokens: true,
  minNewTokens: true,
  eosTokenId: true,
  doSample: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  noRepeatNgramSize: true,
  suppressTokens: true,
  logitsProcessor: true,
  seed: true,
  whenFull: true,
} as const

/** Checks the options. `beams`: then more than one token stays, as in transformers. Throws a UsageError. */
export function settingsOf(owner: string, options: GenerationOptions | undefined, beams = 1): Settings {
  const given = optionsOf(owner, options, optionNames, UsageError)
  const { maxNewTokens = 20, minNewTokens: least = 0, seed = 0, whenFull = 'stop', logitsProcessor = [] } = given
  const { temperature: heat = 1, topK: k = 0, topP: mass = 1, minP: share = 0 } = given
  const { repetitionPenalty: penalty = 1, noRepeatNgramSize: size = 0, suppressTokens: suppressed = [] } = given
  const counts = { maxNewTokens, minNewTokens: least, topK: k, noRepeatNgramSize: size }
  for (const [name, value] of Object.entries(counts))
    requireCount(owner, name, value, name === 'maxNewTokens' ? 1 : 0, UsageError)
  for (const [name, value] of Object.entries({ temperature: heat, repetitionPenalty: penalty })) {
    requirePositive(owner, name, value, UsageError)
    requireFinite(owner, name, value, UsageError)
  }
  for (const [name, value] of Object.entries({ topP: mass, minP: share }))
    requireWithin(owner, name, value, [0, 1], UsageError)
  if (least > maxNewTokens)
    throw new UsageError(`${owner}: minNewTokens must be at most maxNewTokens, ${maxNewTokens}, found ${least}`)
  requireList(owner, 'logitsProcessor', logitsProcessor, UsageError)
  const other = logitsProcessor.find((change) => typeof change !== 'function')
  if (other !== undefined)
    throw new UsageError(`${owner}: logitsProcessor must be a list of functions, found ${shown(other)}`)
  requireOneOf(owner, 'whenFull', whenFull, ['stop', 'slide'], UsageError)
  const stopTokens = [given.eosTokenId ?? []].flat() as number[]
  requireList(owner, 'suppressTokens', suppressed, UsageError)
  for (const token of stopTokens) requireCount(owner, 'eosTokenId', token, 0, UsageError)
  for (const token of suppressed) requireCount(owner, 'suppressTokens', token, 0, UsageError)
  const { doSample = [given.temperature, given.topK, given.topP, given.minP].some((value) => value !== undefined) } =
    given
  requireFlag(owner, 'doSample', doSample, UsageError)
  // Among the continuations of beams one must be there that does not end.
  const kept = beams > 1 ? Math.max(2, stopTokens.length + 1) : 1
  return {
    maxNewTokens,
    stopTokens: new Set(stopTokens),
    requireTokens: (vocabulary) => {
      for (const [name, tokens] of Object.entries({ eosTokenId: stopTokens, suppressTokens: suppressed }))
        for (const token of tokens)
          if (token >= vocabulary)
            throw new UsageError(`${owner}: ${name} must be below ${vocabulary}, the model's tokens, found ${token}`)
    },
    doSample,
    seed,
    slides: whenFull === 'slide',
    processors: [
      ...(penalty === 1 ? [] : [repetitionPenalty(penalty)]),
      ...(size === 0 ? [] : [noRepeatNgrams(size)]),
      ...(least === 0 ? [] : [minNewTokens(least, stopTokens)]),
      ...(suppressed.length === 0 ? [] : [suppressTokens(suppressed)]),
      ...logitsProcessor,
      ...(doSample ? warpers(heat, k, mass, share, kept) : []),
    ],
  }
}

/** What narrows the choice of what is drawn. */
function warpers(heat: number, k: number, mass: number, share: number, kept: number): LogitsProcessor[] {
  return [
    ...(heat === 1 ? [] : [temperature(heat)]),
    ...(k === 0 ? [] : [topK(Math.max(k, kept))]),
    ...(mass === 1 ? [] : [topP(mass, kept)]),
    ...(share === 0 ? [] : [minP(share, kept)]),
  ]
}
