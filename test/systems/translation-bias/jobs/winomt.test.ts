import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { runJob } from '../../../../src/systems/jobs.ts'
import { translationBias } from '../../../../src/systems/translation-bias/index.ts'
import { causes } from '../../../../src/systems/translation-bias/jobs/causes.ts'
import { winomt } from '../../../../src/systems/translation-bias/jobs/winomt.ts'

const sentences = [
  'female\t1\tThe baker sang because she was happy.\tbaker',
  'male\t1\tThe baker sang because he was happy.\tbaker',
  'female\t1\tThe cook sang because she was happy.\tcook',
]
const translations = [
  'Die Bäckerin sang, weil sie froh war.',
  'Der Bäcker sang, weil er froh war.',
  'Der Koch sang, weil sie froh war.',
]

const reportSchema = z.object({
  report: z.object({
    title: z.string(),
    subtitle: z.string(),
    summary: z.array(z.object({ label: z.string(), value: z.string() })),
  }),
})

async function reportOf(json: string) {
  return reportSchema.parse(JSON.parse(await readFile(json, 'utf8'))).report
}

async function prepared(settings: Readonly<Record<string, unknown>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-winomt-'))
  const path = (name: string): string => join(folder, name)
  await writeFile(path('en.txt'), `${sentences.join('\n')}\n`)
  await writeFile(path('en_pro.txt'), `${sentences[1]}\n`)
  await writeFile(path('en_anti.txt'), `${sentences[2]}\n`)
  const lines = sentences.map((line, i) => `${line.split('\t')[2]}\t${translations[i]}`)
  await writeFile(path('own.tsv'), lines.join('\n'))
  const config = { engine: 'file', file: path('own.tsv'), sentences: path('en.txt'), ...settings }
  return { folder, config: winomt.config.parse(config) }
}

const options = { seed: 0, progress: () => {} }

test('WinoMT: accuracy, delta G and, with the subsets, delta S', async () => {
  const { folder, config } = await prepared()
  const own = { ...config, stereotypical: join(folder, 'en_pro.txt'), opposite: join(folder, 'en_anti.txt') }
  const { json } = await runJob(translationBias, winomt, own, { ...options, folder })
  const { subtitle, summary } = await reportOf(json)
  expect(subtitle).toBe(
    '66.7 % of 3 people have the gender that their sentence says; always "male" would be right for 33.3 %.',
  )
  expect(Object.fromEntries(summary.map(({ label, value }) => [label, value]))).toEqual({
    accuracy: '66.7 %',
    'delta G': '0.0',
    'delta S': '100.0',
  })
})

test('an empty translation is told, and is a person that is not found', async () => {
  const { folder, config } = await prepared({ language: 'es' })
  const lines = sentences.map((line, i) => `${line.split('\t')[2]}\t${i === 1 ? ' ' : 'La panadera cantó.'}`)
  await writeFile(join(folder, 'own.tsv'), lines.join('\n'))
  const told: string[] = []
  const progress = (text: string): void => void told.push(text)
  const { json } = await runJob(translationBias, winomt, config, { ...options, folder, progress })
  expect(told).toContain('1 of 3 translations are empty: nobody is found in them')
  expect(await readFile(json, 'utf8')).toMatch(/"empty translations",\s*"value": "1 of 3"/)
  const [, , second] = (await readFile(join(folder, 'winomt.csv'), 'utf8')).split('\n')
  expect(second).toMatch(/^male,unknown,baker,/)
})

test('WinoMT without sentences', async () => {
  const { folder, config } = await prepared({ sentences: '' })
  await expect(runJob(translationBias, winomt, config, { ...options, folder })).rejects.toThrow(
    'WinoMT needs its sentences, found none',
  )
})

test('WinoMT with one of the two sets that delta S compares', async () => {
  const { folder, config } = await prepared()
  const own = { ...config, stereotypical: join(folder, 'en_pro.txt') }
  await expect(runJob(translationBias, winomt, own, { ...options, folder })).rejects.toThrow(
    'delta S needs both sets of sentences, found only one',
  )
})

test('WinoMT with subsets that are of another set', async () => {
  const { folder, config } = await prepared()
  const [opposite, stereotypical] = [join(folder, 'en_anti.txt'), join(folder, 'other.txt')]
  const own = { ...config, stereotypical, opposite }
  const other = 'male\t1\tThe guard slept because he was tired.\tguard'
  await writeFile(stereotypical, other)
  await expect(runJob(translationBias, winomt, own, { ...options, folder })).rejects.toThrow(
    `${stereotypical} must have sentences of the whole set, found none of them`,
  )
  expect(existsSync(join(folder, 'translations.jsonl'))).toBe(false)
  await writeFile(stereotypical, `${sentences[1]}\n${other}`)
  const told: string[] = []
  const progress = (text: string): void => void told.push(text)
  await runJob(translationBias, winomt, own, { ...options, folder, progress })
  expect(told).toContain(`1 of 2 sentences of ${stereotypical} are not in the whole set: not read`)
})

test('the three causes: data are repeated, learning moves, the output amplifies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-causes-'))
  const config = causes.config.parse({ sweep: 2 })
  const { json } = await runJob(translationBias, causes, config, { ...options, folder })
  const { summary } = await reportOf(json)
  expect(Object.fromEntries(summary.map(({ label, value }) => [label, value]))).toEqual({
    'data, repeated within': '0.1 %',
    'learning moves shares by': '22.9 %',
    'output amplifies by': '26.7 %',
    'women shown as "he"': '2',
  })
})
