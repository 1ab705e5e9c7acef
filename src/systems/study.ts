/** Studies: arms that are trained beside each other, each at its own learning rate, with several seeds; every training is kept. */
import { z } from 'zod'
import type { Figure, Table } from '../report/figures.ts'
import { type BriefResult, type BriefTraining, briefResult } from '../tasks/brief-training.ts'
import { whole } from '../train/settings.ts'
import { meanOf } from '../util/vectors.ts'
import type { JobContext } from './define.ts'
import { allOf, eachOf, seedsFrom } from './parts.ts'

/** Settings of every study. What is left out of `defaults` is as here. */
export function studySettings(defaults: {
  readonly steps: number
  readonly tuning_steps: number
  readonly seeds?: number
  readonly learning_rates?: readonly number[]
}) {
  return z.strictObject({
    seeds: whole.default(defaults.seeds ?? 3).describe('trainings of each arm, which differ in all random numbers'),
    learning_rates: z
      .array(z.number().positive())
      .min(1)
      .default([...(defaults.learning_rates ?? [3e-3, 1e-2, 3e-2])])
      .describe('tried for each arm on a validation split; the best one is used'),
    tuning_steps: whole.default(defaults.tuning_steps).describe('steps of such a trial'),
    steps: whole.default(defaults.steps).describe('steps of a training'),
    batch_size: whole.default(64).describe('examples in a step'),
    weight_decay: z.number().min(0).default(0.05).describe('of matrices and kernels, by AdamW'),
  })
}
export type StudySettings = z.infer<ReturnType<typeof studySettings>>

const armResult = briefResult.extend({
  /** Whatever else is measured of the trained model, by name. */
  more: z.record(z.string(), z.number()).optional(),
})
export type ArmResult = z.infer<typeof armResult>

/** One training of an arm. */
export interface ArmTraining extends BriefTraining {
  readonly seed: number
  /** Learning rates are chosen on examples of the training set that are held out for it; results are of the test set. */
  readonly triedOn: 'validation' | 'test'
}

/** Something that is compared with others. */
export interface Arm {
  /** Unique in the study; the name of its files. */
  readonly name: string
  /** As the page calls it. */
  readonly title: string
  /** All that its results depend on, besides the training: model and data. */
  readonly settings: unknown
  /** Builds what would be trained, and throws a UsageError where the settings fit no model: before hours of other arms. */
  readonly check?: () => void
  readonly train: (
    training: ArmTraining,
    name: string,
  ) => Promise<BriefResult & { readonly more?: Readonly<Record<string, number>> }>
}

export interface FinishedArm {
  readonly name: string
  readonly title: string
  readonly lr: number
  /** On the validation split; none where there was only one rate. */
  readonly tried: readonly { readonly lr: number; readonly accuracy: number; readonly loss: number }[]
  /** By seed. */
  readonly results: readonly ArmResult[]
}

/** Tunes and trains the arms, one after the other, once all of them are known to be possible. */
export async function runStudy(
  arms: readonly Arm[],
  settings: StudySettings,
  context: JobContext,
): Promise<FinishedArm[]> {
  const { seeds, learning_rates, tuning_steps, steps, batch_size, weight_decay } = settings
  for (const arm of arms) arm.check?.()
  const total = arms.length * (seeds + (learning_rates.length > 1 ? learning_rates.length : 0))
  let done = 0
  const training = async (arm: Arm, name: string, options: ArmTraining): Promise<ArmResult> => {
    context.signal?.throwIfAborted()
    const { part, wasThere } = await context.keep(
      name,
      { arm: arm.name, settings: arm.settings, ...options },
      armResult,
      () => arm.train(options, name),
    )
    const told = wasThere ? 'kept' : `${part.seconds.toFixed(1)} s`
    const percent = (100 * part.accuracy).toFixed(2).padStart(6)
    context.progress(`${++done}/${total}  ${name.padEnd(44)} ${percent} %  ${told}`, {
      part: name,
      kept: wasThere,
      ...part,
    })
    return part
  }
  return eachOf(context, arms, async (arm) => {
    const common = { batch_size, weight_decay }
    const rates = learning_rates.length > 1 ? learning_rates : []
    const tried = await allOf(context, rates, async (lr) => {
      const options = { ...common, lr, steps: tuning_steps, seed: context.seed, triedOn: 'validation' as const }
      const { accuracy, loss } = await training(arm, `tuning/${arm.name}-${lr}`, options)
      return { lr, accuracy, loss }
    })
    const best = tried.toSorted((a, b) => b.accuracy - a.accuracy || a.loss - b.loss)[0]
    const lr = best?.lr ?? learning_rates[0] ?? Number.NaN
    const results = await eachOf(context, seedsFrom(context.seed, seeds), (seed) =>
      training(arm, `members/${arm.name}-seed${seed}`, { ...common, lr, steps, seed, triedOn: 'test' as const }),
    )
    return { name: arm.name, title: arm.title, lr, tried, results }
  })
}

/** Mean, and standard deviation between seeds (0 for one). */
export function spreadOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 }
}

/** `97.3 ± 0.2 %` of fractions; of one seed `97.3 %`. */
export function percentOf(values: readonly number[]): string {
  const { mean, deviation } = spreadOf(values)
  return `${(100 * mean).toFixed(1)}${values.length > 1 ? ` ± ${(100 * deviation).toFixed(1)}` : ''} %`
}

/** Accuracies of an arm on the test set, by seed. */
export function accuraciesOf(arm: FinishedArm): number[] {
  return arm.results.map(({ accuracy }) => accuracy)
}

/**
 * How a second arm differs from a first one: `4.1 points lower`; `no difference beyond the spread` where the means are no farther apart than
 * twice the deviation of their difference.
 */
export function differenceOf(first: readonly number[], second: readonly number[]): string {
  const [a, b] = [spreadOf(first), spreadOf(second)]
  const difference = b.mean - a.mean
  const error = 2 * Math.sqrt(a.deviation ** 2 / first.length + b.deviation ** 2 / second.length)
  const points = `${Math.abs(100 * difference).toFixed(1)} points ${difference < 0 ? 'lower' : 'higher'}`
  if (first.length < 2 || second.length < 2) return `${points} (one seed: may be chance)`
  return Math.abs(difference) <= error ? `no difference beyond the spread (${points})` : points
}

/** Test accuracy of each arm as bars. */
export function armBars(arms: readonly FinishedArm[], title = 'Test accuracy'): Figure {
  return {
    kind: 'bars',
    title,
    value: { label: 'test accuracy', percent: true },
    bars: arms.map((arm) => ({ label: arm.title, value: spreadOf(accuraciesOf(arm)).mean })),
  }
}

/** Every arm with its numbers; `more`: further columns in front of the accuracies. */
export function armTable(
  arms: readonly FinishedArm[],
  more: { readonly columns: readonly string[]; readonly cells: (arm: FinishedArm) => readonly (string | number)[] } = {
    columns: [],
    cells: () => [],
  },
): Table {
  return {
    kind: 'table',
    title: 'Every arm',
    caption: 'Means over the seeds ± their standard deviation; seconds of one training.',
    columns: ['arm', 'learning rate', ...more.columns, 'parameters', 'seconds', 'train', 'test'],
    rows: arms.map((arm) => [
      arm.title,
      String(arm.lr),
      ...more.cells(arm),
      arm.results[0]?.parameters ?? 0,
      Number(spreadOf(arm.results.map(({ seconds }) => seconds)).mean.toFixed(1)),
      percentOf(arm.results.map(({ trainAccuracy }) => trainAccuracy)),
      percentOf(accuraciesOf(arm)),
    ]),
  }
}

/** What the learning rates came to on the validation split. */
export function tuningTable(arms: readonly FinishedArm[]): Table {
  const rates = [...new Set(arms.flatMap(({ tried }) => tried.map(({ lr }) => lr)))]
  return {
    kind: 'table',
    title: 'Learning rates',
    caption: 'Accuracy on the validation split after the steps of a trial, one seed; the best one was used.',
    columns: ['arm', ...rates.map(String), 'used'],
    rows: arms.map(({ title, tried, lr }) => [
      title,
      ...rates.map((rate) => percentOf(tried.filter((each) => each.lr === rate).map(({ accuracy }) => accuracy))),
      String(lr),
    ]),
  }
}

/** How the arms were trained, for the foot of the page. */
export function describeStudy(settings: StudySettings, examples: string): string {
  const { seeds, learning_rates, tuning_steps, steps, batch_size } = settings
  const tuned =
    learning_rates.length > 1
      ? `learning rates of ${learning_rates.join(', ')} chosen for each arm on the validation split after ${tuning_steps} steps`
      : `learning rate ${learning_rates[0]} for all, not tuned`
  return `${examples}; AdamW, ${steps} steps of ${batch_size}, half a cosine; ${tuned}; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`
}
