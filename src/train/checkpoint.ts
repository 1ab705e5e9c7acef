/** Checkpoints: one safetensors file holds every variable and, as metadata, where training stood. */
import { link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../io/atomic.ts'
import { readSafetensors, writeSafetensors } from '../io/safetensors.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { Variable } from '../tensor/variable.ts'
import { FormatError, UsageError } from '../util/errors.ts'

/** Where training stood, beside the variables. */
export interface TrainingState {
  readonly step: number
  readonly loader: { readonly epoch: number; readonly position: number }
  /** Best value of the monitored metric so far, and the evaluations since. */
  readonly best: number | null
  readonly evaluationsSinceBest: number
  /** Seconds spent training, over all sessions. */
  readonly seconds: number
}

const stateKey = 'tenfold.state'

function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`
}

/** Writes a checkpoint atomically and removes all but the newest `keep`; `best` also marks it as the best one. */
export async function saveCheckpoint(
  folder: string,
  variables: ReadonlyMap<string, Variable>,
  state: TrainingState,
  options: { readonly keep: number; readonly best?: boolean },
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, checkpointName(state.step))
  const tensors = [...variables].map(([name, variable]) => [name, variable.array] as const)
  await writeFileAtomic(path, writeSafetensors(tensors, { format: 'tenfold', [stateKey]: JSON.stringify(state) }))
  if (options.best) {
    // A second name for the same file, put in place by rename: readers see the old best or the new, never none.
    const temporary = join(folder, 'best.tmp')
    await rm(temporary, { force: true })
    await link(path, temporary)
    await rename(temporary, join(folder, 'best.safetensors'))
  }
  for (const old of (await listCheckpoints(folder)).slice(0, -options.keep)) await rm(old)
  return path
}

/** Paths of the numbered checkpoints, oldest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => /^step-\d+\.safetensors$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** A checkpoint as it lies on disk. */
export interface Checkpoint {
  readonly path: string
  readonly tensors: ReadonlyMap<string, NDArray>
  readonly state: TrainingState
}

export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path))
  const text = metadata[stateKey]
  if (text === undefined) {
    throw new FormatError(`${path}: is a safetensors file, but no checkpoint of a tenfold run`, {
      hint: 'a run directory holds checkpoints/step-*.safetensors',
    })
  }
  return { path, tensors, state: JSON.parse(text) as TrainingState }
}

/** The newest checkpoint of a run that can be read: a damaged one is passed over in favour of the one before. */
export async function newestCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  for (const path of (await listCheckpoints(folder)).reverse()) {
    try {
      return await readCheckpoint(path)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  return undefined
}

/** Copies a checkpoint into the variables; names and shapes must agree. */
export function restoreVariables(checkpoint: Checkpoint, variables: ReadonlyMap<string, Variable>): void {
  for (const [name, variable] of variables) {
    const saved = checkpoint.tensors.get(name)
    if (!saved || saved.dtype !== variable.dtype || !sameShape(saved.shape, variable.shape)) {
      const found = saved ? `${saved.dtype}${formatShape(saved.shape)}` : 'nothing'
      throw new UsageError(`${checkpoint.path}: "${name}" must be ${variable.leaf}, found ${found}`, {
        hint: 'the configuration was changed after the checkpoint was written',
      })
    }
    variable.set(saved.data)
  }
}

/** The variables of a checkpoint under their prefixes. */
export function checkpointVariables(
  parts: Readonly<Record<string, Iterable<readonly [string, Variable]>>>,
): Map<string, Variable> {
  return new Map(
    Object.entries(parts).flatMap(([prefix, variables]) =>
      [...variables].map(([name, variable]) => [`${prefix}.${name}`, variable] as const),
    ),
  )
}
