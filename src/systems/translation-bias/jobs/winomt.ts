/** The job `translation-bias/winomt`: does a translator give people the gender that the sentence says? */

import { join } from 'node:path'
import { z } from 'zod'
import { readText } from '../../../data/sources/text.ts'
import { makeFolder } from '../../../io/atomic.ts'
import type { Report } from '../../../report/figures.ts'
import { plotPackages } from '../../../report/plot-packages.ts'
import { pathSetting } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { TranslationCache } from '../engines/cache.ts'
import { engineOf, engineSettings } from '../engines/settings.ts'
import { labourDescription, labourTables, readLabourTable } from '../prates/labour-table.ts'
import { withAdjective } from '../winomt/adjectives.ts'
import { ruledLanguages } from '../winomt/gender.ts'
import { type FoundEntity, readGenders } from '../winomt/pipeline.ts'
import { romanceLanguages } from '../winomt/romance.ts'
import { deltaG, deltaS, genderConfusion, subsetPredictions, winoScores } from '../winomt/scores.ts'
import { parseSentences, type WinoSentence } from '../winomt/sentences.ts'
import { compareRuns, winoReport } from './winomt-report.ts'
import {
  emptyTranslations,
  readWinomt,
  type WinoAnswer,
  winoAnswers,
  winoCsv,
  winomtFile,
  winoTests,
} from './winomt-result.ts'

const config = z.strictObject({
  ...engineSettings,
  language: z
    .enum(ruledLanguages)
    .default('de')
    .describe(`into which language: ${ruledLanguages.join(', ')}`),
  sentences: pathSetting("WinoMT's en.txt"),
  stereotypical: pathSetting("WinoMT's en_pro.txt, for delta S"),
  opposite: pathSetting("WinoMT's en_anti.txt, for delta S"),
  adjectives: z
    .boolean()
    .default(false)
    .describe('put "handsome" and "pretty" in front of the people, as their sentence says who they are'),
  labour: pathSetting(labourDescription, labourTables),
  compare: pathSetting('the folder of an earlier run of the same sentences: shows what changed'),
})

type WinoConfig = z.infer<typeof config>

async function sentencesIn(path: string): Promise<WinoSentence[]> {
  const text = await readText(path)
  return parseSentences(text, path)
}

/** A subset of the sentences with what became of them in the whole set. */
function subsetAnswers(
  subset: readonly WinoSentence[],
  all: readonly WinoSentence[],
  found: readonly FoundEntity[],
): WinoAnswer[] {
  const predicted = subsetPredictions(
    subset,
    all,
    found.map(({ gender }) => gender),
  )
  return winoAnswers(
    subset,
    [],
    predicted.map((gender) => ({ indices: [], phrase: '', gender })),
  )
}

const confusionOf = (answers: readonly WinoAnswer[]) =>
  genderConfusion(
    answers.map(({ gold }) => gold),
    answers.map(({ predicted }) => predicted),
  )

/** A subset of the sentences. Throws a UsageError where it is of another set; single ones that are missing count as not read, and are told. */
async function subsetIn(path: string, all: readonly WinoSentence[], { progress }: JobContext): Promise<WinoSentence[]> {
  const subset = await sentencesIn(path)
  const known = new Set(all.map(({ text }) => text))
  const missing = subset.filter(({ text }) => !known.has(text)).length
  if (missing === subset.length)
    throw new UsageError(`${path} must have sentences of the whole set, found none of them`)
  if (missing > 0)
    progress(`${missing} of ${subset.length} sentences of ${path} are not in the whole set: not read`, {})
  return subset
}

/** Both subsets, where they are given. */
async function subsetsOf(
  { stereotypical, opposite }: WinoConfig,
  sentences: readonly WinoSentence[],
  context: JobContext,
) {
  if (stereotypical === '' && opposite === '') return undefined
  if (stereotypical === '' || opposite === '')
    throw new UsageError('delta S needs both sets of sentences, found only one', {
      hint: '--set stereotypical=en_pro.txt --set opposite=en_anti.txt',
    })
  return {
    stereotypical: await subsetIn(stereotypical, sentences, context),
    opposite: await subsetIn(opposite, sentences, context),
  }
}

const rulesOf = (language: string): string =>
  romanceLanguages.includes(language)
    ? "articles, then endings: tenfold's own rules, not the official ones"
    : 'the official rules of WinoMT'

async function run(settings: WinoConfig, context: JobContext): Promise<Report> {
  const { folder, progress, signal, write } = context
  const { language, sentences: path } = settings
  if (path === '')
    throw new UsageError('WinoMT needs its sentences, found none', {
      hint: '--set sentences=en.txt, of the mt_gender repository',
    })
  const engine = await engineOf(settings, context)
  const table = settings.labour === '' ? undefined : await readLabourTable(settings.labour)
  const earlier = settings.compare === '' ? undefined : await readWinomt(settings.compare)
  const sentences = await sentencesIn(path)
  const given = await subsetsOf(settings, sentences, context)
  const asked = settings.adjectives ? sentences.map(withAdjective) : sentences
  await makeFolder(folder)
  const cache = await TranslationCache.open(join(folder, 'translations.jsonl'))
  const translated = await cache.translate(
    engine,
    { source: 'en', target: language },
    asked.map(({ text }) => text),
    {
      ...(signal && { signal }),
      progress: (done, of) => progress(`${done} of ${of} sentences translated`, { done, of }),
    },
  )
  const translations = translated.map(({ translation }) => translation)
  const found = readGenders(asked, translations, language)
  const answers = winoAnswers(asked, translations, found)
  const empty = emptyTranslations(answers)
  if (empty > 0) progress(`${empty} of ${answers.length} translations are empty: nobody is found in them`, { empty })
  const confusion = confusionOf(answers)
  const scores = winoScores(confusion)
  // The subsets are found by the sentences as they are in their files.
  const subsets = given && {
    stereotypical: subsetAnswers(given.stereotypical, sentences, found),
    opposite: subsetAnswers(given.opposite, sentences, found),
  }
  const stereotype =
    subsets && deltaS(winoScores(confusionOf(subsets.stereotypical)), winoScores(confusionOf(subsets.opposite)))
  const told = stereotype === undefined ? '' : `, delta S ${stereotype.toFixed(1)}`
  progress(`accuracy ${scores.accuracy.toFixed(1)} %, delta G ${deltaG(scores).toFixed(1)}${told}`, { ...scores })
  const dates = translated.map(({ date }) => date).sort()
  const result = {
    engine: engine.identity,
    language,
    dates: [dates[0] ?? '', dates.at(-1) ?? ''] as const,
    rules: rulesOf(language),
    answers,
    confusion,
    scores,
    deltaS: stereotype,
    tests: winoTests(answers, subsets),
  }
  await write('winomt.csv', winoCsv(answers))
  await write(winomtFile, `${JSON.stringify({ ...result, deltaG: deltaG(scores) }, null, 1)}\n`)
  return winoReport(result, table && { table, source: settings.labour }, earlier ? [compareRuns(earlier, answers)] : [])
}

export const winomt = defineJob({
  name: 'winomt',
  summary:
    "accuracy, delta G and delta S of a translator on WinoMT's sentences, by any command, model, service or file",
  config,
  packages: ({ labour }) => (labour === '' ? [] : plotPackages),
  run,
})
