/** A training session of the commands `train` and `resume`: signals, the loop, the report, the summary. */
import { formatProfile } from '../compile/profile.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import { type OpenedRun, prepareTraining } from '../systems/session.ts'
import type { OpenedData } from '../tasks/define.ts'
import { formatDuration, formatMetrics } from '../train/describe-metrics.ts'
import { FrozenParameters, learningShare } from '../train/frozen.ts'
import {
  describeNewest,
  isTestLossBroken,
  type LoopObserver,
  type LoopOptions,
  type LoopResult,
  type TrainingTask,
  train,
} from '../train/loop.ts'
import { observeAll } from '../train/progress.ts'
import { logToTensorBoard } from '../train/tensorboard.ts'
import { pathArgument } from '../util/shell.ts'
import { percent } from '../util/words.ts'
import type { Group } from './distributed.ts'
import { type Extension, extendRun } from './extend.ts'
import { Interruption, interruptExitCode, interruptSignal, quitOnInterrupt } from './interrupt.ts'
import { note } from './output.ts'
import type { Reporter } from './ui.ts'

/** What else happens around the training. */
export interface TrainRunOptions {
  /** File for a profile of the training step, which is taken first. */
  readonly profile?: string
  /** The weights to start from are not stored in the run yet: write them to a first checkpoint. */
  readonly saveStart?: boolean
  /** By how much the run is extended; written once the data are known to allow it. */
  readonly extension?: Extension
  /** Stops it, where the training is one of several; the exit code is then up to the caller. Default: stopped by signals of the system. */
  readonly signal?: AbortSignal
  /** The processes that train together. Default: this one alone. */
  readonly group?: Group
}

/** How a training ended, and by which metric its evaluations were compared. */
export interface TrainingResult extends LoopResult {
  readonly monitor: LoopOptions['monitor']
}

const profiledSteps = 10

/** Runs some steps on the first batch with every kernel timed; the variables keep their values. */
async function profileStep(task: TrainingTask, file: string, reporter: Reporter): Promise<void> {
  const start = task.loader.state()
  for await (const batch of task.loader) {
    const profile = await task.step.profile(profiledSteps, batch)
    await writeFileAtomic(file, Buffer.from(file.endsWith('.json') ? JSON.stringify(profile) : formatProfile(profile)))
    const share = `${percent(profile.products)} in matrix products and convolutions`
    reporter.say(`profile    ${file}: ${profile.milliseconds.toFixed(1)} ms a step, ${share}`)
    break
  }
  task.loader.restore(start)
}

/** Says how much of a model learns, if not all of it, and takes note of the rest before the first step. */
function watchFrozen(weights: Parameters<typeof learningShare>[0], reporter: Reporter) {
  const { learn, total } = learningShare(weights)
  let frozen: FrozenParameters | undefined
  const share = ((100 * learn) / total).toPrecision(3)
  if (learn < total)
    reporter.say(`learning   ${learn.toLocaleString('en')} of ${total.toLocaleString('en')} parameters (${share} %)`)
  const observer: LoopObserver = {
    onStart: () => {
      if (learn < total) frozen = new FrozenParameters(weights)
    },
  }
  /** Throws if training has changed one of them. */
  const confirm = (): void => {
    if (!frozen) return
    frozen.check()
    reporter.say(`frozen     ${frozen.tensors} tensors: the same bits as before`)
    reporter.event('frozen', { learn, total, tensors: frozen.tensors, changed: 0 })
  }
  return { observer, confirm }
}

/** Trains a run to its end (or to an interrupt), writes its report and prints the summary. */
export async function trainRun(
  opened: OpenedRun,
  data: OpenedData,
  reporter: Reporter,
  options: TrainRunOptions = {},
): Promise<TrainingResult> {
  const { task: whole, loop } = prepareTraining(opened.experiment, data)
  const { system, recipe } = opened.run.description
  const task = options.group?.taskOf(whole, `${system}/${recipe}`) ?? whole
  const run = options.extension ? await extendRun(opened, options.extension, task, reporter) : opened.run
  const { steps } = run.description.limits
  reporter.event('start', { run: run.path, system: run.description.system, recipe: run.description.recipe })
  reporter.say(`run directory ${run.path}`)
  if (options.group) reporter.say(`processes  ${options.group.size}, each with a part of every batch`)
  if (options.profile !== undefined) await profileStep(task, options.profile, reporter)
  const isAlone = options.signal === undefined
  const { signal, dispose } = options.signal ? { signal: options.signal, dispose: () => {} } : interruptSignal(reporter)
  const log = run.description.tensorboard ? logToTensorBoard(run.tensorboard) : undefined
  const watch = watchFrozen(opened.experiment.weights, reporter)
  const observer = observeAll([reporter.observer, watch.observer, ...(log ? [log] : [])])
  const loopOptions = { ...loop, ...(steps !== null && { steps }), saveStart: options.saveStart ?? false, signal }
  const trained = options.group?.train(task, run, loopOptions, observer) ?? train(task, run, loopOptions, observer)
  const result = await trained.finally(() => {
    log?.close()
    dispose()
    reporter.endProgress()
  })
  const told = { ...result, monitor: loop.monitor }
  const isComplete = result.reason === 'finished' || result.reason === 'early stop'
  // A training that was complete before it could be stopped: its report waits. One of several has its report, and the others stop.
  if (result.reason === 'interrupted' || (isAlone && isComplete && signal.aborted)) {
    tellInterrupted(run.path, result, signal.reason, reporter)
    if (isAlone) process.exitCode = interruptExitCode(signal.reason)
    return told
  }
  if (result.reason === 'not finite') {
    reporter.say(notFiniteLine(result))
    reporter.say(`Find the first op that produced it with: npx tenfold resume ${pathArgument(run.path)} --find-nan`)
    reporter.event('not finite', { step: result.step + (isTestLossBroken(result) ? 0 : 1), run: run.path })
    if (isAlone) process.exitCode = 1
    return told
  }
  const report = async (): Promise<void> => {
    const { writeReport } = await import('./report.ts')
    await writeReport({ ...opened, run }, data, result)
  }
  await (isAlone ? quitOnInterrupt(report, (reason) => tellInterrupted(run.path, result, reason, reporter)) : report())
  if (options.profile !== undefined) {
    const programs = task.step.traces.length
    reporter.say(`programs   ${programs === 1 ? 'one' : programs} compiled for the training step`)
  }
  summarize(run.path, run.report, opened, result, reporter, watch.confirm)
  return told
}

/** Says where a training or its report was interrupted, and what goes on with it. */
function tellInterrupted(path: string, { reason, step }: LoopResult, cause: unknown, reporter: Reporter): void {
  const command = `npx tenfold resume ${pathArgument(path)}`
  const line =
    reason === 'interrupted'
      ? `interrupted at step ${step}; everything is saved. Continue with: ${command}`
      : `interrupted before the report; the training is complete and saved. Write the report with: ${command}`
  reporter.endProgress()
  if (cause instanceof Interruption && cause.signal === 'SIGPIPE') note(line)
  else reporter.say(line)
  reporter.event('interrupted', { step, run: path })
}

/** What was not finite, and what is kept. */
function notFiniteLine(result: LoopResult): string {
  const { step, savedStep } = result
  const [what, state] = isTestLossBroken(result)
    ? [`the test loss became NaN or infinite at step ${step}`, 'the state of that step']
    : [`the loss became NaN or infinite at step ${step + 1}`, 'the state before that step']
  if (savedStep === step) return `${what}; ${state} is saved.`
  return `${what}; ${state} was NaN or infinite already and is not saved, ${describeNewest(result)}.`
}

/** The next commands for a run: the first use of its recipe that fits it, and export. */
function advice(path: string, { recipe, experiment }: OpenedRun): string {
  const use = Object.entries(recipe.uses ?? {}).find(([, { fits }]) => fits?.(experiment) ?? true)
  const run = pathArgument(path)
  const first = use ? [`npx tenfold ${use[0]} ${run} ${use[1].inputs}`.trim()] : []
  return [...first, `npx tenfold export ${run} --format onnx --out model.onnx`].join('    or    ')
}

function summarize(
  path: string,
  report: string,
  opened: OpenedRun,
  result: LoopResult,
  reporter: Reporter,
  confirmFrozen: () => void,
): void {
  reporter.say('')
  reporter.say(
    `${result.reason === 'early stop' ? 'stopped early' : 'finished'} after ${result.step} steps, ${formatDuration(result.seconds)}`,
  )
  reporter.say(`test       ${formatMetrics(result.metrics, opened.recipe.metrics)}`)
  confirmFrozen()
  reporter.say(`report     ${report}`)
  reporter.say(`next       ${advice(path, opened)}`)
  reporter.event('done', {
    metrics: result.metrics,
    reason: result.reason,
    step: result.step,
    seconds: result.seconds,
    run: path,
    report,
  })
}
