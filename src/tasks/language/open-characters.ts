/** The data of a character model: a long text, of which a part is held out. */
import { join } from 'node:path'
import { z } from 'zod'
import { findSource } from '../../data/catalog/cache.ts'
import { describeSides, type Opening, openingOf, sharedContent } from '../../data/opening.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import type { KnownData } from '../define.ts'
import { alphabetOf, type CharacterFacts, encodeCharacters } from './characters.ts'
import { readDivided, type Texts } from './texts.ts'

/** Texts by name, each with its files inside of its corpus. */
const books = { 'moby-dick': 'data/data.txt', sotu: 'data' } as const
const bookNames = Object.keys(books) as (keyof typeof books)[]

export const characterDataSettings = z.strictObject({
  folder: pathSetting(
    `${bookNames.join(' or ')} (\`tenfold data moby-dick\`), or your own text: a file, or a folder with .txt files (or with train/ and test/ folders)`,
    bookNames,
    'moby-dick',
  ),
  test: pathSetting('text to test with, a file or folder; empty: a share is held out'),
  test_share: z.number().gt(0).lt(1).default(0.05).describe('share of the texts held out'),
  test_characters: whole.default(65_536).describe('held-out characters used, at most'),
  split_seed: count.default(0).describe('seed of the hold-out'),
  on_error: onErrorSetting,
})

export type CharacterDataSettings = z.infer<typeof characterDataSettings>

/** A text to train on and one to test with, as numbers. */
export interface OpenedCharacters {
  readonly train: Int32Array
  readonly test: Int32Array
  readonly facts: CharacterFacts
  readonly opening: Opening
}

/** Texts that settings may name. */
export const knownTexts: readonly string[] = bookNames

/** Where the files of a known text are: in the installed package, else in what `tenfold data` has fetched. Other paths are what they are. */
export function textPlace(folder: string): string {
  const name = bookNames.find((book) => book === folder)
  return name === undefined ? folder : join(findSource(name).folder, books[name])
}

/**
 * Length of the passages that are held out where there are few texts: a fortieth of the text, as a power of two, so that a text which
 * grows a little keeps its passages.
 */
function passageLength(characters: number): number {
  return 2 ** Math.min(14, Math.max(6, Math.floor(Math.log2(Math.max(1, characters) / 40))))
}

/** A long text to train on and one to test with. */
export interface OpenedBook extends Pick<Texts, 'found' | 'divided'> {
  readonly train: string
  readonly test: string
}

/** Reads the text of the settings, or of an earlier run. Throws a UsageError where there is none. */
export async function openBook(
  data: Omit<CharacterDataSettings, 'test_characters'>,
  known: Pick<KnownData, 'record'> | undefined,
): Promise<OpenedBook> {
  if (!data.folder)
    throw new UsageError('data.folder must name a text', { hint: '--set data.folder=moby-dick, or a path' })
  const sources = { ...data, folder: textPlace(data.folder), corpora: [] }
  const { train, test, found, divided } = await readDivided(sources, passageLength, known)
  const joined = (texts: Texts['train']): string => texts.map(({ text }) => text).join('\n')
  return { train: joined(train), test: joined(test), found, divided }
}

/** The characters of a text. Throws a UsageError where there are none. */
export function requireAlphabet(text: string): CharacterFacts {
  const facts = alphabetOf(text)
  if (facts.characters.length < 2)
    throw new UsageError('the text gives nothing to train on: it is empty, or all of it is held out', {
      hint: 'give more: --set data.folder=PATH',
    })
  return facts
}

/** Opens the text of the settings, or of an earlier run; each side must have `needed` characters. */
export async function openCharacters(
  data: CharacterDataSettings,
  needed: number,
  known: KnownData<CharacterFacts> | undefined,
): Promise<OpenedCharacters> {
  const { train: trainText, test: testText, found, divided } = await openBook(data, known)
  const facts = known?.facts ?? requireAlphabet(trainText)
  const [trainNumbers, allTest] = [encodeCharacters(trainText, facts), encodeCharacters(testText, facts)]
  const testNumbers = allTest.subarray(0, data.test_characters)
  if (trainNumbers.length < needed || testNumbers.length < needed) {
    const lengths = `${trainNumbers.length.toLocaleString('en')} and ${testNumbers.length.toLocaleString('en')}`
    throw new UsageError(
      `text of at least ${needed.toLocaleString('en')} characters is needed to train on and to test with, found ${lengths}`,
      {
        hint: 'give more text, a greater data.test_share, text to test with (data.test), or a smaller train.batch_size or model.mem_sz',
      },
    )
  }
  const strange = testNumbers.filter((number) => number === 0).length
  const parts = [
    ...found,
    describeSides('character', trainNumbers.length, testNumbers.length),
    `${facts.characters.length - 1} different ones${strange > 0 ? `, ${strange} of the test text unknown` : ''}`,
  ]
  return { train: trainNumbers, test: testNumbers, facts, opening: openingOf(parts, sharedContent(divided), divided) }
}
