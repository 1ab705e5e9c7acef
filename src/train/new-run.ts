/** The folder of a new run: not shared with another process, and not left behind empty if the run is not started. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder } from '../io/atomic.ts'
import { cannotWrite } from '../io/errors.ts'
import { UsageError } from '../util/errors.ts'
import { pathArgument } from '../util/shell.ts'
import { systemCode } from '../util/system-errors.ts'
import { lockFolder } from './lock.ts'

/** What a run writes beside its description: without that it is somebody else's. */
const written: readonly string[] = ['report.html', 'metrics.jsonl']

/** Throws a UsageError if there is already a run at `path`, or something that a run would be written over or into. */
export async function checkNewRun(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    // Other problems are reported when the folder is made.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw cannotWrite(path, error)
  })
  const names = entries.map(({ name }) => name)
  if (names.includes('run.json')) {
    throw new UsageError(`${path} already holds a run`, {
      hint: `continue it with: tenfold resume ${pathArgument(path)}, or choose another --out`,
    })
  }
  const hint = 'choose another --out'
  if (names.includes('report.json')) throw new UsageError(`${path} holds the results of a job`, { hint })
  if (names.includes('checkpoints')) throw new UsageError(`${path} holds checkpoints, but no run.json`, { hint })
  const folder = entries.find((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const foreign =
    folder?.name ??
    names.find((name) => written.includes(name)) ??
    (names.includes('data.json') && !(await isRecord(join(path, 'data.json'))) ? 'data.json' : undefined)
  if (foreign !== undefined)
    throw new UsageError(`${path} holds ${foreign}, but no run.json: a run would mix with it`, { hint })
}

/** Whether a file is the data record of a start that failed. */
async function isRecord(path: string): Promise<boolean> {
  return /^\{\s*"format": \d+,\s*"unit": /.test(await readFile(path, 'utf8').catch(() => ''))
}

/** Makes the folder `path`, or `path-2`, `path-3`, ... if the name is taken: no two processes get the same. */
async function makeUniqueFolder(path: string): Promise<string> {
  await makeFolder(dirname(path))
  for (let i = 1; ; i++) {
    const name = i === 1 ? path : `${path}-${i}`
    try {
      // At once: nothing can end the process between this and the lock, which removes it again.
      mkdirSync(name)
      return name
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw cannotWrite(name, error)
    }
  }
}

/** Where a new run goes: to exactly this folder (named by the user), or to one of this name or a numbered one. */
export type NewRunFolder = { readonly path: string } | { readonly like: string }

/**
 * Makes the folder of a new run, locks it and calls `begin`. Throws a UsageError if the folder cannot be made, holds a run, or
 * is another process's.
 */
export async function inNewRunFolder<T>(folder: NewRunFolder, begin: (path: string) => Promise<T>): Promise<T> {
  const isNamed = 'path' in folder
  if (isNamed) await checkNewRun(folder.path)
  // The folder of runs, where this makes it: gone again with a run that is not started.
  const parent = isNamed || existsSync(dirname(folder.like)) ? undefined : dirname(folder.like)
  const path = isNamed ? folder.path : await makeUniqueFolder(folder.like)
  const lock = await lockFolder(path, { isNew: isNamed ? !existsSync(path) : true })
  try {
    // Another process may have started and finished one in the meantime.
    await checkNewRun(path)
    return await begin(path)
  } finally {
    lock.release()
    if (parent !== undefined) removeEmpty(parent)
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // There is something in it: this run, or another one.
  }
}
