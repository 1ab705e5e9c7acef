/** The job `translation-bias/audit`: which gender does a translator give to people that have none? */
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../../../io/atomic.ts'
import type { Report } from '../../../report/figures.ts'
import { plotPackages } from '../../../report/plot-packages.ts'
import { pathSetting } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { TranslationCache } from '../engines/cache.ts'
import { engineOf, engineSettings } from '../engines/settings.ts'
import { tweetLanguages } from '../genderless/tweet.ts'
import { labourDescription, labourTables, readLabourTable } from '../prates/labour-table.ts'
import { officialPronounClass, pronounClass } from '../prates/pronoun.ts'
import { languages } from '../prates/templates.ts'
import { auditAnswers, auditFile, auditJson, readAudit } from './audit-file.ts'
import { type AuditOrigin, auditCsv, auditReport } from './audit-report.ts'
import { type AuditedSentence, auditRows } from './audit-result.ts'
import { compareSection, hasCommon } from './compare-section.ts'
import { compareOccupations, labourSection, occupationsIn } from './labour-section.ts'
import {
  auditSentences,
  contextSentences,
  droppedSubjectLanguage,
  droppedSubjectSentences,
  tweetSentences,
} from './sentences.ts'

const auditedLanguages = [...languages, droppedSubjectLanguage]

const config = z.strictObject({
  ...engineSettings,
  languages: z
    .array(z.enum(auditedLanguages))
    .min(1)
    .default(['Hungarian'])
    .describe(`of ${auditedLanguages.join(', ')}; Portuguese: sentences without a subject, with words of its own`),
  occupations: pathSetting(
    "a table of occupations in these languages, in the form of the study's jobs-translations.tsv",
  ),
  adjectives: pathSetting("the same of adjectives, in the form of the study's adjectives-translations.tsv"),
  tweet: z
    .boolean()
    .default(true)
    .describe(`also the 17 sentences of the tweet that the question comes from, in ${tweetLanguages.join(', ')}`),
  context: z.boolean().default(false).describe('with Portuguese: also sentences whose context says who is meant'),
  labour: pathSetting(labourDescription, labourTables),
  compare: pathSetting('the folder of an earlier audit: shows what changed'),
  official: z.boolean().default(false).describe("read pronouns as the study's script does, with its quirks"),
})

type AuditConfig = z.infer<typeof config>

async function sentencesOf({ occupations, adjectives, languages: names, tweet, context }: AuditConfig) {
  const studied = names.filter((name) => name !== droppedSubjectLanguage)
  const sentences = [
    ...(tweet ? names.flatMap(tweetSentences) : []),
    ...(occupations === '' || studied.length === 0 ? [] : await auditSentences(occupations, 'occupation', studied)),
    ...(adjectives === '' || studied.length === 0 ? [] : await auditSentences(adjectives, 'adjective', studied)),
    ...(names.includes(droppedSubjectLanguage) ? droppedSubjectSentences() : []),
    ...(context && names.includes(droppedSubjectLanguage) ? contextSentences() : []),
  ]
  if (sentences.length > 0) return sentences
  throw new UsageError('an audit needs words: occupations, adjectives or both, found neither', {
    hint: '--set occupations=FILE, tab-separated with the columns Category, English and the languages',
  })
}

async function run(settings: AuditConfig, context: JobContext): Promise<Report> {
  const { folder, progress, write, signal } = context
  const engine = await engineOf(settings, context)
  const sentences = await sentencesOf(settings)
  // What is missing is said before anything is asked.
  const table = settings.labour === '' ? undefined : await readLabourTable(settings.labour)
  if (table && occupationsIn(sentences, table).length < 2)
    throw new UsageError(`${settings.labour} must have at least two of the audit's occupations by their English names`)
  const earlier = settings.compare === '' ? undefined : await readAudit(settings.compare)
  const asked = sentences.map(({ template, text }) => ({ template: template.column, sentence: text }))
  if (earlier && !hasCommon(earlier.answers, asked)) {
    throw new UsageError(`compare: no sentence of this audit is in ${settings.compare}`, {
      hint: `that audit has ${[...new Set(earlier.answers.map(({ language }) => language))].join(', ')}: choose the same languages and words`,
    })
  }
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
  // A context says who is meant: it is no sample of what the translator chooses.
  const sample = audited.filter(({ kind }) => kind !== 'context')
  for (const row of auditRows(sample, ({ template }) => template.language)) {
    const { name, counts } = row
    // The rare ones are told only where there are any.
    const rare = [counts.Both > 0 ? `, ${counts.Both} both` : '', counts['?'] > 0 ? `, ${counts['?']} not read` : '']
    const told = `${counts.Female} she, ${counts.Male} he, ${counts.Neutral} neutral${rare.join('')}`
    progress(`${name}: ${told} of ${row.count}`, { name, count: row.count, counts })
  }
  const untranslated = audited.filter(({ text, translation }) => ['', text].includes(translation.trim())).length
  if (untranslated > 0)
    progress(
      `${untranslated} of ${audited.length} answers are empty or the sentence itself: does the engine translate into English?`,
      { untranslated },
    )
  await write('audit.csv', auditCsv(audited))
  dates.sort()
  const origin: AuditOrigin = {
    engine: engine.identity,
    dates: [dates[0] ?? '', dates.at(-1) ?? ''],
    rules: settings.official ? "the study's script" : 'any form of a pronoun; both genders count as both',
  }
  const labour = table && compareOccupations(audited, table)
  await write(auditFile, auditJson(audited, origin, labour))
  const more = [
    ...(labour ? [labourSection(labour, settings.labour)] : []),
    ...(earlier
      ? [compareSection(earlier, { ...origin, dates: [...origin.dates], answers: auditAnswers(audited) })]
      : []),
  ]
  return auditReport(audited, origin, more)
}

export const audit = defineJob({
  name: 'audit',
  summary: 'which gender a translator gives to people that have none: any command, service or file of translations',
  config,
  packages: ({ labour }) => (labour === '' ? [] : plotPackages),
  run,
})
