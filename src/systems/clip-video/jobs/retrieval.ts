/** Does a mini CLIP find names for drawings that it has never seen, and do prompts help? (Sections 3.1.3 and 3.1.4 of the paper.) */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { optimizerSettings } from '../../../tasks/settings.ts'
import { whole } from '../../../train/settings.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { percentOf, spreadOf } from '../../study.ts'
import { pairExperiment } from '../clip/contrastive.ts'
import { drawingSettings, openPairs } from '../pairs/open.ts'
import { clipSettings, clipTraining } from '../settings.ts'

const towers = ['vit', 'resnet'] as const

const config = z.strictObject({
  towers: z
    .array(z.enum(towers))
    .min(1)
    .default(['resnet'])
    .describe(`what reads pictures, of ${towers.join(', ')}`),
  seeds: whole.default(3).describe('trainings of each, which differ in all random numbers'),
  steps: whole.default(800).describe('steps of a training'),
  batch_size: whole.default(128).describe('pairs in a step'),
  data: drawingSettings().prefault({}),
  model: clipSettings().prefault({}),
  optimizer: optimizerSettings({ ...clipTraining.optimizer.parse(undefined) }).prefault({}),
})
type RetrievalSettings = z.infer<typeof config>

const member = z.object({
  top1: z.number(),
  top5: z.number(),
  ensemble_top1: z.number(),
  ensemble_top5: z.number(),
  seconds: z.number(),
})
type Member = z.infer<typeof member>

async function run(settings: RetrievalSettings, context: JobContext): Promise<Report> {
  const { seed, threads } = context
  const { steps, batch_size, optimizer, data: drawings } = settings
  const data = await openPairs(drawings, settings.model.context_length)
  const train = { ...clipTraining.train.parse(undefined), batch_size, epochs: 1 }
  const results = await eachOf(context, settings.towers, async (tower) => {
    const found = await eachOf(context, seedsFrom(seed, settings.seeds), async (memberSeed) => {
      context.signal?.throwIfAborted()
      const model = { ...settings.model, tower }
      const identity = { model, drawings, steps, batch_size, optimizer, seed: memberSeed }
      const { part, wasThere } = await context.keep(
        `members/${tower}-seed${memberSeed}`,
        identity,
        member,
        async () => {
          const passes = Math.ceil(steps / Math.max(1, Math.floor(data.train.length / batch_size)))
          const options = { seed: memberSeed, ...(threads !== undefined && { threads }) }
          const experiment = pairExperiment({ model, optimizer, train: { ...train, passes } }, data.facts, options)
          const { task } = experiment.prepare(data)
          const start = performance.now()
          let done = 0
          for await (const batch of task.loader) {
            context.signal?.throwIfAborted()
            await task.step(batch)
            done++
            if (done >= steps) break
          }
          await task.step.release()
          return {
            ...member.omit({ seconds: true }).parse(await experiment.evaluate(data)),
            seconds: (performance.now() - start) / 1000,
          }
        },
      )
      const told = `top-1 ${percent(part.top1)}, top-5 ${percent(part.top5)}`
      context.progress(`${tower}, seed ${memberSeed}: ${told}${wasThere ? '  kept' : ''}`, {
        tower,
        kept: wasThere,
        ...part,
      })
      return part
    })
    return [tower, found] as const
  })
  return retrievalReport(new Map(results), settings, data.facts.names.length, data.test.length)
}

/** The page. */
function retrievalReport(
  results: ReadonlyMap<string, readonly Member[]>,
  { steps, batch_size, seeds }: RetrievalSettings,
  names: number,
  drawings: number,
): Report {
  const chance = (k: number): string => `${((100 * k) / names).toFixed(2)} %`
  const of = (members: readonly Member[], key: keyof Member): number[] => members.map((each) => each[key])
  const paragraphs = [...results].map(([tower, members]) => {
    const [bare, ensemble] = [spreadOf(of(members, 'top1')), spreadOf(of(members, 'ensemble_top1'))]
    const error = (2 * Math.hypot(bare.deviation, ensemble.deviation)) / Math.sqrt(members.length)
    const difference = 100 * (ensemble.mean - bare.mean)
    const verdict =
      members.length < 2
        ? 'one seed, which may be chance'
        : Math.abs(ensemble.mean - bare.mean) <= error
          ? 'no difference beyond the spread'
          : 'more than the spread'
    return `${tower}: the right one of ${names.toLocaleString('en')} names is first for ${percentOf(of(members, 'top1'))} of the drawings (chance ${chance(1)}), among five for ${percentOf(of(members, 'top5'))} (chance ${chance(5)}). A prompt ensemble changes top-1 by ${difference.toFixed(1)} points: ${verdict}.`
  })
  return {
    title: 'clip-video / retrieval',
    subtitle: `${drawings} held-out drawings; another artist's drawings of the same things were trained on`,
    summary: [...results].map(([tower, members]) => ({
      label: tower,
      value: percentOf(of(members, 'top5')),
      note: `top-5 of ${names}; top-1 ${percentOf(of(members, 'top1'))}`,
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs },
          {
            kind: 'table',
            title: 'Share of drawings whose name is found',
            columns: ['tower', 'texts', 'top-1', 'top-5'],
            rows: [
              ...[...results].flatMap(([tower, members]) => [
                [tower, 'bare name', percentOf(of(members, 'top1')), percentOf(of(members, 'top5'))],
                [
                  tower,
                  'prompt ensemble',
                  percentOf(of(members, 'ensemble_top1')),
                  percentOf(of(members, 'ensemble_top5')),
                ],
              ]),
              ['chance', '', chance(1), chance(5)],
            ],
          },
        ],
      },
    ],
    footer: `${steps} steps of ${batch_size}, ${seeds} seeds; nothing was tuned on these drawings. A mini CLIP, not a released model. Written by tenfold.`,
  }
}

export const retrieval = defineJob({
  name: 'retrieval',
  summary: 'zero-shot names for held-out drawings: top-1, top-5, bare names and prompt ensembles, three seeds',
  config,
  packages: () => ['sharp'],
  run,
})
