/** The job `translation-bias/rewriting`: how often English sentences are rewritten rightly, on text that the rules know and text that they do not. */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { dataFolder } from '../../../data/catalog/cache.ts'
import { readText } from '../../../data/sources/text.ts'
import type { Figure, Report } from '../../../report/figures.ts'
import { pathSetting } from '../../../train/settings.ts'
import { wilsonInterval } from '../../../util/significance.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { rewritePronouns } from '../mitigation/rewriting.ts'
import { countAgreement, countRewriting, genderOfSentence, parseTagged } from '../mitigation/tagged-truth.ts'
import { parseSentences } from '../winomt/sentences.ts'

const config = z.strictObject({
  sentences: pathSetting("WinoMT's en.txt; empty: only the Brown corpus"),
})

/** "3555 of 3646: 97.5 % (96.9 to 98.0)". */
function shareText(right: number, all: number): string {
  const [low, high] = wilsonInterval(right, all)
  return `${right} of ${all}: ${((100 * right) / all).toFixed(1)} % (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`
}

const example = 25

interface BrownResult {
  sentences: number
  sentencesRight: number
  pronouns: number
  right: number
  readonly byForm: Map<string, [number, number]>
  toChange: number
  changed: number
  toKeep: number
  kept: number
  readonly wrong: [string, string][]
}

async function onBrown(): Promise<BrownResult> {
  const folder = dataFolder('brown')
  const result: BrownResult = {
    sentences: 0,
    sentencesRight: 0,
    pronouns: 0,
    right: 0,
    byForm: new Map(),
    toChange: 0,
    changed: 0,
    toKeep: 0,
    kept: 0,
    wrong: [],
  }
  const files = (await readdir(folder)).filter((name) => /^c[a-r]\d\d$/.test(name)).sort()
  for (const file of files) {
    for (const line of (await readFile(join(folder, file), 'utf8')).split('\n')) addLine(result, line)
  }
  return result
}

function addLine(result: BrownResult, line: string): void {
  const words = parseTagged(line)
  const gender = genderOfSentence(words)
  if (!gender) return
  const target = gender === 'he' ? 'she' : 'he'
  const { pronouns, right, sentenceRight, byForm } = countRewriting(words, target)
  result.sentences++
  result.pronouns += pronouns
  result.right += right
  if (sentenceRight) result.sentencesRight++
  else if (result.wrong.length < example) {
    const text = words.map(({ word }) => word).join(' ')
    result.wrong.push([text, rewritePronouns(text, target)])
  }
  for (const [form, [count, own]] of Object.entries(byForm)) {
    const counts = result.byForm.get(form) ?? [0, 0]
    result.byForm.set(form, [counts[0] + count, counts[1] + own])
  }
  const { toChange, changed, toKeep, kept } = countAgreement(words)
  result.toChange += toChange
  result.changed += changed
  result.toKeep += toKeep
  result.kept += kept
}

/** Sentences of WinoMT that become exactly another one of the set. */
async function onWinomt(path: string): Promise<{ all: number; right: number }> {
  const text = await readText(path)
  const sentences = parseSentences(text, path).filter(({ gold }) => gold === 'male' || gold === 'female')
  const known = new Set(sentences.map((each) => each.text))
  const gendered = sentences.filter((each) => /\b(?:he|him|his|she|her|hers)\b/i.test(each.text))
  const right = gendered.filter((each) => known.has(rewritePronouns(each.text, each.gold === 'male' ? 'she' : 'he')))
  return { all: gendered.length, right: right.length }
}

async function run({ sentences }: z.infer<typeof config>, { progress }: JobContext): Promise<Report> {
  const brown = await onBrown()
  const told = shareText(brown.sentencesRight, brown.sentences)
  progress(`Brown: ${told} sentences`, { right: brown.sentencesRight, sentences: brown.sentences })
  const wino = sentences === '' ? undefined : await onWinomt(sentences)
  if (wino) progress(`WinoMT: ${shareText(wino.right, wino.all)} sentences`, wino)
  const figures: Figure[] = [
    {
      kind: 'table',
      title: 'Rewritten rightly',
      caption: 'With 95 % intervals (Wilson).',
      columns: ['what', 'right'],
      rows: [
        ['Brown: sentences into the other gender, every word right', told],
        ['Brown: pronouns', shareText(brown.right, brown.pronouns)],
        ...[...brown.byForm]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([form, [count, right]]) => [`Brown: ${form}`, shareText(right, count)]),
        ['Brown, "they": verbs in the third person that change', shareText(brown.changed, brown.toChange)],
        ['Brown, "they": other verbs that stay', shareText(brown.kept, brown.toKeep)],
        ...(wino
          ? [
              [
                'WinoMT: sentences that become another one of the set (the rules were made on it)',
                shareText(wino.right, wino.all),
              ],
            ]
          : []),
      ],
    },
    {
      kind: 'table',
      title: 'Wrong ones of Brown',
      caption: `The first ${brown.wrong.length} of ${brown.sentences - brown.sentencesRight}.`,
      columns: ['sentence', 'rewritten'],
      rows: brown.wrong,
    },
  ]
  return {
    title: 'Rewriting English pronouns',
    subtitle: `Of sentences that the rules were not made on, ${told} have every word right in the other gender.`,
    summary: [
      {
        label: 'sentences, Brown',
        value: `${((100 * brown.sentencesRight) / brown.sentences).toFixed(1)} %`,
        note: 'never looked at',
      },
      { label: 'pronouns, Brown', value: `${((100 * brown.right) / brown.pronouns).toFixed(1)} %` },
      ...(wino
        ? [
            {
              label: 'sentences, WinoMT',
              value: `${((100 * wino.right) / wino.all).toFixed(1)} %`,
              note: 'the rules were made on these',
            },
          ]
        : []),
    ],
    sections: [
      {
        title: 'How often it is right',
        intro:
          'Words and exceptions of the rules were chosen by looking at the mistakes on WinoMT: its figure says how far they got, not how well they work. The Brown corpus has a part of speech at each word, which tells "her" before a noun from "her" after a verb, and nothing was changed after it was measured.',
        figures,
      },
    ],
    footer: 'Written by tenfold run translation-bias/rewriting.',
  }
}

export const rewriting = defineJob({
  name: 'rewriting',
  summary:
    'how often English sentences are rewritten rightly into the other gender and into "they" (needs `tenfold data brown`)',
  config,
  run,
})
