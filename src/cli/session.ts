/** What the commands do with a run: find its recipe, build its experiment, train it, tell about it. */
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { Opening } from '../data/opening.ts'
import { runtimeVersion } from '../runtime/binding.ts'
import type { Experiment, OpenedData, Recipe, Study, System } from '../systems/define.ts'
import { systems } from '../systems/index.ts'
import { type CheckpointChoice, chosenCheckpoint } from '../train/checkpoint.ts'
import { findPlaces } from '../train/places.ts'
import { RunDirectory } from '../train/run.ts'
import { checkConfig, type Settings } from '../train/settings.ts'
import { restoreVariables } from '../train/store.ts'
import { UsageError } from '../util/errors.ts'
import { suggestion } from '../util/names.ts'
import type { Reporter } from './ui.ts'

/** `mixer/mnist` -> its system and recipe. */
export function findRecipe(name: string): { system: System; recipe: Recipe } {
  const known = systems.flatMap((system) => system.recipes.map((recipe) => `${system.name}/${recipe.name}`))
  const [systemName, recipeName] = name.split('/')
  const system = systems.find((candidate) => candidate.name === systemName)
  const recipe = system?.recipes.find((candidate) => candidate.name === recipeName)
  if (!system || !recipe) {
    const isStudy = system?.studies?.some((candidate) => candidate.name === recipeName)
    const hint = isStudy ? `it is a study: tenfold study ${name}` : suggestion(name, known)
    throw new UsageError(`unknown recipe "${name}"`, { hint })
  }
  return { system, recipe }
}

/** `mixer/scale` -> its system and study. */
export function findStudy(name: string): { system: System; study: Study } {
  const known = systems.flatMap(({ name, studies = [] }) => studies.map((study) => `${name}/${study.name}`))
  const [systemName, studyName] = name.split('/')
  const system = systems.find((candidate) => candidate.name === systemName)
  const study = system?.studies?.find((candidate) => candidate.name === studyName)
  if (!system || !study) throw new UsageError(`unknown study "${name}"`, { hint: suggestion(name, known) })
  return { system, study }
}

/** The recipe or study of a name: what has settings. */
export function findConfigured(name: string): Recipe | Study {
  const isStudy = systems.some((system) => system.studies?.some((study) => `${system.name}/${study.name}` === name))
  return isStudy ? findStudy(name).study : findRecipe(name).recipe
}

/** A run with its model, at its newest checkpoint. */
export interface OpenedRun {
  readonly run: RunDirectory
  readonly recipe: Recipe
  readonly config: Settings
  readonly experiment: Experiment
}

/** A run with the weights of one of its checkpoints. */
export interface TrainedRun extends OpenedRun {
  /** The step of the checkpoint. */
  readonly step: number
}

/** Which weights a command uses, and who hears of checkpoints that are damaged. */
export interface OpenOptions {
  /** Default: last. */
  readonly checkpoint?: CheckpointChoice
  readonly onWarning?: (message: string) => void
}

/** Opens a run for use: the model with the weights of a checkpoint. */
export async function openRun(path: string, options: OpenOptions = {}): Promise<TrainedRun> {
  const { checkpoint: choice = 'last', onWarning = () => {} } = options
  const opened = await openUntrained(await RunDirectory.open(path))
  const damaged: string[] = []
  const checkpoint = await chosenCheckpoint(path, opened.run.checkpoints, choice, (_path, reason) =>
    damaged.push(reason),
  )
  for (const reason of damaged) onWarning(`${reason}; the checkpoint of step ${checkpoint.state.step} is used`)
  const weights = new Map([...opened.experiment.weights].map(([name, variable]) => [`model.${name}`, variable]))
  restoreVariables(checkpoint, weights)
  return { ...opened, step: checkpoint.state.step }
}

/** A run and its model without trained weights, to go on training it. */
export async function openUntrained(run: RunDirectory): Promise<OpenedRun> {
  const { system, recipe: recipeName, config: saved, facts, seed, threads, versions } = run.description
  const file = join(run.path, 'run.json')
  try {
    const { recipe } = findRecipe(`${system}/${recipeName}`)
    const config = checkConfig(recipe.config, saved, file)
    const experiment = recipe.build(config, facts, { seed, ...(threads !== null && { threads }) })
    return { run, recipe, config, experiment }
  } catch (error) {
    const current = (await versionsInUse()).tenfold
    if (!(error instanceof UsageError) || versions.tenfold === current) throw error
    const message = error.message.startsWith(file) ? error.message : `${file}: ${error.message}`
    throw new UsageError(message, {
      cause: error,
      hint: `the run was made with tenfold ${versions.tenfold ?? 'of unknown version'}, this is ${current}`,
    })
  }
}

/** The settings of a run with paths that work now, though the run or its data may have moved. */
export function configNow({ run, recipe, config }: OpenedRun): Settings {
  return findPlaces(recipe.config, config, run.description.places ?? {}, run.path)
}

/** The data of a run, opened anew: each example on the side it was on. Says what has changed since. */
export async function openData(opened: OpenedRun, reporter: Reporter): Promise<OpenedData> {
  const { run, recipe } = opened
  const known = { facts: run.description.facts, record: await run.readData() }
  const data = await recipe.open(configNow(opened), known)
  tellData(data.opening, reporter, true)
  return data
}

/**
 * Says what was found in the data: a line for what was taken, one for each warning and for what has changed. Data that are `known`
 * and as they were are no event.
 */
export function tellData({ summary, warnings, changes }: Opening, reporter: Reporter, known = false): void {
  reporter.say(`data       ${summary}`)
  for (const warning of warnings) reporter.say(`warning: ${warning}`)
  if (changes !== undefined) reporter.say(`warning: the data are not those the run was started with: ${changes}`)
  if (!known || changes !== undefined) reporter.event('data', { summary, warnings, changes: changes ?? null })
}

/** Versions of what computed the run, for `run.json` and the report. */
export async function versionsInUse(): Promise<Record<string, string>> {
  const { createRequire } = await import('node:module')
  const require = createRequire(import.meta.url)
  return {
    tenfold: (require('../../package.json') as { version: string }).version,
    onnxruntime: runtimeVersion,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  }
}
