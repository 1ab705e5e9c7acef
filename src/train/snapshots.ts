/** Pictures that a run keeps of each evaluation: PNG files `NAME-STEP.png` in one folder. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, writeFileAtomic } from '../io/atomic.ts'
import { decodePng, encodePng } from '../io/png.ts'
import type { Picture } from '../report/figures.ts'
import { FormatError } from '../util/errors.ts'
import { systemCode } from '../util/system-errors.ts'
import type { Snapshots } from './store.ts'

/** A picture of one evaluation. */
export interface Snapshot {
  /** What it shows. */
  readonly name: string
  readonly step: number
  readonly picture: Picture
}

interface SnapshotFile {
  readonly name: string
  readonly step: number
  readonly path: string
}

/** The files of a folder, by name and in the order of their steps. */
async function listSnapshots(folder: string): Promise<SnapshotFile[]> {
  const files = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const found = files.flatMap((file) => {
    const [, name, step] = /^(.+)-(\d+)\.png$/.exec(file) ?? []
    return name === undefined ? [] : [{ name, step: Number(step), path: join(folder, file) }]
  })
  return found.sort((a, b) => a.name.localeCompare(b.name) || a.step - b.step)
}

/** Writes the pictures of an evaluation, each whole or not at all. */
export async function saveSnapshots(folder: string, step: number, snapshots: Snapshots): Promise<void> {
  await makeFolder(folder)
  for (const [name, { pixels, width, height, channels }] of Object.entries(snapshots)) {
    const path = join(folder, `${name}-${String(step).padStart(8, '0')}.png`)
    await writeFileAtomic(path, encodePng(pixels, width, height, channels))
  }
}

/** Removes the pictures of evaluations after `step`. */
export async function dropSnapshots(folder: string, step: number): Promise<void> {
  for (const file of await listSnapshots(folder)) if (file.step > step) await rm(file.path)
}

/** All pictures, by name and in the order of their steps; one that is damaged is left out. */
export async function readSnapshots(folder: string): Promise<Snapshot[]> {
  const snapshots: Snapshot[] = []
  for (const { name, step, path } of await listSnapshots(folder)) {
    try {
      snapshots.push({ name, step, picture: decodePng(await readFile(path), path) })
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  return snapshots
}
