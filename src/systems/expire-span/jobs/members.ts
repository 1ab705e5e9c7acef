/** One training of a study: any recipe of this system with other settings, for a number of steps, and what came of it. */
import { z } from 'zod'
import type { OpenedData } from '../../../tasks/define.ts'
import { type Assignment, configFrom, type Settings } from '../../../train/settings.ts'
import { TenfoldError, UsageError } from '../../../util/errors.ts'
import { meanOrZero } from '../../../util/vectors.ts'
import type { Recipe } from '../../define.ts'
import { characters } from '../recipes.ts'
import type { StreamFields } from '../stream.ts'
import { errorByDistance, shareBeyond } from '../tasks/distances.ts'
import { guessingError } from '../tasks/questions.ts'
import { collisions, copy, corridors, cue, instruction, portal } from '../tasks/recipes.ts'
import type { QuestionText } from '../tasks/text.ts'
import type { MemoryExperiment } from '../training.ts'

type OpenedStream = OpenedData<unknown, StreamFields> & { readonly asked?: readonly QuestionText[] }
type MemberExperiment = MemoryExperiment<OpenedStream>
type AnyRecipe = Recipe<Settings, unknown, MemberExperiment>

/** Erases the exact types of a recipe: what it builds is only given what it opens. */
function anyRecipe(recipe: object): AnyRecipe {
  return recipe as AnyRecipe
}

const recipes = {
  characters: anyRecipe(characters),
  corridors: anyRecipe(corridors),
  portal: anyRecipe(portal),
  instruction: anyRecipe(instruction),
  copy: anyRecipe(copy),
  collisions: anyRecipe(collisions),
  cue: anyRecipe(cue),
} as const

/** The recipes that a study may train. */
export const memberRecipes = Object.keys(recipes) as (keyof typeof recipes)[]
export type MemberRecipe = keyof typeof recipes

/** Values of settings by their paths, `model.attn_lim`. */
export type Changes = Readonly<Record<string, unknown>>

/** What is trained. */
export interface MemberTask {
  readonly recipe: MemberRecipe
  /** Settings that are not the recipe's. */
  readonly changes: Changes
  readonly steps: number
  readonly seed: number
  readonly threads?: number
  /** Other texts that the trained model reads, by name: settings that are other than those of the training. */
  readonly trials?: Readonly<Record<string, Changes>>
}

const scoreResult = z.strictObject({
  /** Bits per character, or the share of wrong answers. */
  quality: z.number(),
  /** Kept by a layer, on average. */
  memories: z.number(),
  /** Of these not expired. */
  alive: z.number().optional(),
  /** Kept by each layer. */
  layers: z.array(z.number()),
  /** Of questions: the error of one answer for all. */
  guessing: z.number().optional(),
  bands: z.array(z.strictObject({ from: z.number(), questions: z.number(), error: z.number() })).optional(),
  /** Of questions: the share whose answer lies more than the maximum span back. */
  beyond: z.number().optional(),
})

/** How a trained model did on one text. */
export type ScoreResult = z.infer<typeof scoreResult>

export const memberResult = z.strictObject({
  score: scoreResult,
  trials: z.record(z.string(), scoreResult),
  /** Of the last tenth of the training steps. */
  trainLoss: z.number(),
  /** Kept by a layer, on average, along the training: about twenty values. */
  memoriesInTraining: z.array(z.strictObject({ step: z.number(), memories: z.number() })),
  /** Median time of a step in the second half of the training. */
  milliseconds: z.number(),
  /** Most resident memory of the process; only where it has trained nothing else. */
  peakMebibytes: z.number().optional(),
  parameters: z.number(),
  /** Programs that were compiled for the training step. */
  programs: z.number(),
})

export type MemberResult = z.infer<typeof memberResult>

/** Trains and tries. Throws a TenfoldError if the loss does not stay finite. */
export async function trainMember(task: MemberTask, signal?: AbortSignal): Promise<MemberResult> {
  const recipe = recipes[task.recipe]
  const config = settingsOf(recipe, task.changes)
  const data = await recipe.open(config, {})
  const options = { seed: task.seed, ...(task.threads !== undefined && { threads: task.threads }) }
  const experiment = recipe.build(config, data.facts, options)
  const steps = await trainSteps(experiment, data, task, signal)
  const span = experiment.model.config.attn_lim
  const trials: Record<string, ScoreResult> = {}
  for (const [name, changes] of Object.entries(task.trials ?? {})) {
    signal?.throwIfAborted()
    const other = await recipe.open(settingsOf(recipe, { ...task.changes, ...changes }), {})
    trials[name] = await scoreOn(experiment, other, span)
  }
  return { ...steps, score: await scoreOn(experiment, data, span), trials }
}

function settingsOf(recipe: AnyRecipe, changes: Changes): Settings {
  const assignments = Object.entries(changes).map(([path, value]): Assignment => ({ path, value }))
  return configFrom(recipe.config, assignments)
}

/** Runs the training steps; what they show. */
async function trainSteps(
  experiment: MemberExperiment,
  data: OpenedStream,
  { recipe, steps }: MemberTask,
  signal: AbortSignal | undefined,
): Promise<Omit<MemberResult, 'score' | 'trials'>> {
  const { task } = experiment.prepare(data)
  const shown: { loss: number; memories: number; milliseconds: number }[] = []
  while (shown.length < steps) {
    for await (const batch of task.loader) {
      signal?.throwIfAborted()
      const start = performance.now()
      const { loss, memories } = await task.step(batch)
      const found = { loss: loss.item(), memories: memories?.item() ?? 0, milliseconds: performance.now() - start }
      if (!Number.isFinite(found.loss))
        throw new TenfoldError(`${recipe}: the loss became NaN or infinite at step ${shown.length + 1}`, {
          hint: 'a smaller learning rate',
        })
      shown.push(found)
      if (shown.length >= steps) break
    }
  }
  const programs = task.step.traces.length
  await task.step.release()
  const times = shown.slice(Math.floor(steps / 2)).map(({ milliseconds }) => milliseconds)
  const every = Math.max(1, Math.floor(steps / 20))
  return {
    trainLoss: meanOrZero(shown.slice(-Math.ceil(steps / 10)).map(({ loss }) => loss)),
    memoriesInTraining: shown.flatMap(({ memories }, i) => ((i + 1) % every === 0 ? [{ step: i + 1, memories }] : [])),
    milliseconds: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN,
    parameters: experiment.model.parameters().reduce((sum, { size }) => sum + size, 0),
    programs,
  }
}

async function scoreOn(experiment: MemberExperiment, data: OpenedStream, span: number): Promise<ScoreResult> {
  const { metrics, lengths, wrong } = await experiment.score(data.test)
  const quality = metrics.error ?? metrics.bits_per_character
  if (quality === undefined) throw new UsageError('a study needs a recipe with an error or bits per character')
  const layers = lengths[0]?.map((_, layer) => meanOrZero(lengths.map((of) => of[layer] ?? 0))) ?? []
  const { asked } = data
  return {
    quality,
    memories: metrics.memories ?? Number.NaN,
    ...(metrics.alive !== undefined && { alive: metrics.alive }),
    layers,
    ...(asked && {
      guessing: guessingError(asked),
      bands: errorByDistance(asked, wrong),
      beyond: shareBeyond(asked, span),
    }),
  }
}
