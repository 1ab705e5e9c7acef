/** A language model that reads one token after the other, each at the cost of one. */
import { type Argument, type Compiled, compile } from '../../compile/compile.ts'
import { type CompileOptions, compileNames } from '../../compile/program.ts'
import { allocate, checkedArray, elementCount, type NDArray } from '../../tensor/dtype.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireList, shown } from '../../util/check.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { AttentionCache, type KeysAndValues } from '../attention-cache.ts'
import { type KeysAndValuesArrays, KeyValueStore, roomFor } from './key-value-store.ts'

/** Token ids of one sequence. */
export type TokenIds = ArrayLike<number>

/** Arrays that a model gets beside the tokens, by name, [N, ...] each: what a decoder translates, say. */
export type DecoderInputs = Readonly<Record<string, NDArray>>

/**
 * The model: the new tokens int64 [N, L], the cache that its attention layers use, and the other inputs -> logits [N, L, V], or of the
 * last token of each row alone, [N, 1, V] (`cache.last` gives them).
 */
export type DecoderForward = (ids: Tensor, cache: AttentionCache, inputs: Readonly<Record<string, Tensor>>) => Tensor

/** What a language model with a cache looks like; `GPT2LMHeadModel` does. */
export interface CausalLanguageModel {
  /** Tokens in a sequence, at most. */
  readonly maxTokens?: number
  forward(ids: Tensor, inputs: { readonly cache: AttentionCache; readonly last: boolean }): Tensor
}

export interface DecoderOptions extends CompileOptions {
  /** Tokens in a sequence, at most. Default: the model's own limit, or none. */
  readonly maxTokens?: number
}

/** State that goes into a call. */
interface State {
  readonly past?: readonly KeysAndValues[]
  readonly lengths?: Tensor
  readonly mask?: Tensor
  readonly contexts?: readonly KeysAndValues[]
}

interface Step {
  readonly logits: Tensor
  readonly present: readonly KeysAndValues[]
  readonly contexts: readonly KeysAndValues[]
}

// A prompt's length is made one of few, so that a program serves many prompts.
const leastPrompt = 8

/** Sequences that are read, whatever reads them: what generation asks of `Decoding`. */
export interface TokenReading {
  /** Logits of the token after each sequence. */
  readonly logits: readonly Float32Array[]
  /** Tokens that each sequence has. */
  readonly lengths: readonly number[]
  /** Reads the tokens that follow: of each row at least one. */
  append(tokens: readonly TokenIds[]): Promise<void>
  /** Row i goes on as row `rows[i]`. */
  select(rows: readonly number[]): void
}

/** What reads sequences: `Decoder`, or a model from elsewhere. */
export interface TokenReader {
  /** Tokens in a sequence, at most. */
  readonly maxTokens: number
  start(prompts: readonly TokenIds[], inputs?: DecoderInputs): Promise<TokenReading>
}

/**
 * Runs a language model with a cache of keys and values: `start` reads prompts, `append` the tokens that follow. Programs are compiled when
 * they are first needed, for lengths in powers of two, and kept until `release`.
 */
export class Decoder implements TokenReader {
  /** Tokens in a sequence, at most; infinity: no limit. */
  readonly maxTokens: number
  readonly #step: Compiled<[Tensor, State, Record<string, Tensor>], Step>

  constructor(model: CausalLanguageModel | DecoderForward, options?: DecoderOptions) {
    const names = { ...compileNames, maxTokens: true } as const
    const { maxTokens, ...rest } = optionsOf('Decoder', options, names, UsageError)
    if (
      typeof model !== 'function' &&
      typeof (model as Partial<CausalLanguageModel> | undefined)?.forward !== 'function'
    )
      throw new UsageError(`Decoder: a model with a forward method is needed, or a function, found ${shown(model)}`)
    const forward: DecoderForward =
      typeof model === 'function' ? model : (ids, cache) => model.forward(ids, { cache, last: true })
    const own = typeof model === 'function' ? undefined : model.maxTokens
    if (maxTokens !== undefined) requireCount('Decoder', 'maxTokens', maxTokens, 1, UsageError)
    this.maxTokens = Math.min(maxTokens ?? Number.POSITIVE_INFINITY, own ?? Number.POSITIVE_INFINITY)
    this.#step = compile(
      (ids, state, inputs) => {
        const cache = new AttentionCache(state)
        const logits = cache.last(checkedLogits(forward(ids, cache, inputs), ids)) // [N, 1, V]
        return { logits, present: cache.present, contexts: state.contexts ? [] : cache.contexts }
      },
      // Few programs are what it is about: they are no surprise.
      { ...rest, onTrace: () => undefined },
    )
  }

  /** Reads prompts, of any lengths. Throws a UsageError for an empty one, or one that is longer than the model takes. */
  async start(prompts: readonly TokenIds[], inputs: DecoderInputs = {}): Promise<Decoding> {
    checkPrompts('Decoder', prompts)
    const decoding = new Decoding(this.#step, prompts.length, this.maxTokens, inputs)
    await decoding.append(prompts)
    return decoding
  }

  /** Frees the native memory of all programs. */
  release(): Promise<void> {
    return this.#step.release()
  }
}

/** What a model gave for these tokens. Throws a ShapeError unless it is logits of all of them, or of the last. */
function checkedLogits(logits: Tensor | undefined, ids: Tensor): Tensor {
  const [rows, length] = ids.sizes(2)
  const shape = logits instanceof Tensor ? logits.shape : undefined
  if (logits && shape?.length === 3 && shape[0] === rows && (shape[1] === length || shape[1] === 1)) return logits
  throw new ShapeError(
    `Decoder: the model must give logits [${rows}, ${length}, V], or [${rows}, 1, V] of the last token, found ${shape ? formatShape(shape) : shown(logits)}`,
  )
}

/** Throws a UsageError unless there are prompts, and each is a list of whole numbers. */
export function checkPrompts(owner: string, prompts: readonly TokenIds[]): void {
  requireList(owner, 'prompts', prompts, UsageError)
  if (prompts.length === 0) throw new UsageError(`${owner}: needs at least one prompt, found none`)
  checkTokens(owner, 'prompts', prompts)
}

function checkTokens(owner: string, argument: string, lists: readonly TokenIds[]): void {
  for (const [i, list] of lists.entries()) {
    const isList = Array.isArray(list) || ArrayBuffer.isView(list)
    const wrong = isList ? Array.from<unknown>(list).find((id) => !Number.isSafeInteger(Number(id))) : list
    if (!isList || wrong !== undefined)
      throw new UsageError(
        `${owner}: ${argument}[${i}] must be a list of token ids, whole numbers, found ${shown(wrong)}`,
      )
  }
}

/** Sequences that a decoder reads: what it remembers of them, and the logits of what comes next. */
export class Decoding implements TokenReading {
  readonly #step: Compiled<[Tensor, State, Record<string, Tensor>], Step>
  readonly #store: KeyValueStore
  readonly #maxTokens: number
  #inputs: DecoderInputs
  #contexts: readonly KeysAndValuesArrays[] | undefined
  #logits: readonly Float32Array[] = []

  /** Made by `Decoder.start`. */
  constructor(
    step: Compiled<[Tensor, State, Record<string, Tensor>], Step>,
    rows: number,
    maxTokens: number,
    inputs: DecoderInputs,
  ) {
    this.#step = step
    this.#store = new KeyValueStore(rows, maxTokens)
    this.#maxTokens = maxTokens
    this.#inputs = inputs
  }

  /** Logits of the token after each sequence, V numbers for each row. */
  get logits(): readonly Float32Array[] {
    return this.#logits
  }

  /** Tokens that each sequence has. */
  get lengths(): readonly number[] {
    return this.#store.lengths
  }

  /** Reads the tokens that follow: of each row at least one. Throws a UsageError beyond the tokens that the model takes. */
  async append(tokens: readonly TokenIds[]): Promise<void> {
    requireList('Decoder', 'tokens', tokens, UsageError)
    const { lengths } = this.#store
    if (tokens.length !== lengths.length)
      throw new UsageError(`Decoder: there must be tokens for ${lengths.length} rows, found ${tokens.length}`)
    checkTokens('Decoder', 'tokens', tokens)
    const counts = tokens.map((row) => row.length)
    const longest = Math.max(...counts.map((count, row) => count + (lengths[row] ?? 0)))
    if (longest > this.#maxTokens) {
      throw new UsageError(`Decoder: the model takes at most ${this.#maxTokens} tokens, found ${longest}`, {
        hint: 'shorten the prompt, or generate fewer tokens',
      })
    }
    if (counts.includes(0)) throw new UsageError('Decoder: each row needs at least one token, found an empty one')
    const most = Math.max(...counts)
    const length = most === 1 ? 1 : roomFor(most, leastPrompt, this.#maxTokens - Math.max(...lengths))
    const { logits, present, contexts } = await this.#step(
      idsOf(tokens, length),
      this.#state(counts, length),
      this.#inputs,
    )
    this.#store.append(present.map(arraysOf), counts)
    this.#contexts ??= contexts.map(arraysOf)
    const classes = sizeOf(logits.shape, -1)
    const { data } = logits.array
    if (!(data instanceof Float32Array) || elementCount(logits.shape) !== tokens.length * classes)
      throw new ShapeError(
        `Decoder: the model must give logits [N, L, V], found ${logits.dtype}${formatShape(logits.shape)}`,
      )
    this.#logits = tokens.map((_, row) => data.subarray(row * classes, (row + 1) * classes))
  }

  /** Row i goes on as row `rows[i]`: beams, or several continuations of one prompt. */
  select(rows: readonly number[]): void {
    const count = this.#store.lengths.length
    const wrong = rows.find((row) => !Number.isInteger(row) || row < 0 || row >= count)
    if (wrong !== undefined || rows.length === 0)
      throw new UsageError(`Decoder: rows must be of 0 to ${count - 1}, found ${shown(rows)}`)
    this.#store.select(rows)
    const isSame = rows.length === count && rows.every((row, i) => row === i)
    if (isSame) return
    // Copies: who chooses a token changes them.
    this.#logits = rows.map((row) => (this.#logits[row] ?? new Float32Array(0)).slice())
    this.#inputs = inputRows(this.#inputs, rows)
    this.#contexts = this.#contexts?.map(({ key, value }) => ({ key: rowsOf(key, rows), value: rowsOf(value, rows) }))
  }

  #state(counts: readonly number[], length: number): Argument<State> {
    const { past, lengths } = this.#store
    const contexts = this.#contexts?.length ? { contexts: this.#contexts } : {}
    const isPadded = counts.some((count) => count < length)
    return {
      ...(past.length > 0 && { past, lengths: int64(lengths, [lengths.length]) }),
      ...(isPadded && { mask: maskOf(counts, length) }),
      ...contexts,
    }
  }
}

function arraysOf({ key, value }: KeysAndValues): KeysAndValuesArrays {
  return { key: key.array, value: value.array }
}

function int64(values: readonly number[], shape: readonly number[]): NDArray {
  return { dtype: 'int64', shape, data: BigInt64Array.from(values, BigInt) }
}

/** Tokens at the front of each row, zeros behind. */
function idsOf(tokens: readonly TokenIds[], length: number): NDArray {
  const data = new BigInt64Array(tokens.length * length)
  for (const [row, ids] of tokens.entries()) {
    for (let i = 0; i < ids.length; i++) data[row * length + i] = BigInt(ids[i] ?? 0)
  }
  return { dtype: 'int64', shape: [tokens.length, length], data }
}

function maskOf(counts: readonly number[], length: number): NDArray {
  const data = Uint8Array.from({ length: counts.length * length }, (_, i) =>
    Number(i % length < (counts[Math.floor(i / length)] ?? 0)),
  )
  return { dtype: 'bool', shape: [counts.length, length], data }
}

/** Row i of each array is what row `rows[i]` was. */
export function inputRows(inputs: DecoderInputs, rows: readonly number[]): DecoderInputs {
  return Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, rowsOf(array, rows)]))
}

/** Throws a UsageError unless the inputs beside the tokens are arrays with one row for each prompt. */
export function checkInputs(owner: string, inputs: DecoderInputs, rows: number): void {
  for (const [name, array] of Object.entries(inputs)) {
    const shape = (array as Partial<NDArray> | undefined)?.shape
    if (!Array.isArray(shape) || !ArrayBuffer.isView(array.data) || shape[0] !== rows)
      throw new UsageError(
        `${owner}: inputs.${name} must be an array [${rows}, ...], a row for each prompt, found ${shape ? formatShape(shape) : shown(array)}`,
      )
    checkedArray(`${owner}: inputs.${name}`, array)
  }
}

function rowsOf({ dtype, shape, data }: NDArray, rows: readonly number[]): NDArray {
  const size = elementCount(shape.slice(1))
  const copy = allocate(dtype, rows.length * size)
  for (const [to, from] of rows.entries()) copy.set(data.subarray(from * size, (from + 1) * size) as never, to * size)
  return { dtype, shape: [rows.length, ...shape.slice(1)], data: copy }
}
