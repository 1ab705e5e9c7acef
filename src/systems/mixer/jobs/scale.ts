/** The paper's question about scale: which gains more from data and size, a Mixer or networks built for pictures? */
import { z } from 'zod'
import { randomPart } from '../../../tasks/brief-training.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { type PictureTask, type TaskName, taskPackages, tasks } from './data.ts'
import { type FinishedMember, type Member, type MemberTraining, runMembers } from './members.ts'
import { type BaselineConfig, type FamilyName, families, familyNames } from './models.ts'
import { scaleReport } from './scale-report.ts'
import { memberTraining } from './settings.ts'

const taskGrid = (fractions: readonly number[], patchSizes: readonly number[]) =>
  z
    .strictObject({
      fractions: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .default([...fractions])
        .describe('shares of the training pictures; all models at the base size'),
      patch_sizes: z
        .array(whole)
        .min(1)
        .default([...patchSizes])
        .describe('sides of a patch in pixels; the first is the base'),
    })
    .prefault({})

const config = z.strictObject({
  tasks: z
    .array(z.enum(['mnist', 'emoji']))
    .min(1)
    .default(['mnist', 'emoji'])
    .describe('what is learned: digits, or groups of emoji'),
  models: z
    .array(z.enum(familyNames as [FamilyName, ...FamilyName[]]))
    .min(1)
    .default([...familyNames])
    .describe(`of ${familyNames.join(', ')}`),
  widths: z
    .array(whole.multipleOf(8))
    .min(1)
    .default([64, 32, 96])
    .describe('of the Mixer, the first is the base; all models at equal cost'),
  depths: z.array(whole).min(1).default([4, 2]).describe('blocks, the first is the base; Mixer and ViT'),
  mnist: taskGrid([0.005, 0.05, 0.5], [7, 4]),
  emoji: taskGrid([0.1, 0.3, 1], [8, 4]),
  train: memberTraining.prefault({}),
})

type ScaleConfig = z.infer<typeof config>

/** What varies: one axis at a time around the base. */
export type Axis = 'data' | 'width' | 'depth' | 'patch'

export interface ScaleMember extends Member {
  readonly task: TaskName
  readonly axes: readonly Axis[]
}

interface Sizes {
  readonly width: number
  readonly depth: number
  readonly patch_size: number
  readonly fraction: number
}

/** All members for one task: data and width for every model, depth for those made of tokens, patches for Mixer. */
function membersOf(name: TaskName, task: PictureTask, settings: ScaleConfig): ScaleMember[] {
  const { widths, depths, models, train } = settings
  const { fractions, patch_sizes } = settings[name]
  const base: Sizes = {
    width: widths[0] ?? 64,
    depth: depths[0] ?? 4,
    patch_size: patch_sizes[0] ?? 7,
    fraction: Math.max(...fractions),
  }
  const wanted: { family: FamilyName; axis: Axis; sizes: Sizes }[] = models.flatMap((family) => [
    ...fractions.map((fraction) => ({ family, axis: 'data' as const, sizes: { ...base, fraction } })),
    ...widths.map((width) => ({ family, axis: 'width' as const, sizes: { ...base, width } })),
    ...(family === 'mixer' || family === 'vit'
      ? depths.map((depth) => ({ family, axis: 'depth' as const, sizes: { ...base, depth } }))
      : []),
    ...(family === 'mixer'
      ? patch_sizes.map((patch_size) => ({ family, axis: 'patch' as const, sizes: { ...base, patch_size } }))
      : []),
  ])
  const members = new Map<string, ScaleMember>()
  for (const { family, axis, sizes } of wanted) {
    const member = makeMember(name, task, family, sizes, train)
    const axes = [...(members.get(member.name)?.axes ?? []), axis]
    members.set(member.name, { ...member, task: name, axes })
  }
  return [...members.values()]
}

function makeMember(
  name: TaskName,
  task: PictureTask,
  family: FamilyName,
  { width, depth, patch_size, fraction }: Sizes,
  training: MemberTraining,
): Member {
  const { image_size, in_channels, num_classes } = task
  if (image_size[0] % patch_size !== 0) {
    throw new UsageError(
      `setting "${name}.patch_sizes": pictures of ${image_size[0]} pixels have no patches of ${patch_size}`,
      {
        hint: 'a patch size must divide the side of the picture',
      },
    )
  }
  const sizes: BaselineConfig = { image_size, in_channels, num_classes, patch_size, width, depth }
  const examples = Math.max(1, Math.round(fraction * task.train.length))
  return {
    name: `${name}-${family}-w${width}-d${depth}-p${patch_size}-n${examples}`,
    family,
    sizes,
    data: name,
    examples,
    training,
  }
}

export interface FinishedScaleMember extends FinishedMember {
  readonly task: TaskName
  readonly axes: readonly Axis[]
}

async function run(settings: ScaleConfig, context: JobContext) {
  const opened = new Map<TaskName, PictureTask>()
  for (const name of settings.tasks) opened.set(name, await tasks[name]())
  const members = [...opened].flatMap(([name, task]) => membersOf(name, task, settings))
  const finished = await runMembers(
    members.map(({ task: _task, axes: _axes, ...member }) => member),
    async (member) => {
      const task = opened.get(member.data as TaskName)
      if (!task) throw new UsageError(`no data named "${member.data}"`)
      return { train: randomPart(task.train, member.examples, context.seed), test: task.test }
    },
    context,
  )
  const results = finished.map((member, i): FinishedScaleMember => {
    const { task = 'mnist', axes = [] } = members[i] ?? {}
    return { ...member, task, axes }
  })
  return scaleReport(results, new Map([...opened].map(([name, { title }]) => [name, title])))
}

export const scale = defineJob({
  name: 'scale',
  summary: `accuracy against data, size and cost: ${familyNames.map((name) => families[name].title).join(', ')} on MNIST and emoji`,
  config,
  packages: ({ tasks: names }) => names.flatMap((name) => taskPackages[name]),
  run,
})
