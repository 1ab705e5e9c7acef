/** The job `translation-bias/winomt`: does a translator give people the gender that the sentence says? */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../../../io/atomic.ts'
import type { Report, Table } from '../../../report/figures.ts'
import { pathSetting } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { wilsonInterval } from '../../../util/significance.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { TranslationCache } from '../engines/cache.ts'
import { engineOf, engineSettings } from '../engines/settings.ts'
import { ruledLanguages } from '../winomt/gender.ts'
import { type FoundEntity, readGenders } from '../winomt/pipeline.ts'
import { deltaG, deltaS, genderConfusion, subsetPredictions, winoScores } from '../winomt/scores.ts'
import { genders, parseSentences, type WinoSentence } from '../winomt/sentences.ts'

const config = z.strictObject({
  ...engineSettings,
  language: z
    .enum(ruledLanguages)
    .default('de')
    .describe(`into which language: ${ruledLanguages.join(', ')}`),
  sentences: pathSetting("WinoMT's en.txt"),
  stereotypical: pathSetting("WinoMT's en_pro.txt, for delta S"),
  opposite: pathSetting("WinoMT's en_anti.txt, for delta S"),
})

type WinoConfig = z.infer<typeof config>

async function sentencesIn(path: string): Promise<WinoSentence[]> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`${path}: no such file`)
  })
  return parseSentences(text, path)
}

async function subsetScores(path: string, all: readonly WinoSentence[], found: readonly FoundEntity[]) {
  const subset = await sentencesIn(path)
  const predicted = subsetPredictions(
    subset,
    all,
    found.map(({ gender }) => gender),
  )
  return winoScores(
    genderConfusion(
      subset.map(({ gold }) => gold),
      predicted,
    ),
  )
}

const mostExamples = 30

function mistakes(
  sentences: readonly WinoSentence[],
  translations: readonly string[],
  found: readonly FoundEntity[],
): Table {
  const wrong = [...sentences.keys()].filter((i) => sentences[i]?.gold !== found[i]?.gender)
  return {
    kind: 'table',
    title: 'Wrong ones',
    caption: `The first ${Math.min(mostExamples, wrong.length)} of ${wrong.length}.`,
    columns: ['sentence', 'person', 'is', 'translation', 'words found', 'became'],
    rows: wrong.slice(0, mostExamples).map((i) => {
      const [sentence, entity] = [sentences[i], found[i]]
      return [
        sentence?.text ?? '',
        sentence?.entity ?? '',
        sentence?.gold ?? '',
        translations[i] ?? '',
        entity?.phrase ?? '',
        entity?.gender ?? '',
      ]
    }),
  }
}

async function run(settings: WinoConfig, { folder, progress, signal }: JobContext): Promise<Report> {
  const { language, sentences: path, stereotypical, opposite } = settings
  if (path === '')
    throw new UsageError('WinoMT needs its sentences, found none', {
      hint: '--set sentences=en.txt, of the mt_gender repository',
    })
  const engine = await engineOf(settings)
  const sentences = await sentencesIn(path)
  await makeFolder(folder)
  const cache = await TranslationCache.open(join(folder, 'translations.jsonl'))
  const answers = await cache.translate(
    engine,
    { source: 'en', target: language },
    sentences.map(({ text }) => text),
    {
      ...(signal && { signal }),
      progress: (done, of) => progress(`${done} of ${of} sentences translated`, { done, of }),
    },
  )
  const translations = answers.map(({ translation }) => translation)
  const found = readGenders(sentences, translations, language)
  const confusion = genderConfusion(
    sentences.map(({ gold }) => gold),
    found.map(({ gender }) => gender),
  )
  const scores = winoScores(confusion)
  const right = confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  const [low, high] = wilsonInterval(right, sentences.length)
  const stereotype =
    stereotypical === '' || opposite === ''
      ? undefined
      : deltaS(await subsetScores(stereotypical, sentences, found), await subsetScores(opposite, sentences, found))
  const told = stereotype === undefined ? '' : `, delta S ${stereotype.toFixed(1)}`
  progress(`accuracy ${scores.accuracy.toFixed(1)} %, delta G ${deltaG(scores).toFixed(1)}${told}`, { ...scores })
  return {
    title: 'WinoMT: does the translator hear who is meant?',
    subtitle: `${scores.accuracy.toFixed(1)} % of ${sentences.length} people have the gender that their sentence says.`,
    summary: [
      {
        label: 'accuracy',
        value: `${scores.accuracy.toFixed(1)} %`,
        note: `95 % interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`,
      },
      { label: 'delta G', value: deltaG(scores).toFixed(1), note: 'F1 of men - F1 of women' },
      ...(stereotype === undefined
        ? []
        : [{ label: 'delta S', value: stereotype.toFixed(1), note: 'accuracy with - against stereotypes' }]),
    ],
    sections: [
      {
        title: 'Genders',
        figures: [
          {
            kind: 'table',
            title: 'What became of whom',
            columns: ['is', ...genders],
            rows: confusion.map((row, i) => [genders[i] ?? '', ...row]),
          },
          mistakes(sentences, translations, found),
          {
            kind: 'definitions',
            title: 'Where the answers come from',
            items: [
              { name: 'engine', value: engine.identity },
              { name: 'first answer', value: answers.map(({ date }) => date).sort()[0] ?? '' },
              { name: 'language', value: language },
            ],
          },
        ],
      },
    ],
    footer: 'Written by tenfold run translation-bias/winomt. Rules and scores: Stanovsky, Smith and Zettlemoyer 2019.',
  }
}

export const winomt = defineJob({
  name: 'winomt',
  summary: "accuracy, delta G and delta S of a translator on WinoMT's sentences, by any command, service or file",
  config,
  run,
})
