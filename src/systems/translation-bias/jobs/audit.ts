/** The job `translation-bias/audit`: which gender does a translator give to people that have none? */
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../../../io/atomic.ts'
import type { Report } from '../../../report/figures.ts'
import { pathSetting } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { TranslationCache } from '../engines/cache.ts'
import { engineOf, engineSettings } from '../engines/settings.ts'
import { officialPronounClass, pronounClass } from '../prates/pronoun.ts'
import { languages } from '../prates/templates.ts'
import { auditCsv, auditReport } from './audit-report.ts'
import { type AuditedSentence, auditRows } from './audit-result.ts'
import { auditSentences, tweetSentences } from './sentences.ts'

const config = z.strictObject({
  ...engineSettings,
  languages: z
    .array(z.enum(languages))
    .min(1)
    .default(['Hungarian'])
    .describe(`of ${languages.join(', ')}`),
  occupations: pathSetting(
    "a table of occupations in these languages, in the form of the study's jobs-translations.tsv",
  ),
  adjectives: pathSetting("the same of adjectives, in the form of the study's adjectives-translations.tsv"),
  tweet: z
    .boolean()
    .default(true)
    .describe('with Hungarian: also the 17 sentences of the tweet that the question comes from'),
  official: z.boolean().default(false).describe("read pronouns as the study's script does, with its quirks"),
})

type AuditConfig = z.infer<typeof config>

async function sentencesOf({ occupations, adjectives, languages: names, tweet }: AuditConfig) {
  const sentences = [
    ...(tweet && names.includes('Hungarian') ? tweetSentences() : []),
    ...(occupations === '' ? [] : await auditSentences(occupations, 'occupation', names)),
    ...(adjectives === '' ? [] : await auditSentences(adjectives, 'adjective', names)),
  ]
  if (sentences.length > 0) return sentences
  throw new UsageError('an audit needs words: occupations, adjectives or both, found neither', {
    hint: '--set occupations=FILE, tab-separated with the columns Category, English and the languages',
  })
}

async function run(settings: AuditConfig, { folder, progress, write, signal }: JobContext): Promise<Report> {
  const engine = await engineOf(settings)
  const sentences = await sentencesOf(settings)
  await makeFolder(folder)
  const cache = await TranslationCache.open(join(folder, 'translations.jsonl'))
  const read = settings.official ? officialPronounClass : pronounClass
  const audited: AuditedSentence[] = []
  const dates: string[] = []
  for (const code of new Set(sentences.map(({ template }) => template.code))) {
    const own = sentences.filter(({ template }) => template.code === code)
    const texts = own.map(({ text }) => text)
    const direction = { source: code, target: 'en' }
    const found = await cache.translate(engine, direction, texts, {
      ...(signal && { signal }),
      progress: (done, of) => progress(`${code}-en: ${done} of ${of} sentences translated`, { source: code, done, of }),
    })
    for (const [i, { translation, date }] of found.entries()) {
      const sentence = own[i]
      if (sentence) audited.push({ ...sentence, translation, answer: read(translation) })
      dates.push(date)
    }
  }
  for (const row of auditRows(audited, ({ template }) => template.language)) {
    const { name, counts } = row
    progress(`${name}: ${counts.Female} she, ${counts.Male} he, ${counts.Neutral} neutral of ${row.count}`, {
      name,
      count: row.count,
      counts,
    })
  }
  await write('audit.csv', auditCsv(audited))
  dates.sort()
  return auditReport(audited, {
    engine: engine.identity,
    dates: [dates[0] ?? '', dates.at(-1) ?? ''],
    rules: settings.official ? "the study's script" : 'any form of a pronoun; both genders count as both',
  })
}

export const audit = defineJob({
  name: 'audit',
  summary: 'which gender a translator gives to people that have none: any command, service or file of translations',
  config,
  run,
})
