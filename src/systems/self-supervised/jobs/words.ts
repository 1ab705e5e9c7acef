/** Words of a text with a hidden one between, for the studies that predict it: the commonest words by number, the rest as one. */
import { z } from 'zod'
import { knownTexts, textPlace } from '../../../tasks/language/open-characters.ts'
import { readDivided } from '../../../tasks/language/texts.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'

export const wordSettings = z.strictObject({
  folder: pathSetting(
    `${knownTexts.join(' or ')} (\`tenfold data moby-dick\`), or your own text: a file or a folder with .txt files`,
    knownTexts,
    'moby-dick',
  ),
  vocabulary: whole.min(2).default(1000).describe('words that are told apart; all others are one'),
  context: whole.default(3).describe('words seen on each side of the hidden one'),
  test_share: z.number().gt(0).lt(1).default(0.1).describe('share of the text that is held out'),
})
export type WordSettings = z.infer<typeof wordSettings>

/** Windows of words whose middle one is hidden; only such whose middle word is known. */
export interface HiddenWords {
  /** Numbers of the words, side by side: [count, 2 context + 1]. */
  readonly windows: Int32Array
  readonly count: number
  readonly width: number
}

export interface OpenedWords {
  /** By number; the last one stands for all others. */
  readonly words: readonly string[]
  readonly train: HiddenWords
  readonly test: HiddenWords
}

const wordsIn = (text: string): string[] => text.toLowerCase().match(/[a-z]+(?:'[a-z]+)?/g) ?? []

/** Windows around every known word of a text. */
function windowsOf(numbers: readonly number[], context: number, unknown: number): HiddenWords {
  const width = 2 * context + 1
  const places = numbers.flatMap((number, i) =>
    number !== unknown && i >= context && i < numbers.length - context ? [i] : [],
  )
  const windows = new Int32Array(places.length * width)
  for (const [row, place] of places.entries())
    windows.set(numbers.slice(place - context, place + context + 1), row * width)
  return { windows, count: places.length, width }
}

/** The words of texts: the commonest of the first one by number, equally common ones by the alphabet. */
export function hiddenWords(train: string, test: string, { vocabulary, context }: WordSettings): OpenedWords {
  const counts = new Map<string, number>()
  for (const word of wordsIn(train)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const known = [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, vocabulary - 1)
    .map(([word]) => word)
  const numbers = new Map(known.map((word, i) => [word, i]))
  const encode = (text: string): number[] => wordsIn(text).map((word) => numbers.get(word) ?? known.length)
  const sides = [train, test].map((text) => windowsOf(encode(text), context, known.length))
  const [trainSide, testSide] = sides
  if (!trainSide?.count || !testSide?.count)
    throw new UsageError('the text has too few words to learn from and to test with', {
      hint: '--set data.folder=PATH',
    })
  return { words: [...known, '<other>'], train: trainSide, test: testSide }
}

/** Opens the text of the settings. Throws a MissingDataError, with the command that fetches it, for one that is not here. */
export async function openWords(data: WordSettings, seed: number): Promise<OpenedWords> {
  const sources = {
    ...data,
    folder: textPlace(data.folder),
    corpora: [],
    test: '',
    split_seed: seed,
    on_error: 'stop' as const,
  }
  const { train, test } = await readDivided(
    sources,
    (characters) => Math.max(64, Math.floor(characters / 200)),
    undefined,
  )
  const joined = (texts: typeof train): string => texts.map(({ text }) => text).join('\n')
  return hiddenWords(joined(train), joined(test), data)
}

/** Some windows as arrays: the words beside the hidden one [n, 2 context], and the hidden one [n]. */
export function windowBatch({ windows, width }: HiddenWords, rows: ArrayLike<number>) {
  const middle = (width - 1) / 2
  const [beside, hidden] = [new Int32Array(rows.length * (width - 1)), new Int32Array(rows.length)]
  for (let i = 0; i < rows.length; i++) {
    const start = (rows[i] ?? 0) * width
    for (let k = 0; k < width; k++) {
      const word = windows[start + k] ?? 0
      if (k === middle) hidden[i] = word
      else beside[i * (width - 1) + (k < middle ? k : k - 1)] = word
    }
  }
  return {
    beside: { dtype: 'int32', shape: [rows.length, width - 1], data: beside } satisfies NDArray,
    hidden: { dtype: 'int32', shape: [rows.length], data: hidden } satisfies NDArray,
  }
}

/** Batches of windows in random order, over and over. */
export function* windowBatches(data: HiddenWords, size: number, seed: number) {
  const random = new Generator(seed)
  const batch = Math.min(size, data.count)
  while (true) {
    const order = random.permutation(data.count)
    for (let start = 0; start + batch <= data.count; start += batch)
      yield windowBatch(data, order.subarray(start, start + batch))
  }
}
