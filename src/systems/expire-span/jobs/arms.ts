/** Studies of memory: arms that are trained with several seeds, each at the learning rate that does best on a validation text. */
import { z } from 'zod'
import type { Table } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { count, parseAssignment, whole } from '../../../train/settings.ts'
import { percent } from '../../../util/words.ts'
import type { JobContext } from '../../define.ts'
import { allOf, eachOf, seedsFrom } from '../../parts.ts'
import { spreadOf } from '../../study.ts'
import {
  type Changes,
  type MemberRecipe,
  type MemberResult,
  type MemberTask,
  memberResult,
  trainMember,
} from './members.ts'

/** How arms are trained. What is left out of `defaults` is as here. */
export function armSettings(defaults: {
  readonly steps: number
  readonly seeds?: number
  readonly tuning_steps?: number
  readonly learning_rates?: readonly number[]
}) {
  return z.strictObject({
    seeds: whole.default(defaults.seeds ?? 3).describe('trainings of each arm, which differ in all random numbers'),
    steps: whole.default(defaults.steps).describe('steps of a training'),
    learning_rates: z
      .array(z.number().positive())
      .min(1)
      .default([...(defaults.learning_rates ?? [1e-3, 3e-3])])
      .describe('tried for each arm on a validation text; the best one is used'),
    tuning_steps: count.default(defaults.tuning_steps ?? defaults.steps).describe('steps of such a trial'),
    also: z
      .array(z.string())
      .default([])
      .describe(
        'settings of the recipe that all arms have, like ["model.hid_sz=32"], where an arm does not say otherwise',
      ),
  })
}
export type ArmSettings = z.infer<ReturnType<typeof armSettings>>

/** Something that is compared with others. */
export interface MemoryArm {
  /** Unique in the study; the name of its files. */
  readonly name: string
  /** As the page calls it. */
  readonly title: string
  readonly recipe: MemberRecipe
  readonly changes: Changes
  /** Other texts that its trained models read. */
  readonly trials?: Readonly<Record<string, Changes>>
}

/** An arm with its results. */
export interface FinishedMemoryArm {
  readonly arm: MemoryArm
  readonly lr: number
  /** On the validation text; none where there was only one rate. */
  readonly tried: readonly { readonly lr: number; readonly quality: number }[]
  /** By seed. */
  readonly results: readonly MemberResult[]
}

/** How a member is trained: here, or in a process of its own. */
export type TrainMember = (task: MemberTask) => Promise<MemberResult>

/** Tunes and trains the arms, one after the other. Every training is kept. */
export async function runArms(
  arms: readonly MemoryArm[],
  settings: ArmSettings,
  context: JobContext,
  train: TrainMember = (task) => trainMember(task, context.signal),
): Promise<FinishedMemoryArm[]> {
  const { seeds, steps, learning_rates, tuning_steps } = settings
  const common = Object.fromEntries(settings.also.map(parseAssignment).map(({ path, value }) => [path, value]))
  const isTuned = learning_rates.length > 1
  const total = arms.length * (seeds + (isTuned ? learning_rates.length : 0))
  let done = 0
  const member = async (name: string, task: MemberTask): Promise<MemberResult> => {
    context.signal?.throwIfAborted()
    const { part, wasThere } = await context.keep(name, task, memberResult, () => train(task))
    const { score } = part
    const told = `${qualityText(score.quality, task.recipe)}  ${Math.round(score.memories)} memories${wasThere ? '  kept' : ''}`
    context.progress(`${++done}/${total}  ${name.padEnd(36)} ${told}`, { part: name, kept: wasThere, ...score })
    return part
  }
  return eachOf(context, arms, async (arm): Promise<FinishedMemoryArm> => {
    const { recipe, trials } = arm
    const changes = { ...common, ...arm.changes }
    const threads = threadOptions(context)
    const tried = await allOf(context, isTuned ? learning_rates : [], async (lr) => {
      const trial = { ...changes, 'optimizer.lr': lr, 'data.held_out': 'validation' }
      const task = { recipe, changes: trial, steps: tuning_steps, seed: context.seed, ...threads }
      return { lr, quality: (await member(`tuning/${arm.name}-${lr}`, task)).score.quality }
    })
    const lr = tried.toSorted((a, b) => a.quality - b.quality)[0]?.lr ?? learning_rates[0] ?? Number.NaN
    const results = await eachOf(context, seedsFrom(context.seed, seeds), (seed) => {
      const task = { recipe, changes: { ...changes, 'optimizer.lr': lr }, steps, seed, ...threads }
      return member(`members/${arm.name}-seed${seed}`, trials ? { ...task, trials } : task)
    })
    return { arm, lr, tried, results }
  })
}

/** `12.3 %` wrong, or `2.31 bits`. */
function qualityText(quality: number, recipe: MemberRecipe): string {
  return recipe === 'characters' ? `${quality.toFixed(3)} bits` : percent(quality)
}

/** What the quality of a recipe is called. */
export function qualityName(recipe: MemberRecipe): string {
  return recipe === 'characters' ? 'bits per character' : 'error'
}

/** Mean ± standard deviation over the seeds; `digits` after the point. */
export function spread(values: readonly number[], digits = 0): string {
  const { mean, deviation } = spreadOf(values)
  return `${mean.toFixed(digits)}${values.length > 1 ? ` ± ${deviation.toFixed(digits)}` : ''}`
}

/** The qualities of an arm with their spread. */
export function qualities({ arm, results }: FinishedMemoryArm): string {
  const values = results.map(({ score }) => score.quality)
  if (arm.recipe === 'characters') return spread(values, 3)
  return `${spread(
    values.map((value) => 100 * value),
    1,
  )} %`
}

/** Every arm with its numbers. */
export function armsTable(arms: readonly FinishedMemoryArm[]): Table {
  const recipe = arms[0]?.arm.recipe ?? 'characters'
  const numbers = (of: FinishedMemoryArm, value: (result: MemberResult) => number | undefined): string => {
    const found = of.results.flatMap((result) => value(result) ?? [])
    return found.length > 0 ? spread(found) : ''
  }
  return {
    kind: 'table',
    title: 'Every arm',
    caption:
      'Means over the seeds ± their standard deviation. Memories: kept by a layer on average while the test text is read, a whole number of blocks; alive: of these not expired. Milliseconds: the median step of the second half of a training.',
    columns: ['arm', 'learning rate', qualityName(recipe), 'memories', 'alive', 'ms a step', 'MiB', 'programs'],
    rows: arms.map((of) => [
      of.arm.title,
      String(of.lr),
      qualities(of),
      numbers(of, ({ score }) => score.memories),
      numbers(of, ({ score }) => score.alive),
      numbers(of, ({ milliseconds }) => milliseconds),
      numbers(of, ({ peakMebibytes }) => peakMebibytes),
      numbers(of, ({ programs }) => programs),
    ]),
  }
}

/** How the arms were trained, for the foot of the page. */
export function describeArms({ seeds, steps, learning_rates, tuning_steps }: ArmSettings): string {
  const tuned =
    learning_rates.length > 1
      ? `learning rates of ${learning_rates.join(', ')} chosen for each arm on a validation text after ${tuning_steps} steps`
      : `learning rate ${learning_rates[0]} for all, not tuned`
  return `Adam, ${steps} steps; ${tuned}; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`
}
