/** The decoder of an ONNX sequence-to-sequence model as Hugging Face's Optimum exports it, with its cache of keys and values. */
import { type DecoderInputs, inputRows } from '../../../models/generation/decoder.ts'
import type { TokenIds, TokenReader, TokenReading } from '../../../models/index.ts'
import type { NamedArrays, OnnxModel } from '../../../runtime/onnx-model.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { int64Rows } from '../token-rows.ts'

/** The files that decode. */
export interface OnnxDecoders {
  /** Reads the first tokens; if it has `use_cache_branch` it reads all others too. */
  readonly first: OnnxModel
  /** Reads one token with the cache of those before; undefined: `first` does, or reads all tokens again. */
  readonly next?: OnnxModel
}

/** What the cache looks like before there is one. */
export interface CacheShape {
  readonly heads: number
  readonly width: number
}

const pastName = 'past_key_values.'
const presentName = 'present.'
const branchName = 'use_cache_branch'

/** Sequences that the decoder reads, all of one length. */
class OnnxReading implements TokenReading {
  readonly #decoders: OnnxDecoders
  readonly #cache: CacheShape
  #inputs: NamedArrays
  #past: NamedArrays = {}
  #tokens: readonly number[][]
  #logits: readonly Float32Array[] = []

  constructor(decoders: OnnxDecoders, cache: CacheShape, inputs: NamedArrays, rows: number) {
    this.#decoders = decoders
    this.#cache = cache
    this.#inputs = inputs
    this.#tokens = Array.from({ length: rows }, () => [])
  }

  get logits(): readonly Float32Array[] {
    return this.#logits
  }

  get lengths(): readonly number[] {
    return this.#tokens.map(({ length }) => length)
  }

  async append(tokens: readonly TokenIds[]): Promise<void> {
    const isFirst = this.#tokens.every(({ length }) => length === 0)
    this.#tokens = this.#tokens.map((before, row) => [...before, ...Array.from(tokens[row] ?? [], Number)])
    const { first, next } = this.#decoders
    const model = isFirst ? first : (next ?? first)
    const branches = first.inputs.includes(branchName)
    const isCached = !isFirst && (next !== undefined || branches)
    const ids = isCached ? tokens : this.#tokens
    const found = model.run({
      ...this.#inputs,
      input_ids: int64Rows(ids, ids[0]?.length ?? 0, 0),
      ...(branches && {
        ...(isFirst && this.#emptyCache(first)),
        [branchName]: { dtype: 'bool', shape: [1], data: Uint8Array.of(Number(isCached)) },
      }),
      ...this.#past,
    })
    this.#remember(found, isFirst)
    this.#logits = lastLogits(model, found.logits, tokens.length)
  }

  select(rows: readonly number[]): void {
    this.#inputs = inputRows(this.#inputs, rows)
    this.#past = inputRows(this.#past, rows)
    this.#tokens = rows.map((row) => [...(this.#tokens[row] ?? [])])
    this.#logits = rows.map((row) => (this.#logits[row] ?? new Float32Array(0)).slice())
  }

  /** The keys and values of the source are there after the first step; a model may give nothing in their place later. */
  #remember(found: NamedArrays, isFirst: boolean): void {
    const present = Object.entries(found).flatMap(([name, array]) => {
      if (!name.startsWith(presentName)) return []
      const own = name.slice(presentName.length)
      return isFirst || !own.includes('.encoder.') ? [[`${pastName}${own}`, array] as const] : []
    })
    this.#past = { ...this.#past, ...Object.fromEntries(present) }
  }

  #emptyCache(model: OnnxModel): NamedArrays {
    const { heads, width } = this.#cache
    const shape = [this.#tokens.length, heads, 0, width]
    const names = model.inputs.filter((name) => name.startsWith(pastName))
    return Object.fromEntries(names.map((name) => [name, { dtype: 'float32', shape, data: new Float32Array(0) }]))
  }
}

/** logits [N, L, V] -> those of each row's last token. */
function lastLogits({ name }: OnnxModel, logits: NDArray | undefined, rows: number): Float32Array[] {
  const [count, length = 0, classes = 0] = logits?.shape ?? []
  const data = logits?.data
  if (!(data instanceof Float32Array) || count !== rows)
    throw new FormatError(`${name} must give logits [N, L, V] of float32, found ${logits?.dtype ?? 'none'}`)
  return Array.from({ length: rows }, (_, row) => {
    const start = (row * length + length - 1) * classes
    return data.slice(start, start + classes)
  })
}

/** Decodes with these files. `inputs` of `start`: encoder_hidden_states [N, S, C] and encoder_attention_mask int64 [N, S]. */
export class OnnxReader implements TokenReader {
  readonly maxTokens: number
  readonly #decoders: OnnxDecoders
  readonly #cache: CacheShape

  constructor(decoders: OnnxDecoders, cache: CacheShape, maxTokens: number) {
    this.#decoders = decoders
    this.#cache = cache
    this.maxTokens = maxTokens
  }

  async start(prompts: readonly TokenIds[], inputs: DecoderInputs = {}): Promise<TokenReading> {
    const reading = new OnnxReading(this.#decoders, this.#cache, inputs, prompts.length)
    await reading.append(prompts)
    return reading
  }
}
