/** What the job `translation-bias/neural` measures of each translator, and the translators. */
import { z } from 'zod'
import { percent } from '../../../util/words.ts'
import type { JobContext } from '../../define.ts'
import { eachOf } from '../../parts.ts'
import { occupations, type ParallelSentence, questions } from '../neural/corpus.ts'
import {
  calibratedTemperature,
  calibrationError,
  type NeuralShares,
  type NeuralSummary,
  shownShare,
  summarizeShares,
} from '../neural/measure.ts'
import { translatorOptions, translatorSettings } from '../neural/settings.ts'
import { feedback, sharesOf, showBest, showSeveral, studyData, trainOn } from '../neural/study.ts'
import type { NeuralTranslator, TranslatorOptions } from '../neural/translator.ts'

/** Translators that differ from the first in one thing. */
export const kinds = {
  whole: 'trained to the end',
  early: 'stopped after a twentieth of the steps',
  smooth: 'label smoothing 0.3',
  'feedback-best': 'trained on the likeliest translations of the first',
  'feedback-drawn': 'trained on drawn translations of the first',
} as const
export type Kind = keyof typeof kinds

const names = Object.keys(kinds) as Kind[]

/** The settings of the job. */
export const neuralConfig = z.strictObject({
  ...translatorSettings,
  translators: z
    .array(z.enum(names))
    .min(1)
    .default(names)
    .describe(`which ones, of ${names.join(', ')}`),
})
export type NeuralConfig = z.infer<typeof neuralConfig>

const share = z.object({
  occupation: z.string(),
  count: z.number(),
  data: z.number(),
  learnt: z.number(),
  shown: z.number().optional(),
})

const resultSchema = z.object({
  shares: z.array(share),
  /** Shares of "he" of 40 drawn translations of each question, and of the best of four beams. */
  drawn: z.array(z.number().nullable()),
  beam: z.array(z.number().nullable()),
  error: z.number(),
  temperature: z.number(),
  tempered: z.number(),
})
/** What was measured of one translator. */
export type Result = z.infer<typeof resultSchema>

/** The translators of one seed that were asked for. */
export type SeedResults = { readonly [kind in Kind]?: Result }

/** Drawn translations of each question. */
export const draws = 40

async function measure(
  translator: NeuralTranslator,
  truth: readonly ParallelSentence[],
  seed: number,
): Promise<Result> {
  const asked = questions(occupations)
  const best = await showBest(translator)(asked)
  const shares = await sharesOf(translator, truth, best)
  const many = await translator.translate(asked, { doSample: true, numReturnSequences: draws, seed })
  const beams = await showSeveral(translator, 1)(asked)
  const temperature = calibratedTemperature(shares)
  return {
    shares: shares.map(({ shown, ...rest }) => ({ ...rest, ...(shown !== undefined && { shown }) })),
    drawn: many.map((texts) => shownShare(texts) ?? null),
    beam: beams.map((texts) => shownShare(texts) ?? null),
    error: calibrationError(shares),
    temperature,
    tempered: calibrationError(shares, temperature),
  }
}

/** How the translator of a kind is trained, where it is not as the others. */
function trainingOf(kind: Kind, options: TranslatorOptions): TranslatorOptions {
  if (kind === 'early') return { ...options, steps: Math.max(1, Math.round(options.steps / 20)) }
  return kind === 'smooth' ? { ...options, labelSmoothing: 0.3 } : options
}

/** All translators of one seed; each is kept, and the first one is trained again only if another needs it. */
export async function measureSeed(settings: NeuralConfig, seed: number, context: JobContext): Promise<SeedResults> {
  const data = studyData(seed)
  const options = translatorOptions(settings, seed, context.threads)
  let first: Promise<NeuralTranslator> | undefined
  const found: { [kind in Kind]?: Result } = {}
  const { translators: _translators, seeds: _seeds, ...own } = settings
  await eachOf(context, settings.translators, async (kind) => {
    context.signal?.throwIfAborted()
    const { part, wasThere } = await context.keep(`${kind}-${seed}`, { kind, options, own }, resultSchema, async () => {
      const trainFirst = (): Promise<NeuralTranslator> => {
        first ??= trainOn(data, data.train, options)
        return first
      }
      if (kind === 'whole') return measure(await trainFirst(), data.train, seed)
      const how = kind === 'feedback-best' ? 'best' : kind === 'feedback-drawn' ? 'drawn' : undefined
      const corpus = how ? await feedback(await trainFirst(), data.train, how, seed) : data.train
      return measure(await trainOn(data, corpus, trainingOf(kind, options)), data.train, seed)
    })
    found[kind] = part
    const { amplification } = summarizeShares(part.shares as NeuralShares[], ({ learnt }) => learnt)
    context.progress(
      `seed ${seed}, ${kinds[kind]}: amplified ${percent(amplification)} by learning, calibration error ${percent(part.error)}${wasThere ? ' (kept)' : ''}`,
      { seed, kind, amplification, error: part.error },
    )
  })
  return found
}

/** The same measures of what is learnt, drawn, and shown. */
export function summaries({
  shares,
  drawn,
  beam,
}: Result): Record<'learnt' | 'drawn' | 'shown' | 'beam', NeuralSummary> {
  const all = shares as NeuralShares[]
  const at = (values: readonly (number | null)[]) => (each: NeuralShares) => values[all.indexOf(each)] ?? undefined
  return {
    learnt: summarizeShares(all, ({ learnt }) => learnt),
    drawn: summarizeShares(all, at(drawn)),
    shown: summarizeShares(all, ({ shown }) => shown),
    beam: summarizeShares(all, at(beam)),
  }
}
