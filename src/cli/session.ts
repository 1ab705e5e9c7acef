/** What the commands do with a run: find its recipe, build its experiment, train it, tell about it. */
import { cpus } from 'node:os'
import { runtimeVersion } from '../runtime/binding.ts'
import type { Opening } from '../data/opening.ts'
import type { Experiment, OpenedData, Recipe, Study, System } from '../systems/define.ts'
import { systems } from '../systems/index.ts'
import { newestCheckpoint, restoreVariables } from '../train/checkpoint.ts'
import { findPlaces } from '../train/places.ts'
import { RunDirectory } from '../train/run.ts'
import { checkConfig, type Settings } from '../train/settings.ts'
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

/** Opens a run for use: the model with the weights of the newest checkpoint. */
export async function openRun(path: string): Promise<OpenedRun & { readonly step: number }> {
  const opened = await openUntrained(path)
  const checkpoint = await newestCheckpoint(opened.run.checkpoints)
  if (!checkpoint) {
    throw new UsageError(`${path} has no checkpoint yet`, { hint: `train it first: tenfold resume ${path}` })
  }
  const weights = new Map([...opened.experiment.weights].map(([name, variable]) => [`model.${name}`, variable]))
  restoreVariables(checkpoint, weights)
  return { ...opened, step: checkpoint.state.step }
}

/** Opens a run without weights, to go on training it. */
export async function openUntrained(path: string): Promise<OpenedRun> {
  const run = await RunDirectory.open(path)
  const { system, recipe: recipeName, config: saved, facts, seed, threads } = run.description
  const { recipe } = findRecipe(`${system}/${recipeName}`)
  const config = checkConfig(recipe.config, saved, `${path}/run.json`)
  const experiment = recipe.build(config, facts, { seed, ...(threads !== null && { threads }) })
  return { run, recipe, config, experiment }
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
