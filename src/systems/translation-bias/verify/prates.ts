/** Reference cases of study A: templates, classifier, tables, tests, labour statistics. */
import { z } from 'zod'
import { FormatError } from '../../../util/errors.ts'
import { roundHalfEven } from '../../../util/rounding.ts'
import { type CaseTargetRule, type ReferenceCase, withoutEffect } from '../../../verify/target.ts'
import { compareWithLabour } from '../prates/labour.ts'
import { officialPronounClass } from '../prates/pronoun.ts'
import {
  adjectiveCounts,
  languageCounts,
  officialAdjectiveCounts,
  percentages,
  weightedPercentages,
} from '../prates/shares.ts'
import { comparisons, languageTest, totalTest } from '../prates/significance.ts'
import { cellOf, type PronounRow, parsePronounTable, parseTable } from '../prates/table.ts'
import { languages, templateSentence, templates } from '../prates/templates.ts'
import { anyRecord, array, type Computed, checked, dataFile, dataNames, part, rowsArray } from './case.ts'

async function tableOf(reference: ReferenceCase): Promise<PronounRow[]> {
  const [name = ''] = dataNames(reference)
  return parsePronounTable(await dataFile(reference, name), name)
}

/** As the official tables print percentages: three decimals, halves to even. */
const rounded = (values: readonly number[]): number[] => values.map((value) => roundHalfEven(1000 * value) / 1000)

async function runLanguages(reference: ReferenceCase): Promise<Computed> {
  const rows = await tableOf(reference)
  const names = part(reference.config, 'languages', z.array(z.string()))
  const counts = names.map((language) => languageCounts(rows, language))
  return {
    tensors: {
      counts: rowsArray(
        counts.map(({ female, male, neutral, unknown }) => [female, male, neutral, unknown]),
        'int64',
      ),
      percent: rowsArray(counts.map((each) => rounded(percentages(each)))),
    },
    expected: Object.fromEntries(
      names.map((language, i) => [
        language,
        { counts: counts[i], percent_female_male_neutral: counts[i] && rounded(percentages(counts[i])) },
      ]),
    ),
  }
}

const groupsOf = ({ config }: ReferenceCase): Readonly<Record<string, string>> =>
  part(config, 'groups', z.record(z.string(), z.string()))

/** The rows of a category or a group; "Total" is all of them. */
function rowsOf(rows: readonly PronounRow[], name: string, keyOf: (row: PronounRow) => string | undefined) {
  const own = name === 'Total' ? rows : rows.filter((row) => keyOf(row) === name)
  if (own.length === 0) throw new FormatError(`the table has no rows of "${name}"`)
  return own
}

async function runCategories(reference: ReferenceCase): Promise<Computed> {
  const rows = await tableOf(reference)
  const groups = groupsOf(reference)
  const wanted = part(
    reference.fields,
    'expected',
    z.object({ category22_percent_female_male_neutral: anyRecord, group10_percent_female_male_neutral: anyRecord }),
  )
  const table = (names: Readonly<Record<string, unknown>>, keyOf: (row: PronounRow) => string | undefined) =>
    Object.fromEntries(
      Object.keys(names).map((name) => [name, rounded(weightedPercentages(rowsOf(rows, name, keyOf)))]),
    )
  const categories = table(wanted.category22_percent_female_male_neutral, ({ category }) => category)
  const byGroup = table(wanted.group10_percent_female_male_neutral, ({ category }) => groups[category])
  return {
    tensors: {
      percent22: rowsArray(Object.values(categories)),
      percent10: rowsArray(Object.values(byGroup)),
    },
    expected: {
      category22_percent_female_male_neutral: categories,
      group10_percent_female_male_neutral: byGroup,
    },
  }
}

async function runAdjectives(reference: ReferenceCase): Promise<Computed> {
  const rows = await tableOf(reference)
  const words = Object.keys(part(reference.fields, 'expected', anyRecord))
  const own = words.map((word) => rowsOf(rows, word, (row) => row.word))
  const official = own.map(officialAdjectiveCounts)
  const right = own.map(adjectiveCounts)
  return {
    tensors: {
      official_counts: rowsArray(
        official.map(([female, male, neutral]) => [female, male, neutral]),
        'int64',
      ),
      unshifted: rowsArray(right),
    },
    expected: Object.fromEntries(
      words.map((word, i) => {
        const [female = 0, male = 0, neutral = 0, total = 0] = official[i] ?? []
        const [Female = 0, Male = 0, Neutral = 0] = right[i] ?? []
        return [
          word,
          {
            official_counts_female_male_neutral_total: official[i],
            official_percent: rounded([female, male, neutral].map((count) => (100 * count) / total)),
            unshifted_weighted_counts: { Female, Male, Neutral },
          },
        ]
      }),
    ),
  }
}

/** In the tensors of the cases, where the JSON has null. */
const noTest = 2

async function runTests(reference: ReferenceCase): Promise<Computed> {
  const rows = await tableOf(reference)
  const groups = groupsOf(reference)
  withoutEffect(reference.config, 'alpha') // the level: p-values do not depend on it
  const wanted = part(reference.fields, 'expected', z.partialRecord(z.enum(Object.keys(comparisons)), anyRecord))
  const tests = Object.entries(wanted).map(([name, byGroup = {}]) => {
    const comparison = comparisons[name as keyof typeof comparisons]
    const table = Object.keys(byGroup).map((group) => {
      const own = rowsOf(rows, group, ({ category }) => groups[category])
      const values = languages.map((language) => [language, languageTest(own, language, comparison)] as const)
      const total = ['Total', totalTest(own, comparison, { official: true })] as const
      return [group, [...values, total]] as const
    })
    return [name, table] as const
  })
  return {
    tensors: Object.fromEntries(
      tests.map(([name, table]) => [
        name,
        rowsArray(table.map(([, cells]) => cells.map(([, p]) => (Number.isNaN(p) ? noTest : p)))),
      ]),
    ),
    expected: Object.fromEntries(
      tests.map(([name, table]) => [
        name,
        Object.fromEntries(table.map(([group, cells]) => [group, Object.fromEntries(cells)])),
      ]),
    ),
  }
}

async function runLabour(reference: ReferenceCase): Promise<Computed> {
  const [name = ''] = dataNames(reference)
  const rows = parseTable(await dataFile(reference, name), name).map((row) => ({
    translated: Number(cellOf(row, 'GT_F/A', name)),
    translatedOfGendered: Number(cellOf(row, 'GT_F/(M+F)', name)),
    workers: Number(cellOf(row, 'BLS_Data', name)),
  }))
  const { mean, variance, correlation, t, histogram } = compareWithLabour(rows)
  return {
    tensors: { hist_gt: array(histogram.translated), hist_bls: array(histogram.workers) },
    expected: {
      mean: { 'GT_F/A': mean.translated, 'GT_F/(M+F)': mean.translatedOfGendered, BLS: mean.workers },
      variance_unbiased: { 'GT_F/A': variance.translated, BLS: variance.workers },
      'pearson_GT_F/A_BLS': correlation,
      paired_t: t,
      histogram12: { 'GT_F/A': histogram.translated, BLS: histogram.workers },
    },
  }
}

async function runTemplates(reference: ReferenceCase): Promise<Computed> {
  const names = dataNames(reference)
  const file = async (end: string): Promise<Record<string, string>[]> => {
    const name = names.find((each) => each.endsWith(end))
    if (name === undefined) throw new FormatError(`the case must name a file "${end}", found ${names.join(', ')}`)
    return parseTable(await dataFile(reference, name), name)
  }
  const words = {
    occupation: await file('jobs-translations.tsv'),
    adjective: await file('adjectives-translations.tsv'),
  }
  const pinyin = new Map((await file('pinyin.tsv')).map((row) => [`${row.kind} ${row.english}`, row.pinyin ?? '']))
  const wanted = part(reference.fields, 'expected', z.object({ occupation: anyRecord, adjective: anyRecord }))
  const sentences = (kind: 'occupation' | 'adjective') =>
    Object.fromEntries(
      Object.keys(wanted[kind]).map((english) => {
        const row = words[kind].find((each) => each.English === english)
        if (!row) throw new FormatError(`the translations have no ${kind} "${english}"`)
        const word = (language: string): string =>
          language === 'Chinese' ? (pinyin.get(`${kind} ${english}`) ?? '') : (row[language] ?? '')
        return [
          english,
          Object.fromEntries(
            templates.map((template) => [template.column, templateSentence(template, kind, word(template.language))]),
          ),
        ]
      }),
    )
  const expected = { occupation: sentences('occupation'), adjective: sentences('adjective') }
  const counts = Object.values(expected).map((table) => Object.values(table).flatMap(Object.keys).length)
  return { tensors: { count: array(counts, [2], 'int64') }, expected }
}

const classes = ['Female', 'Male', 'Neutral', '?']

function runClassifier({ config, fields }: ReferenceCase): Computed {
  const words = (name: string): string[] => part(config, name, z.array(z.string()))
  const markers = { female: words('female_markers'), male: words('male_markers'), neuter: words('neuter_markers') }
  const found = part(fields, 'expected', z.array(z.object({ text: z.string(), gender: z.string() }))).map(
    ({ text }) => ({
      text,
      gender: officialPronounClass(text, markers),
    }),
  )
  return {
    tensors: {
      class: array(
        found.map(({ gender }) => classes.indexOf(gender)),
        [found.length],
        'int64',
      ),
    },
    expected: found,
  }
}

/** The targets of study A. */
export const pratesTargets: readonly CaseTargetRule[] = [
  { target: /^pronoun shares per language/, run: checked(runLanguages) },
  { target: /^pronoun shares per occupation category/, run: checked(runCategories) },
  { target: /^pronoun shares per adjective/, run: checked(runAdjectives) },
  { target: /^one-sided paired t-tests/, run: checked(runTests) },
  { target: /^female pronoun share versus US labour statistics/, run: checked(runLabour) },
  { target: /^gender-neutral template sentences/, run: checked(runTemplates) },
  { target: /^get_gender/, run: checked(runClassifier) },
]
