import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isPlainName, RunsFolder } from '../../src/studio/server/places.ts'

const root = await realpath(await mkdtemp(join(tmpdir(), 'tenfold-places-')))
afterAll(() => rm(root, { recursive: true }))

await mkdir(join(root, 'runs', 'a', 'snapshots'), { recursive: true })
await mkdir(join(root, 'runs', 'group', 'b'), { recursive: true })
await mkdir(join(root, 'runs', '.hidden'))
await mkdir(join(root, 'other'))
await writeFile(join(root, 'secret'), 'secret')
await writeFile(join(root, 'other', 'secret'), 'secret')
await writeFile(join(root, 'runs', 'a', 'report.html'), 'page')
await writeFile(join(root, 'runs', 'a', '.private'), '')
await writeFile(join(root, 'runs', 'a', 'snapshots', 'samples-00000001.png'), '')
await writeFile(join(root, 'runs', 'group', 'b', 'report.html'), 'page')
await symlink(join(root, 'secret'), join(root, 'runs', 'a', 'link'))
await symlink('report.html', join(root, 'runs', 'a', 'inner'))
await symlink(join(root, 'other'), join(root, 'runs', 'out'))
await symlink(join(root, 'other'), join(root, 'runs', 'a', 'out'))
await symlink(join('..', 'group', 'b', 'report.html'), join(root, 'runs', 'a', 'neighbour'))
const folder = await RunsFolder.open(join(root, 'runs'))

test('files of runs are found, also in groups of runs and folders of a run', async () => {
  expect(await folder.run('a')).toBe(join(root, 'runs', 'a'))
  expect(await folder.run('group/b')).toBe(join(root, 'runs', 'group', 'b'))
  expect(await folder.file('a', 'report.html')).toBe(join(root, 'runs', 'a', 'report.html'))
  expect(await folder.file('a', 'inner')).toBe(join(root, 'runs', 'a', 'report.html'))
  expect(await folder.file('a', 'snapshots/samples-00000001.png')).toBeDefined()
})

test.each([
  ['', 'report.html'],
  ['.', 'a/report.html'],
  ['..', 'secret'],
  ['a', '../../secret'],
  ['a', '..'],
  ['a', './report.html'],
  ['a', 'snapshots//samples-00000001.png'],
  ['a', 'snapshots'],
  ['a', '/etc/passwd'],
  ['a', '..\\..\\secret'],
  ['a', 'C:\\secret'],
  ['a', 'report.html\0.png'],
  ['a', '%2e%2e/secret'],
  ['a', 'link'],
  ['a', 'out/secret'],
  ['a', 'neighbour'],
  ['a', '.private'],
  ['.hidden', 'secret'],
  ['out', 'secret'],
  ['a/../group', 'b/report.html'],
  ['a', 'x'.repeat(300)],
])('nothing outside of a run is found by the names %j, %j', async (run, file) => {
  expect(await folder.file(run, file)).toBeUndefined()
})

test.skipIf(process.platform === 'win32')('a folder may have any name that the system allows', async () => {
  for (const name of ['run:10:30', 'back\\slash', 'two\nlines']) {
    await mkdir(join(root, 'runs', name))
    expect(await folder.run(name)).toBe(join(root, 'runs', name))
  }
})

test('names for new runs', () => {
  const good = ['quick', 'quick-1', 'Größe_2.5', 'lr=x'.replace('=', '-')]
  const bad = [
    '',
    '.',
    '..',
    '.studio',
    'a/b',
    'a\\b',
    '-rf',
    'a b',
    'a\n',
    'con',
    'NUL.txt',
    'a.',
    'x'.repeat(101),
    '语'.repeat(90),
  ]
  expect(good.filter((name) => !isPlainName(name))).toEqual([])
  expect(bad.filter(isPlainName)).toEqual([])
})
