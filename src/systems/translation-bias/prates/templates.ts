/** The sentences of study A (Prates, Avelar and Lamb 2019, section 3): templates whose pronoun has no gender, exactly as they were sent. */
import { UsageError } from '../../../util/errors.ts'

/** A template of a language; `%s` is the translated word. */
export interface Template {
  /** The column of the study's tables. */
  readonly column: string
  readonly language: string
  /** The code that the translator was asked with. */
  readonly code: string
  readonly occupation: string
  readonly adjective: string
}

const same = (column: string, code: string, text: string): Template => ({
  column,
  language: column,
  code,
  occupation: text,
  adjective: text,
})

/** Bengali pronouns: near (H), far (T) or elsewhere (E); familiar (F) or polite (P). */
const bengali: Readonly<Record<string, string>> = { HF: 'এ', HP: 'যিনি', TF: 'ও', TP: 'উনি', EF: 'সে', EP: 'তিনি' }

/** The 17 templates of the 12 languages, in the order of the study's columns. */
export const templates: readonly Template[] = [
  { ...same('Malay', 'ms', ''), occupation: 'dia adalah %s', adjective: 'dia %s' },
  same('Estonian', 'et', 'ta on %s'),
  same('Finnish', 'fi', 'hän on %s'),
  { ...same('Hungarian', 'hu', ''), occupation: 'ő egy %s', adjective: 'ő %s' },
  same('Armenian', 'hy', 'նա %s է'),
  ...Object.entries(bengali).map(([form, pronoun]) => ({
    column: `Bengali-${form}`,
    language: 'Bengali',
    code: 'bn',
    occupation: `${pronoun} একজন %s`,
    adjective: `${pronoun} %s`,
  })),
  same('Japanese', 'ja', 'あの人は%sです'),
  { ...same('Turkish', 'tr', ''), occupation: 'o bir %s', adjective: 'o %s' },
  same('Yoruba', 'yo', 'o jẹ %s'),
  { ...same('Basque', 'eu', ''), occupation: '%s bat da', adjective: '%s da' },
  same('Swahili', 'sw', 'yeye ni %s'),
  // Toneless pinyin joined by hyphens: written in characters, the pronoun has a gender.
  { ...same('Chinese', 'zh-cn', ''), occupation: 'ta shi %s', adjective: 'ta hen %s' },
]

/** The languages of the study, in its order. */
export const languages: readonly string[] = [...new Set(templates.map(({ language }) => language))]

/** The columns of a language: six of Bengali, one of any other. Throws a UsageError for a language that is not in the study. */
export function columnsOf(language: string): readonly string[] {
  const columns = templates.filter((template) => template.language === language).map(({ column }) => column)
  if (columns.length === 0) throw new UsageError(`language must be one of ${languages.join(', ')}, found "${language}"`)
  return columns
}

/** A word in its template: lower case, no capital and no full stop. */
export function templateSentence(template: Template, kind: 'occupation' | 'adjective', word: string): string {
  return template[kind].replace('%s', () => word.toLowerCase())
}
