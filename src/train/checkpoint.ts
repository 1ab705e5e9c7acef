/** Checkpoints: one safetensors file holds every variable and, as metadata, where training stood and a digest of the data. */
import { createHash, type Hash } from 'node:crypto'
import { copyFile, link, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../io/atomic.ts'
import { cannotWrite } from '../io/errors.ts'
import { readSafetensorsFile, writeSafetensorsFile } from '../io/safetensors-file.ts'
import type { NDArray } from '../tensor/dtype.ts'
import type { Variable } from '../tensor/variable.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import { systemCode } from '../util/system-errors.ts'
import type { Checkpoint, DamageListener, SaveOptions, TrainingState } from './store.ts'

const count = z.number().int().min(0)

const trainingState: z.ZodType<TrainingState> = z.object({
  step: count,
  loader: z.object({ epoch: count, position: count }),
  best: z.number().nullable(),
  /** Missing in older checkpoints. */
  bestStep: count.nullable().default(null),
  evaluationsSinceBest: count,
  seconds: z.number(),
})

const stateKey = 'tenfold.state'
const digestKey = 'tenfold.sha256'
const bestName = 'best.safetensors'

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

/** The digest of a checkpoint whose data it has seen: what the header says of them belongs to it too. */
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
    // Left by a rename, too, if it is the best one already: both are names of one file.
    await rm(temporary, { force: true })
  }
}

/** Writes a checkpoint atomically and removes all but the newest `keep` up to it; `best` also marks it as the best one. */
export async function saveCheckpoint(
  folder: string,
  variables: ReadonlyMap<string, Variable>,
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
    throw new FormatError(`${path}: is a safetensors file, but no checkpoint of a tenfold run`, {
      hint: 'a run directory holds checkpoints/step-*.safetensors',
    })
  }
  // Older checkpoints have no digest.
  if (written !== undefined && written !== finish(digest, tensors, text)) {
    throw new FormatError(`${path}: its bytes are not those that were written`, { hint: 'the file is damaged' })
  }
  return { path, tensors, state: parseState(path, text) }
}

/**
 * The newest checkpoint of a run that can be read: a damaged one is passed over in favour of the one before, and at last of the
 * best one. Undefined if the run has none; throws a FormatError if all it has are damaged.
 */
export async function newestCheckpoint(
  folder: string,
  onDamage: DamageListener = () => {},
): Promise<Checkpoint | undefined> {
  const paths = (await listCheckpoints(folder)).reverse()
  if (await hasBest(folder)) paths.push(join(folder, bestName))
  const damaged: { readonly path: string; readonly error: FormatError }[] = []
  for (const path of paths) {
    try {
      const checkpoint = await readCheckpoint(path)
      for (const { path, error } of damaged) onDamage(path, error.message)
      return checkpoint
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      damaged.push({ path, error })
    }
  }
  const firstError = damaged[0]?.error
  if (!firstError) return undefined
  throw new FormatError(`${folder}: every checkpoint is damaged (${firstError.message})`, {
    cause: firstError,
    hint: 'copy one back from elsewhere; to train from the start, begin a new run',
  })
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
  // A damaged one has no step to tell.
  const best = await readCheckpoint(join(folder, bestName)).catch(() => undefined)
  return { numbered, ...(best && { best: best.state.step }) }
}

/**
 * The chosen checkpoint of the run at `path`; `last` passes damaged ones over. Throws a UsageError if there is none, which says
 * what there is, a FormatError if it is damaged.
 */
export async function chosenCheckpoint(
  path: string,
  folder: string,
  choice: CheckpointChoice,
  onDamage?: DamageListener,
): Promise<Checkpoint> {
  if (choice === 'last') {
    const newest = await newestCheckpoint(folder, onDamage)
    if (newest) return newest
    throw new UsageError(`${path} has no checkpoint yet`, { hint: `train it first: tenfold resume ${path}` })
  }
  if (choice === 'best') {
    if (await hasBest(folder)) return readCheckpoint(join(folder, bestName))
    throw new UsageError(`${path} has no best checkpoint yet`, { hint: 'an evaluation decides which is the best' })
  }
  const numbered = (await listCheckpoints(folder)).find((each) => stepOf(each) === choice)
  if (numbered !== undefined) return readCheckpoint(numbered)
  const { numbered: steps, best } = await checkpointSteps(folder)
  if (best === choice) return readCheckpoint(join(folder, bestName))
  const found = [...steps.map(String), ...(best === undefined ? [] : [`${best} (best)`])]
  throw new UsageError(`${path} has no checkpoint of step ${choice}`, {
    hint: found.length > 0 ? `it has those of step ${found.join(', ')}` : 'it has none at all',
  })
}

/** Takes damaged checkpoints out of the way, under another name, so that they do not count among those that are kept. */
export async function setAside(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rename(path, path.replace(/\.safetensors$/, '.damaged'))
}
