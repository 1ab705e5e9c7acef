/** Training of a model of one's own, from one call: what `tenfold train` does for recipes. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { compile } from '../compile/compile.ts'
import { listSome } from '../data/counting.ts'
import type { BatchTensors } from '../data/dataset.ts'
import { requirePackages } from '../data/packages.ts'
import { Module } from '../nn/index.ts'
import { plotPackages } from '../report/render.ts'
import { randomState } from '../tensor/random-state.ts'
import { Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { requireCount, requireFields, requireOneOf, requireOptions, shown } from '../util/check.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import type { CheckpointChoice } from './checkpoint.ts'
import { lockFolder } from './lock.ts'
import {
  defineTask,
  describeNewest,
  isTestLossBroken,
  type LoopOptions,
  type LoopResult,
  type Metrics,
  requireMonitored,
  type TrainingTask,
  train,
} from './loop.ts'
import { MemoryStore } from './memory-store.ts'
import { observeAll, showProgress } from './progress.ts'
import { RunDirectory } from './run.ts'
import { parameterCount, writeRunReport } from './run-report.ts'
import type { Settings } from './settings.ts'
import { type Checkpoint, restoreVariables } from './store.ts'
import { logToTensorBoard } from './tensorboard.ts'
import { programSystem, type TrainOptions, type TrainResult, trainOptionNames } from './train-model-options.ts'
import { versionsInUse } from './versions.ts'

/**
 * Trains a model with everything that the recipes of tenfold have: progress, evaluation, checkpoints and exact resume, early stop, metrics,
 * TensorBoard, `report.html`; each of them alone or together. The same program, started again with the same folder, continues where it
 * was stopped or killed. Throws a UsageError if the step changes a variable that is not in `state`, if the folder holds another run, or
 * another process uses it; a TenfoldError that names the op if the loss becomes NaN or infinite, after saving the state before that step.
 */
export async function trainModel<Name extends string>(options: TrainOptions<Name>): Promise<TrainResult> {
  checkOptions(options)
  const { folder } = options
  if (folder === undefined) return trainInto(options, new MemoryStore())
  if (options.report) requirePackages(plotPackages, 'a run with a report')
  const lock = await lockFolder(folder)
  try {
    return await trainInto(options, await openFolder(folder, options.settings ?? {}, monitorOf(options)))
  } finally {
    lock.release()
  }
}

/** The options that are whole numbers, and the least of each. */
const counts = [
  ['epochs', 0],
  ['steps', 0],
  ['evaluateEvery', 1],
  ['checkpointEvery', 1],
  ['keepCheckpoints', 1],
  ['patience', 1],
] as const

function checkOptions<Name extends string>(options: TrainOptions<Name>): void {
  const { folder, epochs, steps, evaluate, state, loader, monitor } = options
  requireOptions('trainModel', options, trainOptionNames, UsageError)
  if (typeof loader?.restore !== 'function' || typeof loader[Symbol.asyncIterator] !== 'function')
    throw new UsageError(`trainModel: loader must give batches, and be restored, found ${shown(loader)}`, {
      hint: 'a DataLoader does',
    })
  for (const [name, least] of counts) {
    const value = options[name]
    if (value !== undefined) requireCount('trainModel', name, value, least, UsageError)
  }
  if (monitor) requireOneOf('trainModel', 'monitor.goal', monitor.goal, ['max', 'min'], UsageError)
  if (epochs === undefined && steps === undefined)
    throw new UsageError('trainModel: how long to train must be said', { hint: 'epochs: 10, or steps: 1000' })
  if (Object.hasOwn(state, 'random'))
    throw new UsageError('trainModel: state.random is what the random numbers are kept as', {
      hint: 'take another name',
    })
  if (!evaluate) {
    const needs = (['patience', 'monitor', 'evaluateEvery'] as const).find((name) => options[name] !== undefined)
    if (needs !== undefined && !(needs === 'evaluateEvery' && options.snapshot))
      throw new UsageError(`trainModel: ${needs} needs evaluations, and there is no evaluate`)
  }
  const onDisk = (['report', 'tensorboard'] as const).find((name) => options[name])
  if (folder === undefined && onDisk !== undefined)
    throw new UsageError(`trainModel: ${onDisk} needs a folder`, { hint: "folder: 'runs/first'" })
}

type Variables = Iterable<readonly [string, Variable]>

function hasVariables(part: object): part is { variables(): Variables } {
  return 'variables' in part && typeof part.variables === 'function'
}

/** The variables of all that was named, by name. */
function variablesOf(state: TrainOptions['state']): Map<string, Variable> {
  const variables = new Map<string, Variable>()
  for (const [name, part] of Object.entries({ ...state, random: randomState().variables })) {
    if (part instanceof Variable) variables.set(name, part)
    else
      for (const [inner, variable] of hasVariables(part) ? part.variables() : part)
        variables.set(`${name}.${inner}`, variable)
  }
  return variables
}

function monitorOf({ monitor }: Pick<TrainOptions, 'monitor'>): LoopOptions['monitor'] {
  return { metric: monitor?.metric ?? 'loss', goal: monitor?.goal ?? 'min' }
}

/** The run of a folder: a new one, or that of an earlier start of the same program with the same settings. */
async function openFolder(folder: string, settings: Settings, monitor: LoopOptions['monitor']): Promise<RunDirectory> {
  // As JSON has them: what is undefined is not there.
  const config = JSON.parse(JSON.stringify(settings)) as Settings
  if (!existsSync(join(folder, 'run.json')))
    return RunDirectory.create(folder, {
      format: 1,
      system: programSystem,
      recipe: basename(resolve(folder)),
      seed: 0,
      config,
      facts: { monitor },
      limits: { steps: null },
      threads: null,
      versions: await versionsInUse(),
      started: new Date().toISOString(),
    })
  const run = await RunDirectory.open(folder)
  const { system, recipe, config: before, facts } = run.description
  const hint = 'choose another folder, or delete this one'
  if (system !== programSystem) throw new UsageError(`${folder} holds a run of ${system}/${recipe}`, { hint })
  const judges = [facts.monitor, monitor].map((value) => JSON.stringify(value))
  if (judges[0] !== judges[1])
    throw new UsageError(`${folder} holds a run whose best step is that of monitor ${judges[0]}, now ${judges[1]}`, {
      hint,
    })
  const names = [...new Set([...Object.keys(before), ...Object.keys(config)])]
  const changed = names.find((name) => JSON.stringify(before[name]) !== JSON.stringify(config[name]))
  if (changed === undefined) return run
  const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
  throw new UsageError(
    `${folder} holds a run with ${changed} ${shown(before[changed])}, and is to continue with ${shown(config[changed])}`,
    { hint },
  )
}

/** The step, compiled; while it is traced, what it assigns must be among the variables that checkpoints hold. */
function compileStep<Name extends string>(
  { step, compile: given }: TrainOptions<Name>,
  variables: ReadonlyMap<string, Variable>,
): TrainingTask<Name>['step'] {
  const saved = new Set(variables.values())
  return compile((batch: BatchTensors<Name>) => {
    const result = step(batch)
    if (!((result as Partial<typeof result> | undefined)?.loss instanceof Tensor))
      throw new UsageError(
        `trainModel: the step must return scalars by name, loss among them, found ${shown(result)}`,
        {
          hint: 'return { loss }',
        },
      )
    for (const [name, value] of Object.entries(result))
      if (!(value instanceof Tensor) || value.size !== 1)
        throw new UsageError(`trainModel: the step's ${name} must be a scalar, found ${shown(value)}`, {
          hint: 'ops.mean or ops.sum makes one of many numbers',
        })
    const lost = [...(currentTrace()?.assignments.keys() ?? [])].filter((each) => each.persistent && !saved.has(each))
    if (lost.length > 0) {
      const names = lost.map((variable) => variable.name || String(variable))
      throw new UsageError(`trainModel: the step changes what no checkpoint would hold: ${listSome(names, 3)}`, {
        hint: 'name all that training changes: state: { model, optimizer }',
      })
    }
    return result
  }, given)
}

/** The evaluation, whose metrics must be numbers, with the one that decides among them. */
function checkedEvaluation(
  evaluate: () => Promise<Metrics>,
  { metric }: LoopOptions['monitor'],
): () => Promise<Metrics> {
  return async () => {
    const metrics = await evaluate()
    requireFields('trainModel', 'what evaluate gives', metrics, UsageError)
    const [wrong] = Object.entries(metrics).filter(([, value]) => typeof value !== 'number')
    if (wrong)
      throw new UsageError(`trainModel: evaluate must give numbers by name, found ${wrong[0]} ${shown(wrong[1])}`, {
        hint: 'the number of a tensor of one element: t.item()',
      })
    requireMonitored('trainModel', metrics, metric)
    return metrics
  }
}

/** `body`, after which all models are in the modes that they train in: an evaluation may leave them in its own. */
function keepingModes<T>({ state }: TrainOptions, body: () => Promise<T>): () => Promise<T> {
  return Object.values(state).reduce<() => Promise<T>>(
    (inner, part) => (part instanceof Module ? () => part.keepingModes(inner) : inner),
    body,
  )
}

async function trainInto<Name extends string>(
  options: TrainOptions<Name>,
  store: RunDirectory | MemoryStore,
): Promise<TrainResult> {
  const { loader, evaluate, snapshot, memory, steps, metrics = {} } = options
  const monitor = monitorOf(options)
  const { stepsPerEpoch } = loader
  const variables = variablesOf(options.state)
  const task: TrainingTask = defineTask({
    variables,
    loader,
    step: compileStep(options, variables),
    evaluate: evaluate ? keepingModes(options, checkedEvaluation(evaluate, monitor)) : async () => ({}),
    ...(snapshot && { snapshot: keepingModes(options, snapshot) }),
    ...(memory && { memory }),
  })
  const loop: LoopOptions = {
    epochs: options.epochs ?? Math.ceil((steps ?? 0) / stepsPerEpoch),
    checkpointEvery: options.checkpointEvery ?? 100,
    keepCheckpoints: options.keepCheckpoints ?? 2,
    monitor,
    ...(steps !== undefined && { steps }),
    ...(options.evaluateEvery !== undefined && { evaluateEvery: options.evaluateEvery }),
    ...(options.patience !== undefined && { patience: options.patience }),
    ...(options.signal && { signal: options.signal }),
  }
  const run = store instanceof RunDirectory ? store : undefined
  const progress = options.progress === false ? undefined : showProgress({ metrics })
  const log = options.tensorboard && run ? logToTensorBoard(run.tensorboard) : undefined
  const observer = observeAll([progress, log, options.observer].flatMap((each) => each ?? []))
  const ended = await train(task, store, loop, observer).finally(() => {
    progress?.close()
    log?.close()
  })
  const { reason, ...result } = ended
  if (reason === 'not finite') throw await notFinite(task, ended)
  const report =
    run && options.report && reason !== 'interrupted' ? await reportOf(options, run, result, variables) : undefined
  return {
    reason,
    ...result,
    ...(run && { run }),
    ...(report !== undefined && { report }),
    restore: async (choice) => {
      const checkpoint = await (run ? run.chosenCheckpoint(choice) : chosenFromMemory(store as MemoryStore, choice))
      restoreVariables(checkpoint, variables)
      return checkpoint.state.step
    },
  }
}

function chosenFromMemory(store: MemoryStore, choice: CheckpointChoice): Checkpoint {
  const { newest, best } = store
  const found = choice === 'best' ? best : choice === 'last' || choice === newest?.state.step ? newest : undefined
  if (found) return found
  throw new UsageError(`restore: there is no checkpoint "${choice}"`, {
    hint: 'without a folder, only the newest and the best one are kept; an evaluation decides which is the best',
  })
}

/** Runs the step that failed once more, to name the op whose result was not finite first. */
async function notFinite({ loader, step }: TrainingTask, ended: LoopResult): Promise<TenfoldError> {
  const message = isTestLossBroken(ended)
    ? `the loss of evaluate became NaN or infinite at step ${ended.step}`
    : `the loss became NaN or infinite at step ${ended.step + 1}`
  for await (const batch of loader) {
    const found = await step.findNotFinite(batch)
    return new TenfoldError(`${message}${found === undefined ? '' : `: ${found}`}`, {
      hint: `${describeNewest(ended)}; a smaller learning rate, or clipNorm, may help`,
    })
  }
  return new TenfoldError(message)
}

async function reportOf(
  { report, metrics }: Pick<TrainOptions, 'report' | 'metrics'>,
  run: RunDirectory,
  result: Pick<LoopResult, 'metrics' | 'seconds' | 'step'>,
  variables: ReadonlyMap<string, Variable>,
): Promise<string> {
  const own = typeof report === 'function' ? await report() : typeof report === 'object' ? report : {}
  const parameters = parameterCount(variables.values()).toLocaleString('en')
  return writeRunReport(run, result, {
    title: run.description.recipe,
    ...(metrics && { metrics }),
    ...own,
    summary: [{ label: 'parameters', value: parameters }, ...(own.summary ?? [])],
  })
}
