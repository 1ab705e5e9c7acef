/** Members of a study: one model trained on some data; each is kept when it is finished. */
import { z } from 'zod'
import { DataLoader, type Dataset, type PictureFields } from '../../../data/index.ts'
import { classifierEvaluator, classifierScalars } from '../../../tasks/pictures/classifier.ts'
import { classifierOptimizerSettings } from '../../../tasks/pictures/settings.ts'
import { trainingTask } from '../../../tasks/training.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { TenfoldError } from '../../../util/errors.ts'
import type { JobContext } from '../../define.ts'
import { type BaselineConfig, costOf, type FamilyName, families, matchingWidth } from './models.ts'

/** How every member of a study is trained: AdamW, warm-up over a tenth of the steps, half a cosine. */
export interface MemberTraining {
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
  readonly weight_decay: number
}

/** One training of a study. */
export interface Member {
  /** Unique in the study; the name of its file. */
  readonly name: string
  readonly family: FamilyName
  /** Sizes of the Mixer; other families get the width at which they cost the same. */
  readonly sizes: BaselineConfig
  /** Names the data: what they are, how they were arranged. */
  readonly data: string
  readonly examples: number
  readonly training: MemberTraining
}

const resultSchema = z.strictObject({
  /** On held-out pictures. */
  accuracy: z.number(),
  loss: z.number(),
  /** On (at most 2000 of) the pictures that were trained on. */
  trainAccuracy: z.number(),
  width: z.number(),
  parameters: z.number(),
  /** For one picture, forward. */
  multiplyAdds: z.number(),
  steps: z.number(),
  seconds: z.number(),
})

export type MemberResult = z.infer<typeof resultSchema>

export interface FinishedMember extends Member {
  readonly result: MemberResult
}

/** Multiply-adds of the whole training: forward once, backward about twice as much. */
export function trainingCost({ training, examples, result }: FinishedMember): number {
  return 3 * result.multiplyAdds * Math.min(training.batch_size, examples) * result.steps
}

export interface MemberData {
  readonly train: Dataset<PictureFields>
  readonly test: Dataset<PictureFields>
}

/** Trains the members that are not finished yet, one after the other. */
export async function runMembers(
  members: readonly Member[],
  open: (member: Member) => Promise<MemberData>,
  context: JobContext,
): Promise<FinishedMember[]> {
  const finished: FinishedMember[] = []
  for (const [i, member] of members.entries()) {
    context.signal?.throwIfAborted()
    // Another seed or setting is another training.
    const identity = { ...member, seed: context.seed }
    const { part: result, wasThere } = await context.keep(`members/${member.name}`, identity, resultSchema, async () =>
      trainMember(member, await open(member), context),
    )
    finished.push({ ...member, result })
    const percent = (100 * result.accuracy).toFixed(2)
    const time = wasThere ? 'kept' : `${result.seconds.toFixed(1)} s`
    context.progress(`${i + 1}/${members.length}  ${member.name.padEnd(38)} ${percent.padStart(6)} %  ${time}`, {
      member: member.name,
      kept: wasThere,
      ...result,
    })
  }
  return finished
}

async function trainMember(member: Member, data: MemberData, { seed, threads }: JobContext): Promise<MemberResult> {
  const { family, sizes, training } = member
  const model = buildMember(member, seed)
  const options = threads === undefined ? {} : { threads }
  const evaluate = classifierEvaluator(model, options)
  const batchSize = Math.min(training.batch_size, data.train.length)
  const loader = new DataLoader(data.train, { batchSize, shuffle: true, seed, dropLast: true })
  const { lr, weight_decay } = training
  const warmup_steps = Math.round(training.steps / 10)
  const task = trainingTask({
    model,
    loader,
    optimizer: classifierOptimizerSettings({ lr, weight_decay, warmup_steps }).parse({}),
    // Not whole: so that the schedule ends with the last step.
    epochs: training.steps / loader.stepsPerEpoch,
    scalars: (batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 }),
    evaluate: async () => (await evaluate(data.test)).metrics,
    ...options,
  })
  const started = performance.now()
  let step = 0
  while (step < training.steps) {
    for await (const batch of task.loader) {
      const { loss } = await task.step(batch)
      if (!Number.isFinite(loss?.item())) {
        throw new TenfoldError(`${member.name}: the loss became NaN or infinite at step ${step + 1}`, {
          hint: 'a smaller --set train.lr',
        })
      }
      step++
      if (step >= training.steps) break
    }
  }
  const seconds = (performance.now() - started) / 1000
  const { accuracy = 0, loss = 0 } = (await evaluate(data.test)).metrics
  const { accuracy: trainAccuracy = 0 } = (await evaluate(firstExamples(data.train, 2000))).metrics
  await task.step.release()
  const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0)
  const width = widthOf(family, sizes)
  return { accuracy, loss, trainAccuracy, width, parameters, multiplyAdds: costOf(model, sizes), steps: step, seconds }
}

function firstExamples<Name extends string>(dataset: Dataset<Name>, count: number): Dataset<Name> {
  return { ...dataset, length: Math.min(count, dataset.length) }
}

function widthOf(family: FamilyName, sizes: BaselineConfig): number {
  if (family === 'mixer') return sizes.width
  return matchingWidth(family, sizes, costOf(families.mixer.build(sizes), sizes))
}

/** A member's model with fresh weights that follow from the seed. */
export function buildMember({ family, sizes }: Pick<Member, 'family' | 'sizes'>, seed: number) {
  const width = widthOf(family, sizes)
  manualSeed(seed)
  return families[family].build({ ...sizes, width })
}
