/** The numbers of an audit: counts and shares of the classes, tests, what changed since another audit. */
import { holmCorrection, pairedTest, wilsonInterval } from '../../../util/significance.ts'
import type { AnswerClass } from '../prates/pronoun.ts'
import type { AuditSentence } from './sentences.ts'

/** A sentence with its translation. */
export interface AuditedSentence extends AuditSentence {
  readonly translation: string
  readonly answer: AnswerClass
}

export const answerClasses = ['Female', 'Male', 'Neutral', 'Both', '?'] as const satisfies AnswerClass[]

/** The classes of a set of sentences. */
export interface AuditRow {
  readonly name: string
  readonly count: number
  readonly counts: Readonly<Record<AnswerClass, number>>
  /** One-sided paired t-test of male > female, as the study has it; NaN where there is nothing to test. */
  readonly p: number
  /** p after Holm's correction for all rows of its table. */
  readonly adjusted: number
}

function countAnswers(sentences: readonly AuditedSentence[]): Record<AnswerClass, number> {
  const counts = { Female: 0, Male: 0, Neutral: 0, Both: 0, '?': 0 }
  for (const { answer } of sentences) counts[answer]++
  return counts
}

/** p of "more men than women". */
function maleTest({ Male, Female }: Readonly<Record<AnswerClass, number>>, count: number): number {
  return count < 2 || Male + Female === 0 ? Number.NaN : pairedTest(count, Male - Female, Male + Female).p
}

/** A row for each key, in the order of their appearance. */
export function auditRows(
  sentences: readonly AuditedSentence[],
  keyOf: (sentence: AuditedSentence) => string,
): AuditRow[] {
  const byKey = new Map<string, AuditedSentence[]>()
  for (const sentence of sentences) {
    const own = byKey.get(keyOf(sentence)) ?? []
    own.push(sentence)
    byKey.set(keyOf(sentence), own)
  }
  const rows = [...byKey].map(([name, own]) => {
    const counts = countAnswers(own)
    return { name, count: own.length, counts, p: maleTest(counts, own.length) }
  })
  const adjusted = holmCorrection(rows.map(({ p }) => p))
  return rows.map((row, i) => ({ ...row, adjusted: adjusted[i] ?? Number.NaN }))
}

/** The share of "he" among answers with one gender, with its 95 % interval; undefined where there are none. */
export function maleShare({
  counts,
}: Pick<AuditRow, 'counts'>): { readonly share: number; readonly low: number; readonly high: number } | undefined {
  const gendered = counts.Male + counts.Female
  if (gendered === 0) return undefined
  const [low, high] = wilsonInterval(counts.Male, gendered)
  return { share: counts.Male / gendered, low, high }
}
