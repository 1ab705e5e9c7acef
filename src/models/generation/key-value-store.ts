/** The keys and values of sequences that grow, on the side of the caller. */
import type { NDArray } from '../../tensor/dtype.ts'
import { formatShape, sizes } from '../../tensor/shape.ts'
import { TenfoldError } from '../../util/errors.ts'

/** Keys or values of one layer: [rows, heads, capacity, width] with room for more tokens than there are. */
interface Entry {
  readonly heads: number
  readonly width: number
  data: Float32Array
}

/** Room is made in powers of two: a program serves all lengths up to its own. */
const leastCapacity = 64

/** Keys and values of one attention layer, as numbers. */
export interface KeysAndValuesArrays {
  readonly key: NDArray
  readonly value: NDArray
}

/** A power of two that holds so many tokens, or the most that a model takes. */
export function roomFor(tokens: number, least: number, most = Number.POSITIVE_INFINITY): number {
  return Math.max(tokens, Math.min(most, Math.max(least, 2 ** Math.ceil(Math.log2(Math.max(tokens, 1))))))
}

/** What an AttentionCache gave for the new tokens of all rows, written behind what was there: tokens of a row stand without gaps. */
export class KeyValueStore {
  readonly #most: number
  #layers: { readonly key: Entry; readonly value: Entry }[] = []
  #lengths: number[]
  #capacity = 0

  /** `most`: tokens that a row may have. */
  constructor(rows: number, most = Number.POSITIVE_INFINITY) {
    this.#lengths = new Array<number>(rows).fill(0)
    this.#most = most
  }

  /** Tokens of each row. */
  get lengths(): readonly number[] {
    return this.#lengths
  }

  /** What `AttentionCache` takes as `past`, without copying; changed by `append`. */
  get past(): KeysAndValuesArrays[] {
    const array = ({ heads, width, data }: Entry): NDArray => ({
      dtype: 'float32',
      shape: [this.#lengths.length, heads, this.#capacity, width],
      data,
    })
    return this.#layers.map(({ key, value }) => ({ key: array(key), value: array(value) }))
  }

  /** Adds the first `counts[row]` tokens of each row of `present`, [rows, heads, L, width] for each layer. */
  append(present: readonly KeysAndValuesArrays[], counts: readonly number[]): void {
    if (this.#layers.length === 0)
      this.#layers = present.map(({ key, value }) => ({ key: entry(key), value: entry(value) }))
    const lengths = this.#lengths.map((length, row) => length + (counts[row] ?? 0))
    this.#grow(Math.max(...lengths))
    for (const [i, { key, value }] of present.entries()) {
      const layer = this.#layers[i]
      if (!layer)
        throw new TenfoldError(`a model with ${this.#layers.length} attention layers has ${present.length} now`)
      this.#write(layer.key, key, counts)
      this.#write(layer.value, value, counts)
    }
    this.#lengths = lengths
  }

  /** Row i becomes what row `rows[i]` was. */
  select(rows: readonly number[]): void {
    const isSame = rows.length === this.#lengths.length && rows.every((row, i) => row === i)
    if (isSame) return
    const used = Math.max(0, ...this.#lengths)
    for (const { key, value } of this.#layers) {
      for (const one of [key, value]) one.data = selectRows(one, rows, this.#capacity, used, this.#lengths.length)
    }
    this.#lengths = rows.map((row) => this.#lengths[row] ?? 0)
  }

  #grow(tokens: number): void {
    if (tokens <= this.#capacity) return
    const [before, capacity] = [this.#capacity, roomFor(tokens, leastCapacity, this.#most)]
    this.#capacity = capacity
    for (const { key, value } of this.#layers) {
      for (const one of [key, value]) {
        const grown = new Float32Array(this.#lengths.length * one.heads * capacity * one.width)
        for (let run = 0; run < this.#lengths.length * one.heads; run++) {
          grown.set(
            one.data.subarray(run * before * one.width, (run + 1) * before * one.width),
            run * capacity * one.width,
          )
        }
        one.data = grown
      }
    }
  }

  #write(target: Entry, { shape, data }: NDArray, counts: readonly number[]): void {
    const [rows, heads, length, width] = sizes(shape, 4)
    if (
      rows !== this.#lengths.length ||
      heads !== target.heads ||
      width !== target.width ||
      !(data instanceof Float32Array)
    )
      throw new TenfoldError(`keys or values ${formatShape(shape)} do not go on those of the tokens before`)
    for (let row = 0; row < rows; row++) {
      const count = counts[row] ?? 0
      for (let head = 0; head < heads; head++) {
        const run = row * heads + head
        const from = run * length * width
        const to = (run * this.#capacity + (this.#lengths[row] ?? 0)) * width
        target.data.set(data.subarray(from, from + count * width), to)
      }
    }
  }
}

function entry({ shape }: NDArray): Entry {
  const [, heads, , width] = sizes(shape, 4)
  return { heads, width, data: new Float32Array(0) }
}

/** Rows that stay where they are are not copied, others as far as they are used. */
function selectRows(
  { heads, width, data }: Entry,
  rows: readonly number[],
  capacity: number,
  used: number,
  before: number,
): Float32Array {
  const isInPlace = rows.length === before
  const result = isInPlace ? data : new Float32Array(rows.length * heads * capacity * width)
  const moved = rows.flatMap((from, to) => (isInPlace && to === from ? [] : [{ from, to }]))
  const start = (row: number, head: number): number => (row * heads + head) * capacity * width
  for (let head = 0; head < heads; head++) {
    const pieces = moved.map(({ from }) => {
      const piece = data.subarray(start(from, head), start(from, head) + used * width)
      // In place a row may be overwritten before another one is made of it.
      return isInPlace ? piece.slice() : piece
    })
    for (const [i, { to }] of moved.entries()) result.set(pieces[i] ?? [], start(to, head))
  }
  return result
}
