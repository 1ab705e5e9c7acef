/** Generated texts of numbers of which some are questions about what stood long before. */
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'

/** Where random numbers come from. */
export interface Draws {
  /** In [0, 1). */
  uniform(): number
  /** Of the standard normal distribution. */
  normal(): number
  /** One of 0, 1, ..., count - 1. */
  integer(count: number): number
}

/** Random numbers from a seed, drawn in large portions. */
export function drawsOf(seed: number | bigint): Draws {
  const generator = new Generator(seed)
  const stock = (make: (count: number) => Float32Array): (() => number) => {
    let [values, next] = [make(0), 0]
    return () => {
      if (next >= values.length) [values, next] = [make(1024), 0]
      return values[next++] ?? 0
    }
  }
  const uniform = stock((count) => generator.uniform(count))
  return {
    uniform,
    normal: stock((count) => generator.normal(count)),
    integer: (count) => Math.floor(uniform() * count),
  }
}

/** Tokens with what is asked at each. */
export interface QuestionText {
  readonly tokens: readonly number[]
  /** At a token that asks: the class of its answer, 1, 2, ...; else 0. */
  readonly labels: readonly number[]
  /** At a token that asks: how many tokens ago the answer was last seen; else 0. */
  readonly distances: readonly number[]
  /** At each token: how many tokens of its episode stand before it; 0 where one begins. */
  readonly elapsed: readonly number[]
}

/** A world that writes texts: how a task is generated, and how its tokens are called. */
export interface World<Options> {
  /** A text of exactly `length` tokens, which begins at the beginning of an episode and may end in the middle of one. */
  readonly generate: (length: number, draws: Draws, options: Options) => QuestionText
  /** The name of each token. */
  readonly names: (options: Options) => readonly string[]
  /** Classes of answers: labels are 1, ..., classes. */
  readonly classes: (options: Options) => number
}

/** Writes a text token by token, up to a length. */
export class QuestionWriter implements QuestionText {
  readonly tokens: number[] = []
  readonly labels: number[] = []
  readonly distances: number[] = []
  readonly elapsed: number[] = []
  readonly #length: number
  #start = 0

  constructor(length: number) {
    this.#length = length
  }

  /** Where the next token will stand. */
  get position(): number {
    return this.tokens.length
  }

  get isFull(): boolean {
    return this.tokens.length >= this.#length
  }

  /** An episode begins with the next token. */
  begin(): void {
    this.#start = this.position
  }

  /** A token that asks nothing. What is beyond the length is dropped. */
  write(token: number): void {
    this.#add(token, 0, 0)
  }

  /** A token that asks for what was seen at the position `seen`; `answer`: 0, 1, ... */
  ask(token: number, answer: number, seen: number): void {
    this.#add(token, answer + 1, this.position - seen)
  }

  #add(token: number, label: number, distance: number): void {
    if (this.isFull) return
    this.elapsed.push(this.position - this.#start)
    this.tokens.push(token)
    this.labels.push(label)
    this.distances.push(distance)
  }
}

/** How often something irrelevant comes: a number of steps between two bounds. */
export interface Walk {
  readonly min: number
  readonly max: number
  /** As many lengths of 10 to 100 as of 100 to 1,000, instead of all equally often. */
  readonly log?: boolean
}

/** A length between the bounds, both included. */
export function walkLength({ min, max, log = false }: Walk, draws: Draws): number {
  if (min > max)
    throw new UsageError(`the smallest number of steps must be at most the largest, found ${min} and ${max}`, {
      hint: 'data.min_length and data.max_length, or data.min_walk and data.max_walk',
    })
  const share = draws.uniform()
  if (!log) return min + Math.floor(share * (max - min + 1))
  return Math.floor((min + 1) * ((max + 2) / (min + 1)) ** share) - 1
}

/** Writes so many tokens that mean nothing, each one of the first `views`. */
export function wander(text: QuestionWriter, steps: number, views: number, draws: Draws): void {
  for (let i = 0; i < steps && !text.isFull; i++) text.write(draws.integer(views))
}

/** Names of tokens that mean nothing. */
export function viewNames(views: number): string[] {
  return Array.from({ length: views }, (_, i) => `step ${i}`)
}
