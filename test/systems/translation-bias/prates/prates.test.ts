import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareWithLabour } from '../../../../src/systems/translation-bias/prates/labour.ts'
import { readLabourTable } from '../../../../src/systems/translation-bias/prates/labour-table.ts'
import { officialPronounClass, type PronounClass } from '../../../../src/systems/translation-bias/prates/pronoun.ts'
import {
  adjectiveCounts,
  languageCounts,
  officialAdjectiveCounts,
  percentages,
  weightedPercentages,
} from '../../../../src/systems/translation-bias/prates/shares.ts'
import { comparisons, languageTest, totalTest } from '../../../../src/systems/translation-bias/prates/significance.ts'
import { type PronounRow, parsePronounTable } from '../../../../src/systems/translation-bias/prates/table.ts'
import {
  columnsOf,
  languages,
  templateSentence,
  templates,
} from '../../../../src/systems/translation-bias/prates/templates.ts'

const columns = templates.map(({ column }) => column)

/** A row whose cells are all of one class but for some. */
function row(word: string, all: PronounClass, others: Readonly<Record<string, PronounClass>> = {}): PronounRow {
  return {
    category: 'Made up',
    word,
    cells: { ...Object.fromEntries(columns.map((column) => [column, all])), ...others },
  }
}

describe('templates', () => {
  test('12 languages, 17 templates; a word is put in in lower case, whatever signs it has', () => {
    expect([languages.length, templates.length]).toEqual([12, 17])
    const hungarian = templates.find(({ language }) => language === 'Hungarian')
    expect(hungarian && templateSentence(hungarian, 'occupation', 'Pék $&')).toBe('ő egy pék $&')
    expect(hungarian && templateSentence(hungarian, 'adjective', 'okos')).toBe('ő okos')
  })

  test('a language that is not in the study', () => {
    expect(() => columnsOf('Korean')).toThrow(`language must be one of ${languages.join(', ')}, found "Korean"`)
  })
})

describe('tables', () => {
  const file = (cell: string): string =>
    `Category\tOccupation\t${columns.join('\t')}\nMade up occupations\tBaker\t${columns.map(() => cell).join('\t')}\n`

  test('are read by the names of their columns', () => {
    expect(parsePronounTable(file('Male'), 'own.tsv')).toEqual([row('Baker', 'Male')])
  })

  test('a cell that is no class, a row of another length, a missing column', () => {
    expect(() => parsePronounTable(file('male'), 'own.tsv')).toThrow(
      'own.tsv: line 2: Malay must be Female, Male, Neutral, ?, found "male"',
    )
    expect(() => parsePronounTable(`${file('Male')}x\n`, 'own.tsv')).toThrow(
      'own.tsv: line 3 must have 19 cells, found 1',
    )
    expect(() => parsePronounTable('Adjective\tMalay\nshy\tMale\n', 'own.tsv')).toThrow(
      'own.tsv has no column "Estonian"',
    )
  })
})

describe('shares', () => {
  test('of a language pool the six columns of Bengali, and count what was not read', () => {
    const rows = [row('a', 'Male', { 'Bengali-HF': 'Female', Malay: '?' }), row('b', 'Male')]
    expect(languageCounts(rows, 'Bengali')).toEqual({ female: 1, male: 11, neutral: 0, unknown: 0 })
    expect(percentages(languageCounts(rows, 'Malay'))).toEqual([0, 50, 0])
  })

  test('of all languages weigh Bengali as one, rounded once and halves to even', () => {
    const bengali = columnsOf('Bengali')
    const half = Object.fromEntries(bengali.slice(0, 3).map((column) => [column, 'Female' as const]))
    // 3 of 6 are half a language, which rounds to 0: of 12 languages the other 11 are left.
    expect(weightedPercentages([row('a', 'Male', half)])).toEqual([0, (100 * 11) / 12, 0])
    expect(weightedPercentages([row('a', 'Male', half), row('b', 'Male', half), row('c', 'Male', half)])).toEqual([
      (100 * 2) / 36,
      (100 * 35) / 36,
      0,
    ])
  })

  test('of adjectives: the official columns leave Malay out and count Bengali-HF in full', () => {
    const rows = [row('shy', 'Male', { Malay: 'Female', 'Bengali-HF': 'Neutral' })]
    expect(officialAdjectiveCounts(rows)).toEqual([0, 10, 1, 11])
    expect(adjectiveCounts(rows)).toEqual([1, 10 + 5 / 6, 1 / 6])
  })
})

describe('tests', () => {
  const rows = [...Array(20).keys()].map((i) => row(String(i), i % 4 === 0 ? 'Female' : 'Male'))

  test('more men is significant, more women is not, and nothing to compare is no test', () => {
    expect(languageTest(rows, 'Malay', comparisons.male_gt_female)).toBeLessThan(0.05)
    expect(languageTest(rows, 'Malay', ['Female', 'Male'])).toBeGreaterThan(0.95)
    expect(languageTest(rows, 'Malay', ['Neutral', '?'])).toBeNaN()
  })

  test("the official total has the text columns' zeros in its sample", () => {
    const [own, official] = [false, true].map((flag) => totalTest(rows, comparisons.male_gt_female, { official: flag }))
    expect(official).not.toBe(own)
  })
})

test('a labour table with a wrong cell is refused by its line', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'tenfold-labour-')), 'own.tsv')
  const read = (...rows: readonly string[]) => {
    writeFileSync(path, ['occupation\twomen', ...rows].join('\n'))
    return readLabourTable(path)
  }
  expect([...(await read('Nurse\t90 %', 'pilot\t-', 'judge\t33.5'))]).toEqual([
    ['nurse', 0.9],
    ['judge', 0.335],
  ])
  const wrong = 'line 2: women must be a percentage from 0 to 100, such as 15.5, or "-", found '
  for (const cell of ['15,5', '140', 'forty', '-3']) await expect(read(`nurse\t${cell}`)).rejects.toThrow(wrong)
  await expect(read('nurse\t90', 'Nurse\t80')).rejects.toThrow('line 3: nurse has another share in a line before')
  await expect(read('nurse\t0.9', 'judge\t0.3')).rejects.toThrow('women must be in percent, found at most 1')
})

test('labour statistics: means, correlation and histograms', () => {
  const shares = [0, 0.5, 1].map((share) => ({ translated: share / 2, translatedOfGendered: share, workers: share }))
  const found = compareWithLabour(shares, 2)
  expect(found.mean).toEqual({ translated: 0.25, translatedOfGendered: 0.5, workers: 0.5 })
  expect(found.correlation).toBeCloseTo(1, 12)
  expect(found.histogram).toEqual({ translated: [2 / 3, 1 / 3], workers: [1 / 3, 2 / 3] })
})

test.each([
  ['She is a nurse', 'Female'],
  ['he or she', 'Female'],
  ['his job', 'Male'],
  ['they sing', 'Neutral'],
  ['she. he.', '?'],
])('pronoun of "%s": %s', (text, expected) => {
  expect(officialPronounClass(text)).toBe(expected)
})
