/** Sessions: starting, opening and continuing runs; finding recipes and jobs by name. */
import { join } from 'node:path'
import type { OpenedData } from '../tasks/define.ts'
import type { Experiment } from '../tasks/experiment.ts'
import type { CheckpointChoice } from '../train/checkpoint.ts'
import { checkBatchSize } from '../train/data-settings.ts'
import { findPlaces, recordPlaces } from '../train/places.ts'
import { RunDirectory } from '../train/run.ts'
import { checkConfig, type Settings } from '../train/settings.ts'
import { restoreVariables } from '../train/store.ts'
import { programSystem } from '../train/train-model-options.ts'
import { versionsInUse } from '../train/versions.ts'
import { FormatError, reworded, ShapeError, UsageError } from '../util/errors.ts'
import { suggestion } from '../util/words.ts'
import { requireAgreement } from './agreement.ts'
import type { FittedWeights, Job, Recipe, System } from './define.ts'
import { loadSystem, loadSystems, systems } from './registry.ts'

/** A recipe or job with its system. */
interface Named<Kind, Entry> {
  readonly kind: Kind
  readonly system: System
  readonly entry: Entry
}

type Entry = Named<'recipe', Recipe> | Named<'job', Job>

/** Recipes and jobs of the systems that are loaded, by name. */
function entries(): Map<string, Entry> {
  const found = new Map<string, Entry>()
  for (const system of systems) {
    for (const recipe of system.recipes ?? [])
      found.set(`${system.name}/${recipe.name}`, { kind: 'recipe', system, entry: recipe })
    for (const job of system.jobs ?? []) found.set(`${system.name}/${job.name}`, { kind: 'job', system, entry: job })
  }
  return found
}

/** `mixer/mnist`, `mixer/scale`: what has settings. Rejects with a UsageError with similar names. */
export async function findEntry(name: string): Promise<Entry> {
  await loadSystem(name.split('/', 1)[0] ?? '')
  const found = entries().get(name)
  if (found) return found
  await loadSystems()
  throw new UsageError(`unknown recipe or job "${name}"`, { hint: suggestion(name, [...entries().keys()]) })
}

/** `mixer/mnist` -> its system and recipe. */
export async function findRecipe(name: string): Promise<{ system: System; recipe: Recipe }> {
  const found = await findEntry(name)
  if (found.kind === 'recipe') return { system: found.system, recipe: found.entry }
  throw new UsageError(`${name} is a job, not a recipe to train`, { hint: `tenfold run ${name}` })
}

/** `mixer/scale` -> its system and job. */
export async function findJob(name: string): Promise<{ system: System; job: Job }> {
  const found = await findEntry(name)
  if (found.kind === 'job') return { system: found.system, job: found.entry }
  throw new UsageError(`${name} is a recipe to train, not a job`, { hint: `tenfold train ${name}` })
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

/** Which weights a command uses, and a callback for damaged checkpoints. */
export interface OpenOptions {
  /** Default: last. */
  readonly checkpoint?: CheckpointChoice
  readonly onWarning?: (message: string) => void
  /** Default: as many as the run was started with. */
  readonly threads?: number
}

/** Opens a run for use: the model with the weights of a checkpoint. */
export async function openRun(path: string, options: OpenOptions = {}): Promise<TrainedRun> {
  const { checkpoint: choice = 'last', onWarning = () => {}, threads } = options
  const run = await RunDirectory.open(path)
  const opened = await openUntrained(threads === undefined ? run : run.changed({ threads }))
  const damaged: string[] = []
  const checkpoint = await opened.run.chosenCheckpoint(choice, (_path, reason) => damaged.push(reason))
  for (const reason of damaged) onWarning(`${reason}; the checkpoint of step ${checkpoint.state.step} is used`)
  const weights = new Map([...opened.experiment.weights].map(([name, variable]) => [`model.${name}`, variable]))
  restoreVariables(checkpoint, weights)
  return { ...opened, step: checkpoint.state.step }
}

/** Throws a UsageError unless the run is that of a recipe: other programs' settings and models are their own. */
export function requireRecipeRun({ path, description }: RunDirectory): void {
  if (description.system === programSystem)
    throw new UsageError(`${path} is a run of a program of its own, which alone knows its model`, {
      hint: 'start that program again: it continues its run',
    })
}

/** A run and its model without trained weights, to continue training. */
export async function openUntrained(run: RunDirectory): Promise<OpenedRun> {
  requireRecipeRun(run)
  const { system, recipe: recipeName, config: saved, facts, seed, threads, versions } = run.description
  const file = join(run.path, 'run.json')
  try {
    const { recipe } = await findRecipe(`${system}/${recipeName}`)
    const config = checkConfig(recipe.config, saved, file)
    const experiment = recipe.build(config, checkFacts(recipe, facts, file), {
      seed,
      ...(threads !== null && { threads }),
    })
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

/** Facts of an old run that do not fit are reported in one line. */
function checkFacts(recipe: Recipe, facts: unknown, file: string): unknown {
  const result = recipe.facts.safeParse(facts)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new UsageError(`${file}: facts.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`, {
    hint: 'the run is of another version; use that one, or start a new run',
  })
}

/** The data of a run, opened again: each example on its old side. `opening` says what has changed since. */
export async function openData(opened: OpenedRun): Promise<OpenedData> {
  const { run, recipe } = opened
  const known = { facts: run.description.facts, record: await run.readData() }
  return recipe.open(configNow(opened), { known })
}

/** Data and model of a new run, before its directory is made. */
export interface PreparedRun {
  readonly config: Settings
  readonly data: OpenedData
  readonly experiment: Experiment
  /** What training starts from, as text; undefined: random weights. */
  readonly start: string | undefined
}

/** Called as soon as the data are open. */
export type TellData = (data: OpenedData) => void

/** Reads what training starts from and the data, and builds the model. */
export async function prepareRun(
  recipe: Recipe,
  chosen: Settings,
  options: { readonly seed: number; readonly threads?: number },
  tell: TellData,
): Promise<PreparedRun> {
  const start = await recipe.start?.(chosen)
  const data = await recipe.open(chosen, start ? { start } : {})
  tell(data)
  checkBatchSize(chosen, data.train)
  const fitted = start?.fit(chosen, data.facts)
  if (fitted) requireAgreement(recipe, chosen, fitted)
  const config = fitted?.config ?? chosen
  const experiment = recipe.build(config, data.facts, options)
  if (fitted) initialize(experiment, fitted)
  return { config, data, experiment, start: fitted?.summary }
}

/** Weights to start from. Throws a FormatError for some that are no numbers: the loss of the first step would be none. */
function initialize(experiment: Experiment, { weights, summary }: FittedWeights<Settings>): void {
  for (const [name, { data }] of weights) {
    if (data instanceof Float32Array && data.some(Number.isNaN))
      throw new FormatError(`${name} of the weights to start from has NaN (${summary})`)
  }
  try {
    experiment.initialize?.(weights)
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    throw reworded(
      error,
      `the weights to start from do not fit the model of the settings: ${error.message} (${summary})`,
    )
  }
}

/** The description of a new run, besides its recipe. */
export interface NewRunOptions {
  readonly seed: number
  readonly threads?: number
  readonly steps?: number
  readonly tensorboard: boolean
  /** The settings as they were given, before those of the weights to start from. */
  readonly chosen: Settings
}

/** Makes the directory of a prepared run. */
export async function startRun(
  path: string,
  { system, recipe }: { readonly system: System; readonly recipe: Recipe },
  { config, data, experiment }: PreparedRun,
  options: NewRunOptions,
): Promise<OpenedRun> {
  const description = {
    format: 1 as const,
    system: system.name,
    recipe: recipe.name,
    seed: options.seed,
    config,
    facts: data.facts as Record<string, unknown>,
    places: recordPlaces(recipe.config, options.chosen, path),
    limits: { steps: options.steps ?? null },
    threads: options.threads ?? null,
    tensorboard: options.tensorboard,
    versions: await versionsInUse(),
    started: new Date().toISOString(),
  }
  const run = await RunDirectory.create(path, description, data.opening.record)
  return { run, recipe, config, experiment }
}

/** A run continues from its newest checkpoint; before its first one it starts over, from its initial weights. */
export async function restartFrom(opened: OpenedRun, data: OpenedData): Promise<void> {
  const start = await opened.recipe.start?.(configNow(opened))
  const fitted = start?.fit(configNow(opened), data.facts)
  if (fitted) initialize(opened.experiment, fitted)
}

/** What is trained and for how long: the experiment's task, which takes the experiment's pictures at each evaluation. */
export function prepareTraining(experiment: Experiment, data: OpenedData): ReturnType<Experiment['prepare']> {
  const { task, loop } = experiment.prepare(data)
  if (!experiment.snapshot) return { task, loop }
  return { task: { ...task, snapshot: async () => (await experiment.snapshot?.(data)) ?? {} }, loop }
}

/** Another run of a recipe, for a use or a job that needs one; `E`: what it builds. Throws a UsageError for a run of another recipe. */
export async function openRunOf<E>(path: string, system: string, recipe: string): Promise<E> {
  const run = await RunDirectory.open(path)
  const { description } = run
  if (description.system !== system || description.recipe !== recipe) {
    const found = `${description.system}/${description.recipe}`
    throw new UsageError(`${path} must be a run of ${system}/${recipe}, found one of ${found}`)
  }
  // Recipes are kept with their types erased: it is the one of that name that has built it.
  return (await openRun(path)).experiment as unknown as E
}
