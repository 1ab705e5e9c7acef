/** The commands that recipes declare: uses of a trained run (predict, sample, continue ...). */
import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { writeFileAtomic } from '../../io/atomic.ts'
import { renderReport } from '../../report/render.ts'
import type { System } from '../../systems/define.ts'
import { loadSystem, loadSystems, systems } from '../../systems/registry.ts'
import { openData, openRun, openRunOf, type TrainedRun } from '../../systems/session.ts'
import type { Use, UseContext } from '../../tasks/define.ts'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { readRunHead } from '../../train/run.ts'
import { configFrom, describeSettings, flagOf, type SettingDescription } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { pathArgument } from '../../util/shell.ts'
import { interruptSignal } from '../interrupt.ts'
import { checkpointOption, examples, threadsOption, wholeNumber } from '../options.ts'
import { note } from '../output.ts'
import { placesOf } from '../places.ts'
import { createReporter, type Reporter, readingData, tellAnswer, tellData } from '../ui.ts'

interface UseFlags extends Record<string, unknown> {
  readonly checkpoint: CheckpointChoice
  readonly out?: string
  readonly seed: number
  readonly threads?: number
  readonly json?: boolean
}

/** A use with the recipes that have it under one name. */
interface NamedUse {
  readonly recipe: string
  readonly use: Use
}

/** Every use of every recipe, by its name. */
function usesByName(systems: readonly System[]): Map<string, NamedUse[]> {
  const found = new Map<string, NamedUse[]>()
  for (const system of systems) {
    for (const recipe of system.recipes ?? []) {
      for (const [name, use] of Object.entries(recipe.uses ?? {}))
        found.set(name, [...(found.get(name) ?? []), { recipe: `${system.name}/${recipe.name}`, use: use as Use }])
    }
  }
  return found
}

/**
 * The systems whose uses `args` may mean: that of the run alone, if it has the use `wanted` with all options that are given; otherwise all,
 * among which mistakes are found.
 */
export async function systemsWith(wanted: string | undefined, args: readonly string[]): Promise<readonly System[]> {
  const [, run] = args.filter((arg) => !arg.startsWith('-'))
  const { system: name } = run === undefined ? {} : await readRunHead(run)
  if (typeof name !== 'string') return await loadSystems()
  await loadSystem(name)
  const own = systems.filter((system) => system.name === name)
  const uses = usesByName(own).get(wanted ?? '') ?? []
  const known = new Set(['--checkpoint', '--out', '--seed', '--threads', '--json'])
  for (const { use } of uses) for (const { path } of describeSettings(use.options)) known.add(flagOf(path))
  const given = args.filter((arg) => arg.startsWith('-')).map((arg) => arg.split('=', 1)[0] ?? '')
  return uses.length > 0 && given.every((flag) => known.has(flag)) ? own : await loadSystems()
}

const camel = (name: string): string => name.replace(/[-_](\w)/g, (_, letter: string) => letter.toUpperCase())

/**
 * An option whose form follows from its default: a list is comma-separated, a switch takes no value. `settings`: the option of each recipe that
 * has it; their defaults may differ.
 */
function optionOf(settings: readonly [SettingDescription, ...SettingDescription[]]): Option {
  const [{ path, default: usual, description }] = settings
  const flag = flagOf(path)
  const option = new Option(typeof usual === 'boolean' ? flag : `${flag} <value>`, description)
  const defaults = settings.map((each) => (Array.isArray(each.default) ? each.default.join(',') : String(each.default)))
  const different = [...new Set(defaults)].filter((text) => text !== '')
  const shown = `${different.join(' or ')}${different.length > 1 ? ', by recipe' : ''}`
  // Left undefined where it is not given: the use's own schema has the default.
  return usual === '' || typeof usual === 'boolean'
    ? option
    : new Option(option.flags, `${description} (default: ${shown})`)
}

/** The value given for an option, in the form of its default. */
function givenValue(given: unknown, usual: unknown): unknown {
  const read = (text: string): unknown => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text)
  if (typeof given !== 'string') return given
  if (Array.isArray(usual)) return given.split(',').map(read)
  return typeof usual === 'number' ? read(given) : given
}

function optionsFor(use: Use, name: string, recipe: string, flags: UseFlags): Record<string, unknown> {
  const known = describeSettings(use.options)
  const common = new Set(['checkpoint', 'out', 'seed', 'threads', 'json'])
  const given = Object.entries(flags).filter(([key, value]) => !common.has(key) && value !== undefined)
  const assignments = given.map(([key, value]) => {
    const setting = known.find(({ path }) => camel(path) === key)
    if (!setting) {
      throw new UsageError(`${name} of ${recipe} has no option --${key}`, {
        hint:
          known.length > 0 ? `it has ${known.map(({ path }) => flagOf(path)).join(', ')}` : 'it has none of its own',
      })
    }
    return { path: setting.path, value: givenValue(value, setting.default), raw: String(value) }
  })
  return configFrom(use.options, assignments)
}

function contextOf(
  opened: TrainedRun,
  flags: UseFlags,
  inputs: readonly string[],
  reporter: Reporter,
  signal: AbortSignal,
): UseContext {
  const { run, step } = opened
  const place = placesOf(run.path, flags.out, inputs)
  const { system, recipe } = run.description
  return {
    out: flags.out,
    run: run.path,
    step,
    seed: flags.seed,
    say: reporter.say,
    write: reporter.write,
    signal,
    openData: async () => {
      const data = await readingData(reporter, () => openData(opened))
      tellData(data.opening, reporter, true)
      return data
    },
    readRecord: () => run.readData(),
    readTensors: async () => (await run.chosenCheckpoint(flags.checkpoint)).tensors,
    openRun: (path, other) => openRunOf(path, system, other),
    place,
    writePage: async (name, report) => {
      const path = await place(name)
      const footer = 'Written by tenfold. This file is self-contained.'
      const page = { ...report, title: `${system} / ${recipe}: ${report.title}`, footer }
      await writeFileAtomic(path, Buffer.from(await renderReport({ subtitle: opened.recipe.summary, ...page })))
      return path
    },
  }
}

async function runUse(name: string, dir: string, inputs: readonly string[], flags: UseFlags): Promise<void> {
  const reporter = createReporter({ json: flags.json ?? false })
  const { checkpoint, threads } = flags
  const opened = await openRun(dir, { checkpoint, onWarning: reporter.warn, ...(threads && { threads }) })
  const { system, recipe } = opened.run.description
  const use = opened.recipe.uses?.[name]
  if (!use) {
    const others = Object.keys(opened.recipe.uses ?? {})
    throw new UsageError(`a run of ${system}/${recipe} has no use "${name}"`, {
      hint: others.length > 0 ? `it has ${others.join(', ')}` : 'it has none',
    })
  }
  if (use.inputs !== '' && inputs.length === 0)
    throw new UsageError(`${name} of ${system}/${recipe} needs inputs`, {
      hint: `tenfold ${name} ${pathArgument(dir)} ${use.inputs}`,
    })
  if (use.inputs === '' && inputs.length > 0)
    throw new UsageError(`${name} of ${system}/${recipe} takes no inputs, found "${inputs[0]}"`)
  const named = use.inputs.startsWith('"') ? inputs.find((input) => existsSync(input)) : undefined
  if (named !== undefined)
    reporter.warn(`${JSON.stringify(named)} is taken as a text: the file of that name is not read`)
  const options = optionsFor(use as Use, name, `${system}/${recipe}`, flags)
  const { signal, dispose } = interruptSignal(reporter, 'stopping')
  let [failed, metrics, isWritten] = [0, {}, false]
  const write = (piece: string): void => {
    isWritten = true
    reporter.write(piece)
  }
  try {
    const context = contextOf(opened, flags, inputs, { ...reporter, write }, signal)
    for await (const answer of use.run(opened.experiment, inputs, options, context)) {
      if ('error' in answer) failed++
      if ('metrics' in answer) metrics = answer.metrics
      tellAnswer(name, answer, reporter, isWritten)
      isWritten = false
    }
  } finally {
    dispose()
  }
  reporter.event('done', { metrics, step: opened.step, failed })
  if (failed === 0) return
  note(`error: ${failed} of ${inputs.length} inputs could not be used`)
  process.exitCode = 2
}

function helpOf(name: string, uses: readonly NamedUse[]): string {
  const lines = uses.map(({ recipe, use }) => `  ${recipe.padEnd(18)} ${use.summary}`)
  const first = new Map(uses.map(({ use }) => [use.inputs, `tenfold ${name} runs/quick ${use.inputs}`.trim()]))
  return `\nRecipes:\n${lines.join('\n')}\n${examples(...first.values())}`
}

/** Adds a command for every name of a use, with the options of all recipes that have it. */
export function addUses(program: Command, systems: readonly System[]): void {
  for (const [name, uses] of usesByName(systems)) {
    const summaries = [...new Set(uses.map(({ use }) => use.summary))]
    const command = program.command(name).description(summaries.join('; ')).argument('<dir>', 'run directory')
    if (uses.some(({ use }) => use.inputs !== ''))
      command.argument('[inputs...]', 'files or texts, as the recipe needs')
    const options = new Map<string, [SettingDescription, ...SettingDescription[]]>()
    for (const setting of uses.flatMap(({ use }) => describeSettings(use.options)))
      options.set(setting.path, [...(options.get(setting.path) ?? []), setting])
    for (const settings of options.values()) command.addOption(optionOf(settings))
    command
      .addOption(checkpointOption())
      .option('--out <path>', 'where files go (default: the run directory)')
      .option('--seed <n>', 'seed of all random numbers', wholeNumber(0), 0)
      .addOption(threadsOption())
      .option('--json', 'one JSON object per line')
      .addHelpText('after', helpOf(name, uses))
      .action(async (dir: string, ...rest: unknown[]) => {
        const takesInputs = Array.isArray(rest[0])
        const inputs = takesInputs ? (rest[0] as string[]) : []
        await runUse(name, dir, inputs, rest[takesInputs ? 1 : 0] as UseFlags)
      })
  }
}
