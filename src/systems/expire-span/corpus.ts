/** How the official code reads texts: words to numbers, rows of a batch, windows in their order. */
import { pythonWords } from '../../util/python-text.ts'

const unknown = '<unk>'

/** Words by number. */
export class Dictionary {
  readonly words: readonly string[]
  readonly #numbers: ReadonlyMap<string, number>

  constructor(words: readonly string[]) {
    this.words = words
    this.#numbers = new Map(words.map((word, i) => [word, i]))
  }

  /**
   * The words of the texts by their number of occurrences, of equally frequent ones the latest first. Every line has an end, `<eos>`;
   * `<unk>`, the last word unless it occurs itself, stands for all that are unknown.
   */
  static of(texts: readonly string[]): Dictionary {
    const counts = new Map([[unknown, 0]])
    for (const word of texts.flatMap((text) => wordsOf(text, true))) counts.set(word, (counts.get(word) ?? 0) + 1)
    const known = [...counts].reverse().sort(([, a], [, b]) => b - a) // stable
    return new Dictionary(known.map(([word]) => word))
  }

  /** Numbers of the words of a text, which is cut at white space. */
  encode(text: string, includeEos: boolean): number[] {
    const other = this.#numbers.get(unknown) ?? this.words.length - 1
    return wordsOf(text, includeEos).map((word) => this.#numbers.get(word) ?? other)
  }
}

function wordsOf(text: string, includeEos: boolean): string[] {
  const lines = text.split(/\r\n|[\r\n]/)
  // What follows the last line break is a line only if there is something.
  if (lines.at(-1) === '') lines.pop()
  return lines.flatMap((line) => [...pythonWords(line), ...(includeEos ? ['<eos>'] : [])])
}

/** Equally long rows, one after the other; what is left over at the end is dropped. */
export function batchify(ids: readonly number[], rows: number): number[][] {
  const length = Math.floor(ids.length / rows)
  return Array.from({ length: rows }, (_, row) => ids.slice(row * length, (row + 1) * length))
}

/** How windows lie in the rows. */
export interface WindowOptions {
  /** Tokens of a row. */
  readonly length: number
  readonly mem_sz: number
  /** Whether there are labels; without, each token's target is the next one, so the last token is only a target. */
  readonly hasLabels: boolean
}

/** Where the window after the one at `position` begins; undefined: the rows have ended. */
export function followingWindow(position: number, { length, mem_sz, hasLabels }: WindowOptions): number | undefined {
  const next = position + mem_sz
  return next + mem_sz + (hasLabels ? 0 : 1) > length ? undefined : next
}
