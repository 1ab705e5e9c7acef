/** Beam search: the continuations are kept whose log-probabilities sum to most. Its rules are those of transformers' `_beam_search`. */
import { requireFinite } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { type DecoderInputs, inputRows, type TokenIds, type TokenReader, type TokenReading } from './decoder.ts'
import { highest, toLogProbabilities } from './logits.ts'
import type { Settings } from './options.ts'

export interface BeamOptions {
  /** Continuations that are kept at each step. Default: 1, no beam search. */
  readonly numBeams?: number
  /** Power of the number of new tokens that a finished sum is divided by: above 0 longer texts win more often. Default: 1. */
  readonly lengthPenalty?: number
  /**
   * true: ends once there are as many finished continuations as beams; false: once the best running one would not be better at its present
   * length; `never`: once none can become better. Default: false.
   */
  readonly earlyStopping?: boolean | 'never'
}

interface BeamSettings extends Required<BeamOptions> {
  readonly inputs?: DecoderInputs
}

/** A continuation with the sum of its log-probabilities, or its final score. */
interface Hypothesis {
  readonly tokens: readonly number[]
  readonly score: number
}

interface Candidate extends Hypothesis {
  /** The beam that it continues. */
  readonly beam: number
  /** Whether it ends with this token. */
  readonly ends: boolean
}

// What may not be chosen. As in transformers no -inf, of which nothing is higher than another.
const excluded = -1e9

/** The search for one prompt. */
class Search {
  readonly #prompt: readonly number[]
  readonly #settings: Settings
  readonly #beams: BeamSettings
  readonly #maxNewTokens: number
  readonly #generator: Generator
  #running: Hypothesis[]
  #finished: readonly (Hypothesis & { readonly isDone: boolean })[]
  #canImprove = true
  #allEnd = false

  constructor(prompt: TokenIds, settings: Settings, beams: BeamSettings, maxNewTokens: number, row: number) {
    this.#prompt = Array.from(prompt, Number)
    this.#settings = settings
    this.#beams = beams
    this.#maxNewTokens = maxNewTokens
    this.#generator = new Generator(deriveSeed(settings.seed, 'generation', row))
    // All beams are the same at first: only one of them may be continued.
    this.#running = Array.from({ length: beams.numBeams }, (_, i) => ({ tokens: [], score: i === 0 ? 0 : excluded }))
    this.#finished = this.#running.map(() => ({ tokens: [], score: excluded, isDone: false }))
  }

  get isDone(): boolean {
    const isFull = this.#beams.earlyStopping === true && this.#finished.every(({ isDone }) => isDone)
    return this.#allEnd || !this.#canImprove || isFull
  }

  /** The best continuations, best first. */
  get best(): Hypothesis[] {
    return this.#finished.map(({ tokens, score }) => ({ tokens, score }))
  }

  /** The last token of each beam. */
  get lastTokens(): number[] {
    return this.#running.map(({ tokens }) => tokens.at(-1) ?? this.#prompt.at(-1) ?? 0)
  }

  /** Continues the beams by one token. Gives the beam that each of the new ones continues. */
  advance(logits: readonly Float32Array[]): number[] {
    const candidates = this.#candidates(logits)
    const length = (this.#running[0]?.tokens.length ?? 0) + 1
    const { numBeams, lengthPenalty } = this.#beams
    this.#finish(candidates, length)
    const next = candidates
      .map((candidate) => ({ ...candidate, score: candidate.score + (candidate.ends ? excluded : 0) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, numBeams)
    this.#running = next
    this.#allEnd = candidates.every(({ ends }) => ends)
    const { earlyStopping } = this.#beams
    const hoped = earlyStopping === 'never' && lengthPenalty > 0 ? this.#maxNewTokens : length
    const bestRunning = (next[0]?.score ?? excluded) / hoped ** lengthPenalty
    const worst = Math.min(...this.#finished.map(({ score }) => score))
    this.#canImprove &&= this.#finished.some(({ isDone }) => bestRunning > (isDone ? worst : excluded))
    return next.map(({ beam }) => beam)
  }

  /** The best continuations of all beams, twice as many as beams or more: so many go on even if the best ones end. */
  #candidates(logits: readonly Float32Array[]): Candidate[] {
    const { processors, stopTokens, doSample } = this.#settings
    const count = Math.max(2, 1 + stopTokens.size) * this.#beams.numBeams
    const all = this.#running.flatMap(({ tokens, score }, beam) => {
      const scores = logits[beam]
      if (!scores) return []
      toLogProbabilities(scores)
      const sequence = [...this.#prompt, ...tokens]
      for (const change of processors) change(scores, sequence, this.#prompt.length)
      // Drawn without replacement: the highest sums of log-probability and Gumbel noise.
      const noise = doSample ? this.#noise(scores.length) : undefined
      const ranked = noise ? scores.map((value, i) => value + (noise[i] ?? 0)) : scores
      return highest(ranked, undefined, count).map((token) => ({
        beam,
        token,
        tokens,
        score: score + (scores[token] ?? excluded),
        rank: score + (ranked[token] ?? excluded),
      }))
    })
    const chosen = all.sort((a, b) => b.rank - a.rank).slice(0, count)
    return chosen
      .sort((a, b) => b.score - a.score)
      .map(({ beam, token, tokens, score }) => {
        const longer = [...tokens, token]
        return { beam, score, tokens: longer, ends: stopTokens.has(token) || longer.length >= this.#maxNewTokens }
      })
  }

  #noise(count: number): Float64Array {
    return Float64Array.from(this.#generator.uniform(count), (u) => -Math.log(-Math.log(u + 2 ** -25)))
  }

  /** Takes up continuations that end, if they are among the first as many as there are beams and better than what was finished before. */
  #finish(candidates: readonly Candidate[], length: number): void {
    const { numBeams, lengthPenalty, earlyStopping } = this.#beams
    const isFull = earlyStopping === true && this.#finished.every(({ isDone }) => isDone)
    if (isFull || !this.#canImprove) return
    const ended = candidates.slice(0, numBeams).filter(({ ends }) => ends)
    const scored = ended.map(({ tokens, score }) => ({ tokens, score: score / length ** lengthPenalty, isDone: true }))
    this.#finished = [...this.#finished, ...scored].sort((a, b) => b.score - a.score).slice(0, numBeams)
  }
}

/** The best `numBeams` continuations of each prompt, best first. */
export async function beamSearch(
  decoder: TokenReader,
  prompts: readonly TokenIds[],
  settings: Settings,
  beams: BeamSettings,
): Promise<Hypothesis[][]> {
  const { numBeams, lengthPenalty, earlyStopping, inputs = {} } = beams
  requireFinite('generate', 'lengthPenalty', lengthPenalty, UsageError)
  if (![true, false, 'never'].includes(earlyStopping))
    throw new UsageError(`generate: earlyStopping must be true, false or 'never', found ${String(earlyStopping)}`)
  if (settings.slides)
    throw new UsageError('generate: beams cannot slide', { hint: "leave whenFull at 'stop', or numBeams at 1" })
  const roomAfter = ({ length }: TokenIds): number =>
    Math.min(settings.maxNewTokens, Math.max(1, decoder.maxTokens - length + 1))
  const searches = prompts.map((prompt, row) => new Search(prompt, settings, beams, roomAfter(prompt), row))
  const decoding: TokenReading = await decoder.start(prompts, inputRows(inputs, [...prompts.keys()]))
  if (decoding.logits[0]) settings.requireTokens(decoding.logits[0].length)
  decoding.select(prompts.flatMap((_, prompt) => new Array<number>(numBeams).fill(prompt)))
  for (;;) {
    const { logits } = decoding
    const sources = searches.map((search, i) => {
      if (search.isDone) return []
      const own = search.advance(logits.slice(i * numBeams, (i + 1) * numBeams))
      return own.map((beam) => i * numBeams + beam)
    })
    const running = searches.findIndex(({ isDone }) => !isDone)
    if (running === -1) return searches.map(({ best }) => best)
    // In the place of a prompt that is done, and may have used up its positions, stands another: the program stays the same.
    const read = searches.map(({ isDone }, i) => (isDone ? running : i))
    decoding.select(read.flatMap((i) => sources[i] ?? []))
    await decoding.append(read.flatMap((i) => (searches[i]?.lastTokens ?? []).map((token) => [token])))
  }
}
