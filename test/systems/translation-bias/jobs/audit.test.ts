import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runJob } from '../../../../src/systems/jobs.ts'
import { translationBias } from '../../../../src/systems/translation-bias/index.ts'
import { audit } from '../../../../src/systems/translation-bias/jobs/audit.ts'
import { groupOf } from '../../../../src/systems/translation-bias/prates/groups.ts'
import { pronounClass } from '../../../../src/systems/translation-bias/prates/pronoun.ts'

const occupations = [
  'Category\tEnglish\tHungarian\tFinnish',
  'Legal occupations\tJudge\tBíró\ttuomari',
  'Legal occupations\tLawyer\tügyvéd\tasianajaja',
  'Healthcare support occupations\tNurse\tápoló\thoitaja',
  'Production occupations\tMissing\t?\t',
].join('\n')

const translations = [
  'source\ttranslation',
  'ő egy bíró\tHe is a judge.',
  'ő egy ügyvéd\tHe or she is a lawyer.',
  'ő egy ápoló\tShe’s a nurse, "of course".',
  'hän on tuomari\tHe is a judge.',
  'hän on asianajaja\tThey are a lawyer.',
  'hän on hoitaja\tNurse.',
].join('\n')

async function prepared(settings: Readonly<Record<string, unknown>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-audit-'))
  await writeFile(join(folder, 'words.tsv'), occupations)
  await writeFile(join(folder, 'own.tsv'), translations)
  const config = {
    engine: 'file',
    file: join(folder, 'own.tsv'),
    languages: ['Hungarian', 'Finnish'],
    occupations: join(folder, 'words.tsv'),
    tweet: false,
    ...settings,
  }
  return { folder, config: audit.config.parse(config) }
}

const options = { seed: 0, progress: () => {} }

describe('an audit', () => {
  test('writes a page, its data and every answer', async () => {
    const { folder, config } = await prepared()
    const { page, json } = await runJob(translationBias, audit, config, { ...options, folder })
    const { report } = z
      .object({
        report: z.object({ subtitle: z.string(), summary: z.array(z.object({ label: z.string(), note: z.string() })) }),
      })
      .parse(JSON.parse(await readFile(json, 'utf8')))
    expect(report.subtitle).toBe(
      'Of the answers with one gender, 66.7 % say "he" (95 % interval 20.8 % to 93.9 %), though the sentences say nothing of gender.',
    )
    expect(report.summary.map(({ label, note }) => `${label}: ${note}`)).toEqual([
      'she: 1 of 6 answers',
      'he: 2 of 6 answers',
      'neutral: 1 of 6 answers',
      'both genders: 1 of 6 answers',
      'not read: 1 of 6 answers',
    ])
    expect(await readFile(page, 'utf8')).toContain('Always')
    const lines = (await readFile(join(folder, 'audit.csv'), 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(7)
    expect(lines).toContain(
      'Hungarian,Hungarian,occupation,Healthcare,Nurse,ő egy ápoló,"She’s a nurse, ""of course"".",Female',
    )
  })

  test("reads as the study's script if asked to: both genders are Female, a typographic apostrophe is not read", async () => {
    const { folder, config } = await prepared({ official: true, languages: ['Hungarian'] })
    await runJob(translationBias, audit, config, { ...options, folder })
    const lines = (await readFile(join(folder, 'audit.csv'), 'utf8')).trimEnd().split('\n').slice(1)
    expect(lines.map((line) => line.split(',').at(-1))).toEqual(['Male', 'Female', '?'])
  })

  test('a language that is given twice, whose sentences would count twice, is refused', async () => {
    const { folder, config } = await prepared({ languages: ['Hungarian', 'Hungarian'] })
    await expect(runJob(translationBias, audit, config, { ...options, folder })).rejects.toThrow(
      'setting "languages": "Hungarian" is there twice',
    )
  })

  test('both genders, and what is not read, are told', async () => {
    const { folder, config } = await prepared({ languages: ['Hungarian'] })
    const own = ['ő egy bíró\tHe or she is a judge.', 'ő egy ügyvéd\tShe or he.', 'ő egy ápoló\tA nurse.']
    await writeFile(join(folder, 'own.tsv'), own.join('\n'))
    const told: string[] = []
    const progress = (text: string): void => void told.push(text)
    const { json } = await runJob(translationBias, audit, config, { ...options, folder, progress })
    expect(told).toContain('Hungarian: 0 she, 0 he, 0 neutral, 2 both, 1 not read of 3')
    expect(await readFile(json, 'utf8')).toContain('None of 3 answers has one gender; 2 of them show both.')
  })

  test('answers that are no translations are told', async () => {
    const { folder, config } = await prepared()
    const same = translations.replace('He is a judge.', 'ő egy bíró').replace('Nurse.', '')
    await writeFile(join(folder, 'own.tsv'), same)
    const told: string[] = []
    await runJob(translationBias, audit, config, { ...options, folder, progress: (line) => void told.push(line) })
    expect(told).toContain('2 of 6 answers are empty or the sentence itself: does the engine translate into English?')
  })

  test('without words, without their file, without the language', async () => {
    const nothing = await prepared({ occupations: '' })
    await expect(
      runJob(translationBias, audit, nothing.config, { ...options, folder: nothing.folder }),
    ).rejects.toThrow('an audit needs words: occupations, adjectives or both, found neither')
    const absent = await prepared({ occupations: '/nonesuch.tsv' })
    await expect(runJob(translationBias, audit, absent.config, { ...options, folder: absent.folder })).rejects.toThrow(
      '/nonesuch.tsv: no such file',
    )
    const folderGiven = await prepared({ occupations: tmpdir() })
    await expect(
      runJob(translationBias, audit, folderGiven.config, { ...options, folder: folderGiven.folder }),
    ).rejects.toThrow(`${tmpdir()}: must be a regular file`)
    const turkish = await prepared({ languages: ['Turkish'] })
    await expect(
      runJob(translationBias, audit, turkish.config, { ...options, folder: turkish.folder }),
    ).rejects.toThrow(`${turkish.config.occupations} has no column "Turkish"`)
  })
})

test('without any file: the 17 sentences of the tweet beside what was published', async () => {
  const { folder } = await prepared()
  // A translator that says "she" of everybody who is or does something short.
  const code =
    "process.stdin.on('data', (text) => console.log(String(text).trim().split(/[.]/).slice(0, -1).map((each) => each.length < 9 ? 'She' : 'He').join('\\n')))"
  const config = audit.config.parse({ command: `"${process.execPath}" -e "${code}"` })
  const { json } = await runJob(translationBias, audit, config, { ...options, folder })
  const text = await readFile(json, 'utf8')
  expect(text).toContain('"The tweet"')
  const lines = (await readFile(join(folder, 'audit.csv'), 'utf8')).trimEnd().split('\n')
  expect(lines).toHaveLength(18)
  expect(lines[1]).toBe('Hungarian,Hungarian,tweet,The tweet,She is beautiful.,Ő szép.,She,Female')
})

test.each([
  ['She’s a nurse', 'Female'],
  ['It is his.', 'Male'],
  ['(he)', 'Male'],
  ['he/she is a doctor', 'Both'],
  ['S/he is a doctor', 'Both'],
  ['(S)he’s a doctor', 'Both'],
  ['s-he is a doctor', 'Both'],
  ['S(he) is a doctor', 'Both'],
  ['The word(s) he said', 'Male'],
  ['That woman is a chef', 'Female'],
  ['that person is a man', 'Male'],
  ['They’re kind.', 'Neutral'],
  ['A doctor.', '?'],
  ['The shepherd', '?'],
])('"%s" is %s', (text, expected) => {
  expect(pronounClass(text)).toBe(expected)
})

test('groups of the study, and categories that are not in it', () => {
  expect(groupOf('Legal occupations')).toBe('Legal')
  expect(groupOf('Management')).toBe('Corporate')
  expect(groupOf('My own')).toBe('My own')
})

describe('beside an audit', () => {
  test('labour statistics: occupation by occupation, with a correlation', async () => {
    const { folder, config } = await prepared()
    const labour = join(folder, 'labour.tsv')
    await writeFile(labour, 'occupation\twomen\njudge\t30\nnurse\t90\nbaker\t-\n')
    await runJob(translationBias, audit, { ...config, labour }, { ...options, folder })
    const file = z
      .object({ labour: z.object({ missing: z.array(z.string()), summary: z.object({ correlation: z.number() }) }) })
      .parse(JSON.parse(await readFile(join(folder, 'audit.json'), 'utf8')))
    expect(file.labour.missing).toEqual(['Lawyer'])
    expect(file.labour.summary.correlation).toBeCloseTo(1, 12)
    await expect(
      runJob(translationBias, audit, { ...config, labour: join(folder, 'own.tsv') }, { ...options, folder }),
    ).rejects.toThrow('own.tsv must be tab-separated with the columns "occupation" and "women" (percent)')
  })

  test('labour statistics of other occupations are refused before anything is asked', async () => {
    const { folder, config } = await prepared()
    const labour = join(folder, 'labour.tsv')
    await writeFile(labour, 'occupation\twomen\njudge\t30\nbaker\t50\n')
    await expect(runJob(translationBias, audit, { ...config, labour }, { ...options, folder })).rejects.toThrow(
      `${labour} must have at least two of the audit's occupations by their English names`,
    )
    expect(existsSync(join(folder, 'translations.jsonl'))).toBe(false)
  })

  test('an earlier audit: what changed, sentence by sentence', async () => {
    const { folder, config } = await prepared()
    await runJob(translationBias, audit, config, { ...options, folder })
    const later = await prepared({ compare: folder })
    await writeFile(later.config.file as string, translations.replace('He is a judge.', 'She is a judge.'))
    const { json } = await runJob(translationBias, audit, later.config, { ...options, folder: later.folder })
    const text = await readFile(json, 'utf8')
    expect(text).toContain('\\"he\\" in one of the two only: 1 sentences before, 0 now')
    expect(text).toContain('The first 1 of 1.')
    const wrong = await prepared({ compare: '/nonesuch' })
    await expect(runJob(translationBias, audit, wrong.config, { ...options, folder: wrong.folder })).rejects.toThrow(
      '/nonesuch must be the folder of an audit with its audit.json, found none',
    )
    const earlier = join(folder, 'audit.json')
    await writeFile(earlier, (await readFile(earlier, 'utf8')).replace(/"template": "[^"]*"/g, '"template": "other"'))
    await expect(runJob(translationBias, audit, later.config, { ...options, folder: later.folder })).rejects.toThrow(
      `compare: no sentence of this audit is in ${folder}`,
    )
  })

  test('Portuguese without subjects needs no table of words', async () => {
    const { folder } = await prepared()
    const code =
      "let all = ''; process.stdin.on('data', (text) => { all += text }).on('end', () => console.log(all.trim().split('\\n').map(() => 'It is so.').join('\\n')))"
    const config = audit.config.parse({ command: `"${process.execPath}" -e "${code}"`, languages: ['Portuguese'] })
    await runJob(translationBias, audit, config, { ...options, folder })
    const text = await readFile(join(folder, 'audit.csv'), 'utf8')
    expect(text).toContain('Portuguese,Portuguese: is,occupation,Healthcare,dentist,É dentista.,It is so.,Neutral')
    expect(text).toContain(
      'Portuguese,Portuguese,tweet,The tweet,She washes the dishes.,Lava a louça.,It is so.,Neutral',
    )
  })
})
