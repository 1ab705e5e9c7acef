/** Readers of option values, shared by the commands. */
import { existsSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Share } from '../systems/parts.ts'
import type { CheckpointChoice } from '../train/checkpoint.ts'
import { belongsToRun } from './run-files.ts'

/** A whole number of at least `least`, and at most `most`. */
export function wholeNumber(least: number, most = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < least || value > most || text.trim() === '') {
      const limit = value > Number.MAX_SAFE_INTEGER ? Math.min(most, Number.MAX_SAFE_INTEGER) : most
      throw new InvalidArgumentError(
        `must be a whole number ${limit === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${limit}`}.`,
      )
    }
    return value
  }
}

/** What is at a path; undefined if there is nothing, or if that cannot be determined. */
function kindOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** A file that is to be written, in a folder that exists. */
export function newFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('a name is needed.')
  const folder = dirname(text)
  if (!existsSync(folder)) throw new InvalidArgumentError(`there is no folder ${folder}.`)
  if (!kindOf(folder)?.isDirectory()) throw new InvalidArgumentError(`${folder} is not a folder.`)
  if (kindOf(text)?.isDirectory()) throw new InvalidArgumentError('it is a folder.')
  if (belongsToRun(text)) throw new InvalidArgumentError('it is a file that a run needs.')
  return text
}

/** A folder that is to be written; it need not exist. */
export function newFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('a name is needed.')
  if (kindOf(text)?.isDirectory() === false) throw new InvalidArgumentError('it is a file.')
  return text
}

function readChoice(text: string): CheckpointChoice {
  if (text === 'best' || text === 'last') return text
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('must be best, last or the step of a checkpoint.')
}

/** `--checkpoint`, for commands that use a trained run. */
export function checkpointOption(): Option {
  return new Option('--checkpoint <which>', 'best, last, or a step that has one: the checkpoint to use')
    .argParser(readChoice)
    .default('last' satisfies CheckpointChoice)
}

/** `--threads`, for commands that use a run that is there. */
export function threadsOption(): Option {
  return new Option('--threads <n>', 'threads that compute (default: as many as the run was started with)').argParser(
    wholeNumber(1),
  )
}

/** Adds the options of all commands that compute: seed, folder of the results, threads. `out`: what `--out` is. */
export function withComputing(command: Command, out: string): Command {
  return command
    .option('--seed <n>', 'seed of all random numbers', wholeNumber(0), 0)
    .option('--out <dir>', out, newFolder)
    .option('--threads <n>', 'threads that compute (default: all cores)', wholeNumber(1))
}

/** `2/4`: the second of four processes. */
function readShare(text: string): Share {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const share = { index: Number(index), of: Number(of) }
  if (share.index >= 1 && share.index <= share.of) return share
  throw new InvalidArgumentError('must be i/n, the i-th of n processes, for example 2/4.')
}

/** What several processes that share a folder are given. */
export interface ShareFlags {
  readonly array?: Share
  readonly reportOnly?: boolean
}

/** Adds `--array` and `--report-only`, for work in parts that several processes can share. */
export function withSharing(command: Command): Command {
  return command
    .option(
      '--array <i/n>',
      'be the i-th of n processes with the same --out, on one machine or several: each makes its share',
      readShare,
    )
    .addOption(
      new Option(
        '--report-only',
        'make nothing: write the page of what is finished, and say what is missing',
      ).conflicts('array'),
    )
}

/** The same for a job. */
export function sharing({ array, reportOnly }: ShareFlags): { share?: Share; onlyFinished?: boolean } {
  return { ...(array && { share: array }), ...(reportOnly && { onlyFinished: true }) }
}

/** `--distributed`, for commands that train. */
export function distributedOption(): Option {
  return new Option('--distributed <library>', 'train together with all processes that mpirun has started').choices([
    'mpi',
  ])
}

/** Appends to a list: for options that may be given several times. */
export function collect(value: string, list: readonly string[]): string[] {
  return [...list, value]
}

/** `--help` examples. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
