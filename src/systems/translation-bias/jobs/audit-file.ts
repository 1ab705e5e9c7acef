/** The numbers of an audit as a file, `audit.json`, for whoever compares or computes further. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { type AuditedSentence, answerClasses, auditRows, maleShare } from './audit-result.ts'
import type { LabourComparison } from './labour-section.ts'

/** The file's name in the folder of an audit. */
export const auditFile = 'audit.json'

const answer = z.object({
  language: z.string(),
  template: z.string(),
  kind: z.enum(['occupation', 'adjective', 'tweet', 'context']),
  group: z.string(),
  word: z.string(),
  sentence: z.string(),
  translation: z.string(),
  class: z.enum(answerClasses),
})

/** One sentence of an audit. */
export type AuditAnswer = z.infer<typeof answer>

const auditSchema = z.looseObject({
  engine: z.string(),
  dates: z.tuple([z.string(), z.string()]),
  rules: z.string(),
  answers: z.array(answer),
})

/** An audit as it was written; what else is in the file is computed from the answers. */
export type AuditFile = z.infer<typeof auditSchema>

/** Sentences as their answers. */
export function auditAnswers(sentences: readonly AuditedSentence[]): AuditAnswer[] {
  return sentences.map(({ template, kind, group, english, text, translation, answer: own }) => ({
    language: template.language,
    template: template.column,
    kind,
    group,
    word: english,
    sentence: text,
    translation,
    class: own,
  }))
}

/** Numbers of the tables, of the comparison with society where there is one, and every answer. */
export function auditJson(
  sentences: readonly AuditedSentence[],
  origin: { readonly engine: string; readonly dates: readonly [string, string]; readonly rules: string },
  labour: LabourComparison | undefined,
): string {
  const tables = {
    all: () => 'all',
    kind: ({ kind }: AuditedSentence) => kind,
    language: ({ template }: AuditedSentence) => template.language,
    template: ({ template }: AuditedSentence) => template.column,
    group: ({ group }: AuditedSentence) => group,
  }
  const rows = Object.fromEntries(
    Object.entries(tables).map(([name, keyOf]) => [
      name,
      auditRows(sentences, keyOf).map((row) => ({ ...row, male_share: maleShare(row) ?? null })),
    ]),
  )
  const content = { ...origin, ...rows, labour: labour ?? null, answers: auditAnswers(sentences) }
  return `${JSON.stringify(content, null, 1)}\n`
}

/** The audit in a folder. Throws a UsageError if there is none, a FormatError for a file that is none. */
export async function readAudit(folder: string): Promise<AuditFile> {
  const path = join(folder, auditFile)
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${folder} must be the folder of an audit with its ${auditFile}, found none`)
  })
  try {
    return auditSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new FormatError(`${path} must be the file of an audit`, { cause: error })
  }
}
