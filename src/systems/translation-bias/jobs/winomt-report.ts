/** The page of a run of WinoMT. */
import type { Figure, Report, Section, Table } from '../../../report/figures.ts'
import { binomialTest, wilsonInterval } from '../../../util/significance.ts'
import { percent } from '../../../util/words.ts'
import { pearsonCorrelation } from '../measures/numbers.ts'
import type { LabourTable } from '../prates/labour-table.ts'
import { deltaG, type GenderConfusion, type WinoScores } from '../winomt/scores.ts'
import { genders } from '../winomt/sentences.ts'
import { probability } from './probability.ts'
import {
  alwaysMale,
  emptyTranslations,
  entityRows,
  type WinoAnswer,
  type WinoFile,
  type WinoTest,
} from './winomt-result.ts'

/** All that the page shows. */
export interface WinoResult {
  readonly engine: string
  readonly language: string
  readonly dates: readonly [string, string]
  readonly rules: string
  readonly answers: readonly WinoAnswer[]
  readonly confusion: GenderConfusion
  readonly scores: WinoScores
  readonly deltaS: number | undefined
  readonly tests: readonly WinoTest[]
}

const mostExamples = 30

function mistakes(answers: readonly WinoAnswer[], title: string, caption: string, wanted: string): Table {
  const wrong = answers.filter(
    ({ gold, predicted }) => gold !== predicted && (wanted === 'unknown') === (predicted === 'unknown'),
  )
  return {
    kind: 'table',
    title,
    caption: `${caption} The first ${Math.min(mostExamples, wrong.length)} of ${wrong.length}.`,
    columns: ['sentence', 'person', 'is', 'translation', 'words found', 'became'],
    rows: wrong
      .slice(0, mostExamples)
      .map(({ sentence, entity, gold, translation, words, predicted }) => [
        sentence,
        entity,
        gold,
        translation,
        words,
        predicted,
      ]),
  }
}

function testsTable(tests: readonly WinoTest[]): Table {
  return {
    kind: 'table',
    title: 'Tests',
    caption: 'Two-sided: chi-square, and the exact binomial test of the second. Corrected: by Holm, for all rows.',
    columns: ['would be fair', 'p', 'corrected'],
    rows: tests.map(({ question, p, adjusted }) => [question, probability(p), probability(adjusted)]),
  }
}

function entityTable(answers: readonly WinoAnswer[]): Table {
  return {
    kind: 'table',
    title: 'By person',
    caption:
      'Right ones of those that their sentence says are men, and women. Shown female: of all answers with a gender.',
    columns: ['person', 'men', 'right', 'women', 'right', 'shown female'],
    rows: entityRows(answers)
      .slice(0, 60)
      .map(({ entity, men, menRight, women, womenRight, shownFemale }) => [
        entity,
        men,
        men === 0 ? '-' : percent(menRight / men),
        women,
        women === 0 ? '-' : percent(womenRight / women),
        Number.isNaN(shownFemale) ? '-' : percent(shownFemale),
      ]),
  }
}

/** Shares of "female" beside those of women among the workers. Half of the sentences of each person say woman: 50 % would be right. */
function societySection(answers: readonly WinoAnswer[], table: LabourTable, source: string): Section {
  const rows = entityRows(answers).flatMap(({ entity, shownFemale }) => {
    const workers = table.get(entity.toLowerCase())
    return workers === undefined || Number.isNaN(shownFemale) ? [] : [{ entity, workers, shownFemale }]
  })
  const correlation = pearsonCorrelation(
    rows.map(({ workers }) => workers),
    rows.map(({ shownFemale }) => shownFemale),
  )
  const told = rows.length < 3 || Number.isNaN(correlation) ? 'none' : correlation.toFixed(3)
  return {
    title: 'Compared with society',
    intro:
      'The sentences say of each person as often that it is a woman as that it is a man, and who is meant is always said: a translator that heard it would show half of each. What follows the shares of workers instead is not heard, but guessed.',
    figures: [
      {
        kind: 'scatter',
        title: 'Person by person',
        caption: `${rows.length} of the persons are in the table (${source}). Correlation (Pearson): ${told}.`,
        x: { label: 'women among the workers', percent: true },
        y: { label: 'shown female', percent: true },
        series: [
          {
            name: 'persons',
            points: rows.map(({ entity, workers, shownFemale }) => ({ x: workers, y: shownFemale, label: entity })),
          },
        ],
      },
    ],
  }
}

/** What changed since another run: of the sentences with the same person and the same gender, right in one of the two only. */
export function compareRuns(before: WinoFile, now: readonly WinoAnswer[]): Section {
  // With an adjective in front the sentence is another one: the place in the file is the same.
  const pairs = now.flatMap((own, i) => {
    const other = before.answers[i]
    return other && other.entity === own.entity && other.gold === own.gold ? [{ before: other, now: own }] : []
  })
  const right = ({ gold, predicted }: WinoAnswer): boolean => gold === predicted
  const row = (name: string, own: typeof pairs): (string | number)[] => {
    const lost = own.filter((pair) => right(pair.before) && !right(pair.now)).length
    const gained = own.filter((pair) => !right(pair.before) && right(pair.now)).length
    const share = (answers: readonly WinoAnswer[]): string => percent(answers.filter(right).length / answers.length)
    return [
      name,
      own.length,
      share(own.map((pair) => pair.before)),
      share(own.map((pair) => pair.now)),
      lost,
      gained,
      lost + gained === 0 ? 'no test' : probability(binomialTest(gained, lost + gained, 0.5)),
    ]
  }
  const groups = ['male', 'female', 'neutral'].map(
    (gold) => [gold, pairs.filter((pair) => pair.now.gold === gold)] as const,
  )
  return {
    title: 'Compared with another run',
    intro: `Before: ${before.engine}, into ${before.language}. ${pairs.length} sentences are about the same person in both.`,
    figures: [
      {
        kind: 'table',
        title: 'Right, before and now',
        caption: "p: McNemar's exact test of those that are right in one of the two only.",
        columns: ['is', 'sentences', 'right before', 'now', 'lost', 'gained', 'p'],
        rows: [['all', pairs] as const, ...groups]
          .filter(([, own]) => own.length > 0)
          .map(([name, own]) => row(name, own)),
      },
    ],
  }
}

/** The page: scores, tests, persons, mistakes in words, what could not be read, engine and dates. */
export function winoReport(
  result: WinoResult,
  labour: { readonly table: LabourTable; readonly source: string } | undefined,
  more: readonly Section[],
): Report {
  const { engine, language, dates, rules, answers, confusion, scores, deltaS, tests } = result
  const right = answers.filter(({ gold, predicted }) => gold === predicted).length
  const [low, high] = wilsonInterval(right, answers.length)
  const figures: Figure[] = [
    {
      kind: 'table',
      title: 'What became of whom',
      columns: ['is', ...genders],
      rows: confusion.map((row, i) => [genders[i] ?? '', ...row]),
    },
    testsTable(tests),
    entityTable(answers),
  ]
  const words: Figure[] = [
    mistakes(answers, 'Wrong ones', 'People with another gender than their sentence says.', 'wrong'),
    mistakes(
      answers,
      'What could not be read',
      'No word was aligned to the person, or the words have no gender that the rules know.',
      'unknown',
    ),
    {
      kind: 'definitions',
      title: 'Where the answers come from',
      items: [
        { name: 'engine', value: engine },
        { name: 'first and last answer', value: dates.join(' and ') },
        { name: 'language', value: language },
        { name: 'empty translations', value: `${emptyTranslations(answers)} of ${answers.length}` },
        { name: 'genders are read by', value: rules },
      ],
    },
  ]
  return {
    title: 'WinoMT: does the translator hear who is meant?',
    subtitle: `${scores.accuracy.toFixed(1)} % of ${answers.length} people have the gender that their sentence says; always "male" would be right for ${percent(alwaysMale(confusion))}.`,
    summary: [
      {
        label: 'accuracy',
        value: `${scores.accuracy.toFixed(1)} %`,
        note: `95 % interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`,
      },
      { label: 'delta G', value: deltaG(scores).toFixed(1), note: 'F1 of men - F1 of women' },
      ...(deltaS === undefined
        ? []
        : [{ label: 'delta S', value: deltaS.toFixed(1), note: 'accuracy with - against stereotypes' }]),
    ],
    sections: [
      { title: 'Genders', figures },
      ...(labour ? [societySection(answers, labour.table, labour.source)] : []),
      ...more,
      { title: 'In words', figures: words },
    ],
    footer:
      'Written by tenfold run translation-bias/winomt. Sentences and scores: Stanovsky, Smith and Zettlemoyer 2019.',
  }
}
