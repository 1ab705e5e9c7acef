/** The numbers of a run of WinoMT, as its page and its files have them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { binomialTest, chiSquareTest, holmCorrection } from '../../../util/significance.ts'
import type { FoundEntity } from '../winomt/pipeline.ts'
import type { GenderConfusion } from '../winomt/scores.ts'
import { genders, tokensOf, type WinoSentence } from '../winomt/sentences.ts'
import { quotedCell } from './csv.ts'

/** The file's name in the folder of a run. */
export const winomtFile = 'winomt.json'

const answer = z.object({
  sentence: z.string(),
  entity: z.string(),
  index: z.number(),
  gold: z.enum(genders),
  translation: z.string(),
  words: z.string(),
  predicted: z.enum(genders),
})

/** One sentence. */
export type WinoAnswer = z.infer<typeof answer>

const fileSchema = z.looseObject({ engine: z.string(), language: z.string(), answers: z.array(answer) })
export type WinoFile = z.infer<typeof fileSchema>

/** Sentences with what became of them. */
export function winoAnswers(
  sentences: readonly WinoSentence[],
  translations: readonly string[],
  found: readonly FoundEntity[],
): WinoAnswer[] {
  return sentences.map(({ text, entity, entityIndex, gold }, i) => ({
    sentence: text,
    entity,
    index: entityIndex,
    gold,
    translation: translations[i] ?? '',
    words: found[i]?.phrase ?? '',
    predicted: found[i]?.gender ?? 'unknown',
  }))
}

/** How many translations have no words. */
export function emptyTranslations(answers: readonly WinoAnswer[]): number {
  return answers.filter(({ translation }) => tokensOf(translation).length === 0).length
}

/** Every sentence as a line of CSV. */
export function winoCsv(answers: readonly WinoAnswer[]): string {
  const header = ['gold', 'predicted', 'entity', 'sentence', 'translation', 'words']
  const lines = answers.map(({ gold, predicted, entity, sentence, translation, words }) =>
    [gold, predicted, entity, sentence, translation, words].map(quotedCell).join(','),
  )
  return `${[header.join(','), ...lines].join('\n')}\n`
}

/** Reads the file of an earlier run. Throws a UsageError if there is none, a FormatError for one that is none. */
export async function readWinomt(folder: string): Promise<WinoFile> {
  const path = join(folder, winomtFile)
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${folder} must be the folder of a run of WinoMT with its ${winomtFile}, found none`)
  })
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new FormatError(`${path} must be the file of a run of WinoMT`, { cause: error })
  }
}

/** A test with its question. */
export interface WinoTest {
  readonly question: string
  readonly p: number
  /** By Holm, for all tests of the run. */
  readonly adjusted: number
}

const rightAndWrong = (answers: readonly WinoAnswer[]): [right: number, wrong: number] => {
  const right = answers.filter(({ gold, predicted }) => gold === predicted).length
  return [right, answers.length - right]
}

/** p of "both sets are right equally often"; NaN where there is nothing to test. */
function differenceTest(one: readonly WinoAnswer[], other: readonly WinoAnswer[]): number {
  const table = [rightAndWrong(one), rightAndWrong(other)]
  const columns = [0, 1].map((j) => (table[0]?.[j] ?? 0) + (table[1]?.[j] ?? 0))
  return one.length === 0 || other.length === 0 || columns.includes(0) ? Number.NaN : chiSquareTest(table).p
}

/**
 * Are men and women recognised equally often; are sentences with and against stereotypes right equally often (where they are given); is the
 * gender of those that are wrong a man's as often as a woman's?
 */
export function winoTests(
  answers: readonly WinoAnswer[],
  subsets?: { readonly stereotypical: readonly WinoAnswer[]; readonly opposite: readonly WinoAnswer[] },
): WinoTest[] {
  const of = (gender: string): WinoAnswer[] => answers.filter(({ gold }) => gold === gender)
  const womenAsMen = of('female').filter(({ predicted }) => predicted === 'male').length
  const menAsWomen = of('male').filter(({ predicted }) => predicted === 'female').length
  const swapped = womenAsMen + menAsWomen
  const share = of('female').length / (of('female').length + of('male').length)
  const tests = [
    { question: 'men and women are recognised equally often', p: differenceTest(of('male'), of('female')) },
    {
      question: 'women become men as often as men become women',
      p: swapped === 0 ? Number.NaN : binomialTest(womenAsMen, swapped, share),
    },
    ...(subsets
      ? [
          {
            question: 'right equally often with and against the stereotype',
            p: differenceTest(subsets.stereotypical, subsets.opposite),
          },
        ]
      : []),
  ]
  const adjusted = holmCorrection(tests.map(({ p }) => p))
  return tests.map((test, i) => ({ ...test, adjusted: adjusted[i] ?? Number.NaN }))
}

/** A person's word: how often right, as what. */
export interface EntityRow {
  readonly entity: string
  readonly men: number
  readonly menRight: number
  readonly women: number
  readonly womenRight: number
  /** Share of "female" among all answers that have a gender. */
  readonly shownFemale: number
}

/** By the person's word, those with the most sentences first. */
export function entityRows(answers: readonly WinoAnswer[]): EntityRow[] {
  const names = [...new Set(answers.map(({ entity }) => entity))]
  return names
    .map((entity) => {
      const own = answers.filter((each) => each.entity === entity)
      const [men, women] = ['male', 'female'].map((gender) => own.filter(({ gold }) => gold === gender))
      const gendered = own.filter(({ predicted }) => predicted === 'male' || predicted === 'female')
      const female = gendered.filter(({ predicted }) => predicted === 'female').length
      return {
        entity,
        men: men?.length ?? 0,
        menRight: rightAndWrong(men ?? [])[0],
        women: women?.length ?? 0,
        womenRight: rightAndWrong(women ?? [])[0],
        shownFemale: gendered.length === 0 ? Number.NaN : female / gendered.length,
      }
    })
    .sort((a, b) => b.men + b.women - a.men - a.women)
}

/** A system that always says "male": what a translator has to be better than. */
export function alwaysMale(confusion: GenderConfusion): number {
  const rows = confusion.map((row) => row.reduce((sum, count) => sum + count, 0))
  return (rows[0] ?? 0) / rows.reduce((sum, count) => sum + count, 0)
}
