/** What the studies of frozen transformers share: variants of a body, each on every task at its own learning rate, with several seeds. */
import { z } from 'zod'
import { type BriefScore, DivergedError, trainBriefly } from '../../../tasks/brief-training.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { FrozenParameters } from '../../../train/frozen.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import type { JobContext } from '../../define.ts'
import { type Arm, type ArmTraining, type FinishedArm, runStudy, studySettings } from '../../study.ts'
import { type Control, controlled } from '../controls.ts'
import { bodyRate } from '../freezing.ts'
import { frozenOptimizerSettings, type ModelSettings, modelConfig, modelSettings, settingsOfBody } from '../settings.ts'
import { type BodyName, bodySettings, StudyBodies, type StudyBody } from './bodies.ts'
import { openStudyTask, type StudyTask, type StudyTaskName, studyTaskNames, studyTaskSettings } from './tasks.ts'

/** Settings of every study of this system. What is left out is as here. */
export function frozenStudySettings(defaults: {
  readonly tasks: readonly StudyTaskName[]
  readonly steps?: number
  readonly tuning_steps?: number
  readonly learning_rates?: readonly number[]
}) {
  const { steps = 600, tuning_steps = 200, learning_rates = [1e-3, 3e-3, 1e-2, 3e-2] } = defaults
  return z.strictObject({
    tasks: z
      .array(z.enum(studyTaskNames))
      .min(1)
      .default([...defaults.tasks])
      .describe(`of ${studyTaskNames.join(', ')}`),
    variants: z
      .array(z.string())
      .default([])
      .describe('names of the variants to compare, as its files have them; empty: all'),
    bodies: bodySettings.prefault({}),
    model: modelSettings.prefault({ dropout: 0, body_dropout: 0 }).describe('sizes of bodies that are not given'),
    data: studyTaskSettings.prefault({}),
    study: studySettings({ steps, tuning_steps, learning_rates })
      .extend({
        batch_size: whole.default(32).describe('examples in a step'),
        weight_decay: z.literal(0).default(0).describe('none, as in the official code'),
        evaluate_every: whole.default(50).describe('steps between evaluations on the validation split'),
      })
      .prefault({}),
  })
}

export type FrozenStudySettings = z.infer<ReturnType<typeof frozenStudySettings>>

/** One way to make and to train a model. */
export interface Variant {
  readonly name: string
  readonly title: string
  /** The weights of its body. Default: random ones. */
  readonly body?: BodyName
  /** What becomes of these weights. Default: they are kept. */
  readonly control?: Control
  /** Of these weights the first so many layers only. Default: all. */
  readonly layers?: number
  /** Switches and sizes that differ from the study's. */
  readonly model?: Partial<ModelSettings>
  /** The rate of what is not of the body's attention and feed-forward layers; the rates that are tried are then those of these layers. */
  readonly outerRate?: number
}

/** A variant on a task, with its results. */
export interface Outcome {
  readonly task: StudyTask
  readonly variant: Variant
  readonly arm: FinishedArm
}

/** Weights and sizes of a body of fewer layers: its first ones. */
function firstLayers({ config, weights, origin }: StudyBody, layers: number | undefined): StudyBody {
  if (layers === undefined) return { config, weights, origin }
  if (config.kind !== 'gpt2' || layers > config.n_layer)
    throw new UsageError(
      `the first ${layers} layers can only be taken of a GPT-2 that has as many, found ${config.kind === 'gpt2' ? config.n_layer : `a ${config.kind}`}: ${origin}`,
      { hint: '--set layers=[1,2] chooses others' },
    )
  const isKept = (name: string): boolean => Number(/^h\.(\d+)\./.exec(name)?.[1] ?? 0) < layers
  return {
    config: { ...config, n_layer: layers },
    weights: new Map([...weights].filter(([name]) => isKept(name))),
    origin: `${origin}; its first ${layers} layers`,
  }
}

/** The settings of a variant's model, and the weights that its body begins with. */
async function preparedModel(
  variant: Variant,
  settings: FrozenStudySettings,
  bodies: StudyBodies,
): Promise<{
  readonly model: ModelSettings
  readonly weights?: ReadonlyMap<string, NDArray>
  readonly origin?: string
}> {
  const model = { ...settings.model, ...variant.model }
  if (!variant.body) return { model }
  const body = firstLayers(await bodies.open(variant.body), variant.layers)
  return { model: settingsOfBody(model, body.config), weights: body.weights, origin: body.origin }
}

/** The name under which a step's accuracy is kept. */
const curveKey = (step: number): string => `at ${step}`

/** Accuracies on the validation split by step, first to last. */
export function curveOf(
  more: Readonly<Record<string, number>> | undefined,
): { readonly x: number; readonly y: number }[] {
  return Object.entries(more ?? {})
    .flatMap(([key, y]) => (key.startsWith('at ') ? [{ x: Number(key.slice(3)), y }] : []))
    .sort((a, b) => a.x - b.x)
}

interface Prepared {
  readonly model: ModelSettings
  readonly weights?: ReadonlyMap<string, NDArray>
}

/** One training: official Adam at a constant rate, gradients clipped to norm 1. A training that diverges counts as one that knows nothing. */
async function trainVariant(
  task: StudyTask,
  variant: Variant,
  { model: chosen, weights }: Prepared,
  { seed, triedOn, lr, ...training }: ArmTraining,
  { name, every, threads }: { readonly name: string; readonly every: number; readonly threads: number | undefined },
) {
  manualSeed(seed)
  const model = task.make(modelConfig(chosen, task.sizes))
  if (weights) {
    const own = controlled(weights, variant.control ?? 'kept', seed)
    model.loadStateDict(new Map([...own].map(([key, array]) => [`sequence_model.${key}`, array])), { strict: false })
  }
  const outer = variant.outerRate ?? lr
  const optimizer = { ...frozenOptimizerSettings(outer).parse({}), body_lr: lr }
  const frozen = new FrozenParameters(model.variables())
  const more: Record<string, number> = {}
  const watched = (step: number, { accuracy }: BriefScore): void => {
    more[curveKey(step)] = accuracy
    if (accuracy >= task.threshold) more.steps ??= step
  }
  return task.use(async (parts) => {
    try {
      const result = await trainBriefly({
        name,
        model,
        train: parts.train,
        test: parts[triedOn],
        training: { ...training, lr: outer },
        seed,
        scalars: parts.scalars,
        evaluator: parts.evaluator,
        optimizer,
        lrScale: bodyRate(optimizer),
        ...(triedOn === 'test' && { watch: { every, data: parts.validation, told: watched } }),
        ...(threads !== undefined && { threads }),
      })
      frozen.check()
      return { ...result, more }
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error
      const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0)
      const nothing = { accuracy: 0, trainAccuracy: 0, loss: Number.MAX_VALUE, seconds: 0, parameters }
      return { ...nothing, steps: training.steps, more: { ...more, diverged: 1 } }
    }
  })
}

/** The variants that are asked for. Throws a UsageError for a name that no variant has. */
export function chosenVariants(variants: readonly Variant[], names: readonly string[]): readonly Variant[] {
  const known = variants.map(({ name }) => name)
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined)
    throw new UsageError(`variants: there is no "${wrong}"`, { hint: `there are ${known.join(', ')}` })
  return names.length === 0 ? variants : variants.filter(({ name }) => names.includes(name))
}

/** Tunes and trains every variant on every task. Variants whose body does not exist are left out. */
export async function runFrozenStudy(
  variants: readonly Variant[],
  settings: FrozenStudySettings,
  context: JobContext,
  bodies: StudyBodies = new StudyBodies(settings.bodies, settings.model, context),
): Promise<Outcome[]> {
  const { evaluate_every: every, ...study } = settings.study
  await bodies.openGiven()
  const tasks: StudyTask[] = []
  for (const name of settings.tasks) tasks.push(await openStudyTask(name, settings.data, context.seed))
  // Before bodies are trained, for which the other variants would wait.
  for (const { sizes } of tasks)
    for (const { body, model } of variants) if (!body) modelConfig({ ...settings.model, ...model }, sizes)
  const entries: { task: StudyTask; variant: Variant; arm: Arm }[] = []
  for (const task of tasks) {
    for (const variant of variants) {
      if (variant.body && !bodies.has(variant.body)) continue
      const prepared = await preparedModel(variant, settings, bodies)
      const { control, outerRate, layers } = variant
      const arm: Arm = {
        name: `${task.name}-${variant.name}`,
        title: `${task.title}: ${variant.title}`,
        settings: {
          model: prepared.model,
          origin: prepared.origin ?? 'random',
          data: task.identity,
          threshold: task.threshold,
          control,
          outerRate,
          layers,
          every,
        },
        check: () => modelConfig(prepared.model, task.sizes),
        train: (training, part) =>
          trainVariant(task, variant, prepared, training, { name: part, every, threads: context.threads }),
      }
      entries.push({ task, variant, arm })
    }
  }
  const arms = await runStudy(
    entries.map(({ arm }) => arm),
    study,
    context,
  )
  return entries.flatMap(({ task, variant }, i) => {
    const arm = arms[i]
    return arm ? [{ task, variant, arm }] : []
  })
}

/** The tasks of the studies of single parts: one that is generated, one of pictures. */
export const usualTasks: readonly StudyTaskName[] = ['bit-xor', 'mnist']

/** Every variant around a body that has read text, and around a random one. */
export function aroundBoth(
  variants: readonly (readonly [name: string, title: string, model: Partial<ModelSettings>])[],
): Variant[] {
  return variants.flatMap(([name, title, model]): Variant[] => [
    { name: `language-${name}`, title: `language: ${title}`, body: 'language', model },
    { name: `random-${name}`, title: `random: ${title}`, model },
  ])
}
