/** Checkpoints: one safetensors file holds every variable and, as metadata, the state of training and a digest of the data. */
import { createHash, type Hash } from 'node:crypto'
import { copyFile, link, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../io/atomic.ts'
import { cannotWrite } from '../io/errors.ts'
import { readSafetensorsFile, writeSafetensorsFile } from '../io/safetensors-file.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, type TenfoldError, UsageError } from '../util/errors.ts'
import { pathArgument } from '../util/shell.ts'
import { systemCode } from '../util/system-errors.ts'
import type { Checkpoint, DamageListener, Saved, SaveOptions, TrainingState } from './store.ts'

const count = z.number().int().min(0)

const trainingState: z.ZodType<TrainingState> = z.object({
  step: count,
  loader: z.looseObject({ epoch: count, position: count.optional() }),
  best: z.number().nullable(),
  /** Missing in older checkpoints. */
  bestStep: count.nullable().default(null),
  /** Missing in older checkpoints. */
  bestLoss: z.number().nullable().default(null),
  evaluationsSinceBest: count,
  seconds: z.number(),
})

const stateKey = 'tenfold.state'
const digestKey = 'tenfold.sha256'
const bestName = 'best.safetensors'
const asideSuffix = '.damaged'

function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`
}

function stepOf(path: string): number {
  return Number(/step-(\d+)\.safetensors$/.exec(path)?.[1])
}

// Node's digest takes at most 2 GiB at once.
const largestUpdate = 2 ** 28

function update(digest: Hash, bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += largestUpdate) {
    digest.update(bytes.subarray(start, start + largestUpdate))
  }
}

/** The digest of a checkpoint from its data; it also covers what the header says of them. */
function finish(digest: Hash, tensors: Iterable<readonly [string, NDArray]>, state: string): string {
  const described = [...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])
  return digest.update(JSON.stringify([described, state])).digest('hex')
}

/** Names a checkpoint of the folder as the best one, unless it has that name only. */
export async function markBest(folder: string, { path }: Pick<Checkpoint, 'path'>): Promise<void> {
  if (path === join(folder, bestName)) return
  const temporary = join(folder, 'best.tmp')
  try {
    // A second name for the same file, put in place by rename: readers see the old best or the new, never none.
    await rm(temporary, { force: true })
    // Some file systems (FAT, network shares) have no second names.
    await link(path, temporary).catch(() => copyFile(path, temporary))
    await rename(temporary, join(folder, bestName))
  } catch (error) {
    throw cannotWrite(join(folder, bestName), error)
  } finally {
    // A rename also leaves it if it is the best one already: both are names of one file.
    await rm(temporary, { force: true })
  }
}

/** Writes a checkpoint atomically and removes all but the newest `keep` up to it; `best` also marks it as the best one. */
export async function saveCheckpoint(
  folder: string,
  variables: ReadonlyMap<string, Saved>,
  state: TrainingState,
  options: SaveOptions,
): Promise<string> {
  await makeFolder(folder)
  const path = join(folder, checkpointName(state.step))
  const tensors = [...variables].map(([name, variable]) => [name, variable.array] as const)
  const stateText = JSON.stringify(state)
  await writeSafetensorsFile(path, tensors, (data) => {
    const digest = createHash('sha256')
    for (const piece of data) update(digest, piece)
    return { format: 'tenfold', [stateKey]: stateText, [digestKey]: finish(digest, tensors, stateText) }
  })
  if (options.best) await markBest(folder, { path })
  const older = (await listCheckpoints(folder)).filter((each) => stepOf(each) <= state.step)
  for (const old of older.slice(0, -options.keep)) await rm(old)
  return path
}

/** Paths of the numbered checkpoints, oldest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => /^step-\d+\.safetensors$/.test(name))
    .map((name) => join(folder, name))
    .sort((a, b) => stepOf(a) - stepOf(b))
}

function parseState(path: string, text: string): TrainingState {
  try {
    return trainingState.parse(JSON.parse(text))
  } catch (error) {
    throw new FormatError(`${path}: does not say where training stood`, { cause: error, hint: 'the file is damaged' })
  }
}

/** Reads a checkpoint whole. Throws a FormatError if it is damaged: incomplete, or with other bytes than were written. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const digest = createHash('sha256')
  const { tensors, metadata } = await readSafetensorsFile(path, (bytes) => update(digest, bytes))
  const { [stateKey]: text, [digestKey]: written } = metadata
  if (text === undefined) {
    throw new FormatError(`${path}: is a safetensors file, but not a checkpoint of a tenfold run`, {
      hint: 'a run directory holds checkpoints/step-*.safetensors',
    })
  }
  // Older checkpoints have no digest.
  if (written !== undefined && written !== finish(digest, tensors, text)) {
    throw new FormatError(`${path}: its bytes are not those that were written`, { hint: 'the file is damaged' })
  }
  return { path, tensors, state: parseState(path, text) }
}

/** What is known of a run when its checkpoint is searched. */
export interface CheckpointSearch {
  readonly onDamage?: DamageListener
  /** Whether the run had a checkpoint once: if there is none now, it is lost. Default: false. */
  readonly hasBegun?: boolean
}

// A folder or a broken link of a checkpoint's name: nothing that could be read later.
const noFile = new Set(['EISDIR', 'ENOENT', 'ELOOP'])

/** Why a checkpoint cannot be used, if it is the file's own fault: what the system refuses may be granted later. */
function damageOf(error: unknown): TenfoldError | undefined {
  if (error instanceof FormatError) return error
  return error instanceof UsageError && noFile.has(systemCode(error.cause) ?? '') ? error : undefined
}

/**
 * The newest checkpoint of a run that can be read: a damaged one is skipped in favour of the one before, and finally of the
 * best one. Undefined if the run has none yet; throws a FormatError if all it has are damaged, or if those it had are gone.
 */
export async function newestCheckpoint(
  folder: string,
  { onDamage, hasBegun = false }: CheckpointSearch = {},
): Promise<Checkpoint | undefined> {
  const paths = (await listCheckpoints(folder)).reverse()
  if (await hasBest(folder)) paths.push(join(folder, bestName))
  const damaged: { readonly path: string; readonly error: TenfoldError }[] = []
  for (const path of paths) {
    try {
      const checkpoint = await readCheckpoint(path)
      for (const { path, error } of damaged) onDamage?.(path, errorReason(error))
      return checkpoint
    } catch (error) {
      const damage = damageOf(error)
      if (!damage) throw error
      damaged.push({ path, error: damage })
    }
  }
  const firstError = damaged[0]?.error
  if (firstError) throw noneLeft(`${folder}: every checkpoint is damaged (${errorReason(firstError)})`, firstError)
  await checkNotLost(folder, hasBegun)
  return undefined
}

/** For a folder without any checkpoint: throws a FormatError unless there never was one. */
async function checkNotLost(folder: string, hasBegun: boolean): Promise<void> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.some((name) => name.endsWith(asideSuffix)))
    throw noneLeft(`${folder}: every checkpoint is damaged, and set aside as *.damaged`)
  if (hasBegun) throw noneLeft(`${folder}: the checkpoints of the run are gone`)
}

function noneLeft(message: string, cause?: Error): FormatError {
  return new FormatError(message, {
    hint: 'copy one back from elsewhere; to train from the start, begin a new run',
    ...(cause && { cause }),
  })
}

/** For system errors, the explanation is in the hint. */
function errorReason({ message, hint, cause }: TenfoldError): string {
  return systemCode(cause) === undefined || hint === undefined ? message : `${message}: ${hint}`
}

async function hasBest(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => [])
  return names.includes(bestName)
}

/** Which checkpoint of a run to use: the newest, the best, or that of a step. */
export type CheckpointChoice = 'last' | 'best' | number

/** The steps of a run's checkpoints: the numbered ones, and of the best one. */
export async function checkpointSteps(
  folder: string,
): Promise<{ readonly numbered: number[]; readonly best?: number }> {
  const numbered = (await listCheckpoints(folder)).map(stepOf)
  if (!(await hasBest(folder))) return { numbered }
  // A damaged one has no step.
  const best = await readCheckpoint(join(folder, bestName)).catch(() => undefined)
  return { numbered, ...(best && { best: best.state.step }) }
}

/**
 * The chosen checkpoint of the run at `path`; `last` skips damaged ones. Throws a UsageError if there is none, which says
 * what there is, a FormatError if it is damaged or lost.
 */
export async function chosenCheckpoint(
  path: string,
  folder: string,
  choice: CheckpointChoice,
  search: CheckpointSearch = {},
): Promise<Checkpoint> {
  if (choice === 'last') {
    const newest = await newestCheckpoint(folder, search)
    if (newest) return newest
    throw new UsageError(`${path} has no checkpoint yet`, {
      hint: `train it first: tenfold resume ${pathArgument(path)}`,
    })
  }
  const paths = await listCheckpoints(folder)
  const bestExists = await hasBest(folder)
  if (paths.length === 0 && !bestExists) await checkNotLost(folder, search.hasBegun ?? false)
  if (choice === 'best') {
    if (bestExists) return readCheckpoint(join(folder, bestName))
    throw new UsageError(`${path} has no best checkpoint yet`, { hint: 'an evaluation decides which is the best' })
  }
  const numbered = paths.find((each) => stepOf(each) === choice)
  if (numbered !== undefined) return readCheckpoint(numbered)
  const { numbered: steps, best } = await checkpointSteps(folder)
  if (best === choice) return readCheckpoint(join(folder, bestName))
  const found = [...steps.map(String), ...(best === undefined ? [] : [`${best} (best)`])]
  throw new UsageError(`${path} has no checkpoint of step ${choice}`, {
    hint: found.length > 0 ? `it has those of step ${found.join(', ')}` : 'it has none at all',
  })
}

/** Renames damaged checkpoints, so that they do not count among those that are kept. */
export async function setAside(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rename(path, path.replace(/\.safetensors$/, asideSuffix))
}
