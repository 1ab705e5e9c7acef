/** Where fetched data sets lie on this machine. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { MissingDataError, UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { installedFolder, packageVersion } from '../packages.ts'
import type { DataSet } from './define.ts'
import { dataSets } from './sets.ts'

/** `TENFOLD_DATA`, else `tenfold` in the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`; on Windows `LOCALAPPDATA`). */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { TENFOLD_DATA, XDG_CACHE_HOME, LOCALAPPDATA } = environment
  if (TENFOLD_DATA) return TENFOLD_DATA
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'tenfold', 'data')
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tenfold', 'data')
}

/** The data set of a name. Throws a UsageError that lists similar ones. */
export function findDataSet(name: string, sets: readonly DataSet[] = dataSets): DataSet {
  const found = sets.find((set) => set.name === name)
  if (found) return found
  throw new UsageError(`unknown data set "${name}"`, {
    hint: suggestion(
      name,
      sets.map((set) => set.name),
    ),
  })
}

/** A change of a set's packages makes a new folder: what was fetched for other versions is not taken for it. */
export function folderOf(set: DataSet, cache = cacheFolder()): string {
  return join(cache, `${set.name}-${set.sources.map(({ version }) => version).join('-')}`)
}

/** Whether a set was fetched completely: only then does its folder get its name. */
export function isFetched(set: DataSet, cache = cacheFolder()): boolean {
  return existsSync(folderOf(set, cache))
}

/** Throws a MissingDataError that names every set of `names` that is not on this machine, with the command that fetches them. */
export function requireDataSets(names: readonly string[], cache = cacheFolder()): void {
  const missing = names.filter((name) => !isFetched(findDataSet(name), cache))
  if (missing.length === 0) return
  const isOne = missing.length === 1
  throw new MissingDataError(
    `the data ${isOne ? 'set' : 'sets'} ${missing.join(', ')} ${isOne ? 'is' : 'are'} not on this machine`,
    { hint: `fetch ${isOne ? 'it' : 'them'}: npx tenfold data ${missing.join(' ')}` },
  )
}

/** The folder of a fetched set. Throws a MissingDataError with the command that fetches it. */
export function dataFolder(name: string, cache = cacheFolder()): string {
  requireDataSets([name], cache)
  return folderOf(findDataSet(name), cache)
}

/** Where the files of a set are, and which version of its package they are. */
export interface DataSource {
  readonly package: string
  readonly folder: string
  readonly version: string
}

/** A set of one package that is installed; undefined if it is not. */
export function installedSource(name: string): DataSource | undefined {
  const own = findDataSet(name).sources[0]?.package ?? ''
  const folder = installedFolder(own)
  return folder === undefined ? undefined : { package: own, folder, version: packageVersion(own, name) }
}

/** A set of one package: the installed one, else what was fetched. Throws a MissingDataError with the command that fetches it. */
export function findSource(name: string): DataSource {
  const installed = installedSource(name)
  if (installed) return installed
  const folder = dataFolder(name)
  const [{ package: own, version } = { package: '', version: '' }] = findDataSet(name).sources
  return { package: own, folder, version }
}

/** The packages of a set with their versions: they change only as a whole. */
export function packagesOf(name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(findDataSet(name).sources.map(({ package: own, version }) => [own, version]))
}
