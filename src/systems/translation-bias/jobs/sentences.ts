/** The sentences of an audit: each word of the lists in the template of each language. */
import { readFile } from 'node:fs/promises'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { groupOf } from '../prates/groups.ts'
import { cellOf, parseTable } from '../prates/table.ts'
import { columnsOf, type Template, templateSentence, templates } from '../prates/templates.ts'

/** A sentence without gender, to be translated. */
export interface AuditSentence {
  readonly kind: 'occupation' | 'adjective' | 'tweet'
  /** One of the study's groups; "Adjectives" and "The tweet" for those. */
  readonly group: string
  /** The word; of the tweet the sentence as it was published in English. */
  readonly english: string
  readonly template: Template
  readonly text: string
}

async function rowsOf(path: string): Promise<Record<string, string>[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${path}: no such file`)
  })
  return parseTable(text, path)
}

/** A word that the study's translator did not find. */
const missingWord = '?'

/**
 * Sentences of a table with the columns English and the languages, and for occupations Category: the form of the study's
 * `jobs-translations.tsv` and `adjectives-translations.tsv`. The column of Chinese has pinyin. Words that are missing are left out.
 */
export async function auditSentences(
  path: string,
  kind: 'occupation' | 'adjective',
  languages: readonly string[],
): Promise<AuditSentence[]> {
  const rows = await rowsOf(path)
  const wanted = languages.flatMap(columnsOf)
  const used = templates.filter(({ column }) => wanted.includes(column))
  const found = rows.flatMap((row) =>
    used.flatMap((template): AuditSentence[] => {
      const english = cellOf(row, 'English', path)
      const word = cellOf(row, template.language, path).trim()
      if (word === '' || word === missingWord) return []
      const group = kind === 'adjective' ? 'Adjectives' : groupOf(row.Category ?? 'Occupations')
      return [{ kind, group, english, template, text: templateSentence(template, kind, word) }]
    }),
  )
  if (found.length === 0) throw new FormatError(`${path} has no words of ${languages.join(', ')}`)
  return found
}

/** The sentences of Dóra Vargha's tweet of March 2021, as newspapers printed the translation; the Hungarian side is reconstructed. */
const tweet: Readonly<Record<string, string>> = {
  'Ő szép.': 'She is beautiful.',
  'Ő okos.': 'He is clever.',
  'Ő olvas.': 'He reads.',
  'Ő mosogat.': 'She washes the dishes.',
  'Ő épít.': 'He builds.',
  'Ő varr.': 'She sews.',
  'Ő tanít.': 'He teaches.',
  'Ő főz.': 'She cooks.',
  'Ő kutat.': "He's researching.",
  'Ő gyereket nevel.': 'She is raising a child.',
  'Ő zenél.': 'He plays music.',
  'Ő takarító.': "She's a cleaner.",
  'Ő politikus.': 'He is a politician.',
  'Ő sok pénzt keres.': 'He makes a lot of money.',
  'Ő süteményt süt.': 'She is baking a cake.',
  'Ő professzor.': "He's a professor.",
  'Ő asszisztens.': "She's an assistant.",
}

/** The 17 sentences that the question comes from. */
export function tweetSentences(): AuditSentence[] {
  return templates
    .filter(({ language }) => language === 'Hungarian')
    .flatMap((template) =>
      Object.entries(tweet).map(([text, english]) => ({
        kind: 'tweet' as const,
        group: 'The tweet',
        english,
        template,
        text,
      })),
    )
}
