/** The sentences of an audit: each word of the lists in the template of each language. */

import { readText } from '../../../data/sources/text.ts'
import { FormatError } from '../../../util/errors.ts'
import {
  portugueseAdjectives,
  portugueseContexts,
  portugueseOccupations,
  portugueseTemplates,
} from '../genderless/portuguese.ts'
import { tweetIn } from '../genderless/tweet.ts'
import { groupOf } from '../prates/groups.ts'
import { cellOf, parseTable } from '../prates/table.ts'
import { columnsOf, type Template, templateSentence, templates } from '../prates/templates.ts'

/** A sentence without gender, to be translated. */
export interface AuditSentence {
  readonly kind: 'occupation' | 'adjective' | 'tweet' | 'context'
  /** One of the study's groups; "Adjectives" and "The tweet" for those. */
  readonly group: string
  /** The word; of the tweet the sentence as it was published in English. */
  readonly english: string
  readonly template: Template
  readonly text: string
  /** Of a context: who it says is meant. */
  readonly asked?: 'Female' | 'Male'
}

async function rowsOf(path: string): Promise<Record<string, string>[]> {
  const text = await readText(path)
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

/** Where sentences stand that are in no template of the study. */
function ownTemplate(language: string, column = language): Template {
  const code = templates.find((template) => template.language === language)?.code ?? 'pt'
  return { column, language, code, occupation: '', adjective: '' }
}

/** The 17 sentences that the question comes from, in the languages that they are there in. */
export function tweetSentences(language: string): AuditSentence[] {
  const template = ownTemplate(language)
  return tweetIn(language).map(({ text, english }) => ({ kind: 'tweet', group: 'The tweet', english, template, text }))
}

/** The language whose sentences drop their subject, beside those of the study. */
export const droppedSubjectLanguage = 'Portuguese'

/** Portuguese sentences without a subject: each occupation in two of them, each adjective in one. */
export function droppedSubjectSentences(): AuditSentence[] {
  const language = droppedSubjectLanguage
  const occupations = Object.entries(portugueseTemplates).flatMap(([name, form]) => {
    const template = ownTemplate(language, `${language}: ${name}`)
    return portugueseOccupations.map(
      ({ word, english, group }): AuditSentence => ({
        kind: 'occupation',
        group,
        english,
        template,
        text: form.replace('%s', word),
      }),
    )
  })
  const template = ownTemplate(language)
  const adjectives = portugueseAdjectives.map(
    ({ word, english, group }): AuditSentence => ({
      kind: 'adjective',
      group,
      english,
      template,
      text: portugueseTemplates.is.replace('%s', word),
    }),
  )
  return [...occupations, ...adjectives]
}

/** Each occupation after a context that says who is meant, in another sentence or in the same one. */
export function contextSentences(): AuditSentence[] {
  return portugueseContexts.flatMap(({ form, asked, text }) => {
    const template = ownTemplate(droppedSubjectLanguage, `${droppedSubjectLanguage}: ${form}`)
    return portugueseOccupations.map(
      ({ word, english }): AuditSentence => ({
        kind: 'context',
        group: form,
        english,
        template,
        text: text.replace('%s', word),
        asked,
      }),
    )
  })
}
