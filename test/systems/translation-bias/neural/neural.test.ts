import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { runJob } from '../../../../src/systems/jobs.ts'
import { translationBias } from '../../../../src/systems/translation-bias/index.ts'
import { mitigation } from '../../../../src/systems/translation-bias/jobs/mitigation.ts'
import { neural } from '../../../../src/systems/translation-bias/jobs/neural.ts'
import {
  balanced,
  contextQuestions,
  counterfactual,
  makeCorpus,
  occupations,
  questions,
} from '../../../../src/systems/translation-bias/neural/corpus.ts'
import {
  calibratedTemperature,
  calibrationError,
  type NeuralShares,
  qualityOf,
  shownShare,
  summarizeShares,
  tempered,
} from '../../../../src/systems/translation-bias/neural/measure.ts'
import { corpusShares } from '../../../../src/systems/translation-bias/neural/study.ts'

describe('the corpus', () => {
  const corpus = makeCorpus(occupations, { seed: 1, context: 0.1 })

  test('has exactly the shares that it is to have, and context sentences beside them', () => {
    for (const [i, { count, he }] of corpusShares(corpus).entries()) {
      expect(count).toBe(occupations[i]?.count)
      expect(he).toBeCloseTo(Math.round((occupations[i]?.he ?? 0) * count) / count, 12)
    }
    const known = corpus.filter((each) => each.known)
    expect(known.every(({ source, target }) => source.includes(' . ') && target.includes(' . '))).toBe(true)
    expect(known.length).toBe(occupations.reduce((sum, { count }) => sum + Math.round(count * 0.1), 0))
    expect(makeCorpus(occupations, { seed: 1, context: 0.1 })).toEqual(corpus)
  })

  test('balanced and counterfactual data have half of each, with the same occupations', () => {
    for (const other of [balanced(corpus), counterfactual(corpus)])
      for (const { he } of corpusShares(other)) expect(he).toBeCloseTo(0.5, 12)
    const [first] = counterfactual([
      { source: 'ő egy bíró', target: 'he is a judge', occupation: 0, pronoun: 'he', known: false },
    ]).slice(1)
    expect(first?.target).toBe('she is a judge')
  })

  test('questions say nothing of gender, their contexts do', () => {
    expect(questions(occupations)[1]).toBe('ő egy ápoló')
    expect(contextQuestions(occupations).find(({ pronoun }) => pronoun === 'she')?.source).toBe(
      'anyám itt van . ő egy orvos',
    )
  })
})

describe('measures', () => {
  const shares = (learnt: readonly number[]): NeuralShares[] =>
    [0.2, 0.6, 0.9].map((data, i) => ({
      occupation: String(i),
      count: 10,
      data,
      learnt: learnt[i] ?? 0,
      shown: data > 0.5 ? 1 : 0,
    }))

  test('what is shown of both genders is half of each', () => {
    expect(['he is', 'she is', 'they are', 'he is / she is'].map((text) => shownShare([text]))).toEqual([
      1,
      0,
      undefined,
      0.5,
    ])
    expect(shownShare(['she is a cook', 'he is a cook'])).toBe(0.5)
  })

  test('the likeliest amplifies, what is learnt exactly does not', () => {
    const exact = shares([0.2, 0.6, 0.9])
    expect(summarizeShares(exact, ({ learnt }) => learnt)).toMatchObject({ amplification: 0, distance: 0, gendered: 1 })
    const shown = summarizeShares(exact, (each) => each.shown)
    expect(shown.amplification).toBeCloseTo((0.2 + 0.4 + 0.1) / 3, 12)
    expect(shown.maleShift).toBeCloseTo((-0.2 + 0.4 + 0.1) / 3, 12)
  })

  test('the calibrated temperature takes sharpening back', () => {
    const sharp = shares([0.2, 0.6, 0.9].map((share) => tempered(share, 0.5)))
    expect(calibratedTemperature(sharp)).toBeCloseTo(2, 3)
    expect(calibrationError(sharp)).toBeGreaterThan(0.05)
    expect(calibrationError(sharp, 2)).toBeCloseTo(0, 12)
  })

  test('quality: BLEU, chrF, and what is right but for the pronoun', () => {
    const references = ['she is a good cook', 'he was the judge of it']
    expect(qualityOf([['she is a good cook'], ['he was the judge of it']], references)).toEqual({
      bleu: 100,
      chrf: 100,
      withoutPronoun: 1,
    })
    const other = qualityOf([['they are a good cook'], ['he was the tailor of it']], references)
    expect(other.withoutPronoun).toBe(0.5)
    expect(other.bleu).toBeLessThan(70)
  })
})

const tiny = { width: 16, layers: 1, heads: 2, dropout: 0, steps: 3, batch_size: 8, seeds: 1 }
const read = async (json: string) =>
  z
    .object({
      report: z.object({ sections: z.array(z.object({ figures: z.array(z.looseObject({ title: z.string() })) })) }),
    })
    .parse(JSON.parse(await readFile(json, 'utf8'))).report

test('the job of the causes: each translator once, kept for the next time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-neural-'))
  const lines: string[] = []
  const options = { folder, seed: 0, threads: 1, progress: (line: string) => lines.push(line) }
  const { json } = await runJob(
    translationBias,
    neural,
    neural.config.parse({ ...tiny, translators: ['whole', 'early'] }),
    options,
  )
  const titles = (await read(json)).sections.flatMap(({ figures }) => figures.map(({ title }) => title))
  expect(titles).toContain('Calibration')
  expect(lines).toHaveLength(2)
  await runJob(translationBias, neural, neural.config.parse({ ...tiny, translators: ['whole', 'early'] }), options)
  expect(lines.slice(2).every((line) => line.endsWith('(kept)'))).toBe(true)
})

test('the job of the counter-measures: rewriting shows both, "they" neither', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-mitigation-'))
  const config = mitigation.config.parse({ ...tiny, measures: ['none', 'rewriting', 'they'] })
  const { json } = await runJob(translationBias, mitigation, config, {
    folder,
    seed: 0,
    threads: 1,
    progress: () => {},
  })
  const figures = (await read(json)).sections.flatMap((section) => section.figures)
  expect(figures.find(({ title }) => title === 'Every measure on one scale')?.rows).toHaveLength(3)
})
