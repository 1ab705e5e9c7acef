/** Members of a study: one model trained on some data; each is kept when it is finished. */
import { z } from 'zod'
import type { Dataset, PictureFields } from '../../../data/index.ts'
import { type BriefTraining, briefResult, trainBriefly } from '../../../tasks/brief-training.ts'
import { classifierEvaluator, classifierScalars } from '../../../tasks/pictures/classifier.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { JobContext } from '../../define.ts'
import { eachOf } from '../../parts.ts'
import { type BaselineConfig, costOf, type FamilyName, families, matchingWidth } from './models.ts'

/** How every member of a study is trained. */
export type MemberTraining = BriefTraining

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

const resultSchema = briefResult.extend({
  width: z.number(),
  /** For one picture, forward. */
  multiplyAdds: z.number(),
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
  return eachOf(context, members, async (member, i) => {
    context.signal?.throwIfAborted()
    // Another seed or setting is another training.
    const identity = { ...member, seed: context.seed }
    const { part: result, wasThere } = await context.keep(`members/${member.name}`, identity, resultSchema, async () =>
      trainMember(member, await open(member), context),
    )
    const percent = (100 * result.accuracy).toFixed(2)
    const time = wasThere ? 'kept' : `${result.seconds.toFixed(1)} s`
    context.progress(`${i + 1}/${members.length}  ${member.name.padEnd(38)} ${percent.padStart(6)} %  ${time}`, {
      member: member.name,
      kept: wasThere,
      ...result,
    })
    return { ...member, result }
  })
}

async function trainMember(member: Member, data: MemberData, { seed, threads }: JobContext): Promise<MemberResult> {
  const { name, family, sizes, training } = member
  const model = buildMember(member, seed)
  const result = await trainBriefly({
    name,
    model,
    ...data,
    training,
    seed,
    scalars: (model, batch) => classifierScalars(model, batch, { label_smoothing: 0, mixup: 0 }),
    evaluator: classifierEvaluator,
    ...(threads !== undefined && { threads }),
  })
  return { ...result, width: widthOf(family, sizes), multiplyAdds: costOf(model, sizes) }
}

function widthOf(family: FamilyName, sizes: BaselineConfig): number {
  if (family === 'mixer') return sizes.width
  return matchingWidth(family, sizes, costOf(families.mixer.build(sizes), sizes))
}

/** A member's model with fresh weights that follow from the seed. */
function buildMember({ family, sizes }: Pick<Member, 'family' | 'sizes'>, seed: number) {
  const width = widthOf(family, sizes)
  manualSeed(seed)
  return families[family].build({ ...sizes, width })
}
