/** Two audits side by side: what another translator, or the same one later, says of the same sentences. */
import type { Section } from '../../../report/figures.ts'
import { binomialTest } from '../../../util/significance.ts'
import { percent } from '../../../util/words.ts'
import type { AuditAnswer, AuditFile } from './audit-file.ts'
import { answerClasses } from './audit-result.ts'
import { probability } from './probability.ts'

/** What names a sentence in every audit. */
type Asked = Pick<AuditAnswer, 'template' | 'sentence'>
const keyOf = ({ template, sentence }: Asked): string => `${template}\t${sentence}`

/** A sentence that both audits have. */
interface Pair {
  readonly before: AuditAnswer
  readonly now: AuditAnswer
}

/** Sentences of both, each once. */
function commonSentences(before: readonly AuditAnswer[], now: readonly AuditAnswer[]): Pair[] {
  const earlier = new Map(before.map((each) => [keyOf(each), each]))
  const own = new Map(now.map((each) => [keyOf(each), each]))
  return [...own].flatMap(([key, each]) => {
    const other = earlier.get(key)
    return other ? [{ before: other, now: each }] : []
  })
}

/** Whether any sentence to be asked is in an earlier audit. */
export function hasCommon(before: readonly Asked[], now: readonly Asked[]): boolean {
  const earlier = new Set(before.map(keyOf))
  return now.some((each) => earlier.has(keyOf(each)))
}

/** McNemar's exact test: of the sentences that are "he" in one of the two only, are as many in either? */
function changeTest(pairs: readonly Pair[]): { lost: number; gained: number; p: number } {
  const isHe = (each: AuditAnswer): boolean => each.class === 'Male'
  const lost = pairs.filter(({ before, now }) => isHe(before) && !isHe(now)).length
  const gained = pairs.filter(({ before, now }) => !isHe(before) && isHe(now)).length
  return { lost, gained, p: lost + gained === 0 ? Number.NaN : binomialTest(gained, lost + gained, 0.5) }
}

const mostExamples = 40

/** Shares before and now by language, the test, and the sentences that changed. */
export function compareSection(before: AuditFile, now: AuditFile): Section {
  const pairs = commonSentences(before.answers, now.answers)
  const { lost, gained, p } = changeTest(pairs)
  const languages = [...new Set(pairs.map((pair) => pair.now.language))]
  const share = (own: readonly AuditAnswer[], name: string): string =>
    percent(own.filter((each) => each.class === name).length / own.length)
  const changed = pairs.filter((pair) => pair.before.class !== pair.now.class)
  const told = Number.isNaN(p) ? 'no sentence changed' : `p ${p < 1e-300 ? '' : '= '}${probability(p)}`
  return {
    title: 'Compared with another audit',
    intro: `Before: ${before.engine}, ${before.dates.join(' to ')}. ${pairs.length} sentences are in both.`,
    figures: [
      {
        kind: 'table',
        title: 'Shares, before and now',
        caption: `"he" in one of the two only: ${lost} sentences before, ${gained} now (McNemar's exact test: ${told}).`,
        columns: ['language', 'sentences', ...answerClasses.flatMap((name) => [`${name} before`, 'now'])],
        rows: languages.map((language) => {
          const own = pairs.filter((pair) => pair.now.language === language)
          return [
            language,
            own.length,
            ...answerClasses.flatMap((name) => [
              share(
                own.map((pair) => pair.before),
                name,
              ),
              share(
                own.map((pair) => pair.now),
                name,
              ),
            ]),
          ]
        }),
      },
      {
        kind: 'table',
        title: 'Sentences that changed',
        caption: `The first ${Math.min(mostExamples, changed.length)} of ${changed.length}.`,
        columns: ['sentence', 'before', 'now', 'read before', 'read now'],
        rows: changed
          .slice(0, mostExamples)
          .map((pair) => [
            pair.now.sentence,
            pair.before.translation,
            pair.now.translation,
            pair.before.class,
            pair.now.class,
          ]),
      },
    ],
  }
}
