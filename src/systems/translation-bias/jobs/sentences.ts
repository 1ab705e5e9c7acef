/** The sentences of an audit: each word of the lists in the template of each language. */
import { readFile } from 'node:fs/promises'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { groupOf } from '../prates/groups.ts'
import { cellOf, parseTable } from '../prates/table.ts'
import { columnsOf, type Template, templateSentence, templates } from '../prates/templates.ts'

/** A sentence without gender, to be translated. */
export interface AuditSentence {
  readonly kind: 'occupation' | 'adjective'
  /** One of the study's groups; "Adjectives" for those. */
  readonly group: string
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
  kind: AuditSentence['kind'],
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
