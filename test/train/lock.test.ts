import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { folderHolder, lockFolder } from '../../src/train/lock.ts'

const root = await mkdtemp(join(tmpdir(), 'tenfold-lock-'))
afterAll(() => rm(root, { recursive: true }))

/** What a lock of this process says. */
async function ownHolder(): Promise<Record<string, unknown>> {
  const folder = await mkdtemp(join(root, 'own-'))
  const lock = await lockFolder(folder)
  const [file = ''] = await readdir(folder)
  const holder: Record<string, unknown> = JSON.parse(await readFile(join(folder, file), 'utf8'))
  lock.release()
  return holder
}

/** A folder with the lock of another holder. */
async function heldBy(holder: Record<string, unknown>): Promise<string> {
  const folder = await mkdtemp(join(root, 'held-'))
  await writeFile(join(folder, 'lock-other.json'), JSON.stringify({ ...(await ownHolder()), ...holder }))
  return folder
}

test('a folder in the place of a lock is told', async () => {
  const folder = await mkdtemp(join(root, 'folder-'))
  const path = join(folder, 'lock-other.json')
  await mkdir(path)
  await expect(lockFolder(folder)).rejects.toThrow(`${path}: is no lock of a process, and cannot be removed`)
  expect(await readdir(folder)).toEqual(['lock-other.json'])
})

test('makes the folder, holds it until it is released, and leaves nothing behind', async () => {
  const folder = join(root, 'a', 'b')
  const lock = await lockFolder(folder)
  expect(await readdir(folder)).toHaveLength(1)
  lock.release()
  expect(existsSync(folder)).toBe(false)
  await mkdir(folder)
  ;(await lockFolder(folder)).release()
  expect(await readdir(folder)).toEqual([])
})

test('a second holder is told who has the lock, and since when', async () => {
  const folder = await mkdtemp(join(root, 'second-'))
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(
      new RegExp(`^${folder} is in use by process ${process.pid} since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC$`),
    ),
    hint: 'wait until it has ended, or stop it',
  })
  expect(await readdir(folder)).toHaveLength(1)
  lock.release()
})

test('who holds a folder is told without taking it, and nothing is removed', async () => {
  const folder = await mkdtemp(join(root, 'asked-'))
  expect(folderHolder(folder)).toBeUndefined()
  const lock = await lockFolder(folder)
  expect(folderHolder(folder)).toEqual({ pid: process.pid, since: expect.stringMatching(/^\d{4}-/), isHere: true })
  lock.release()
  expect(folderHolder(await heldBy({ host: 'elsewhere' }))).toMatchObject({ isHere: false })
  const dead = await heldBy({ pid: 2 ** 22 + 1 })
  expect(folderHolder(dead)).toBeUndefined()
  expect(await readdir(dead)).toEqual(['lock-other.json'])
})

test('of many that come at once, at most one has the lock', async () => {
  const folder = await mkdtemp(join(root, 'many-'))
  const locks = await Promise.allSettled(Array.from({ length: 6 }, () => lockFolder(folder)))
  expect(locks.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
})

test('the lock of a process that was killed is taken over', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const folder = await heldBy({ pid: child.pid, begun: '' })
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await lockFolder(folder)
  expect(await readdir(folder)).toHaveLength(1)
  lock.release()
})

test.runIf(process.platform === 'linux')('a lock from before the last start of the machine is taken over', async () => {
  const folder = await heldBy({ boot: 'another' })
  const lock = await lockFolder(folder)
  expect(folderHolder(folder)).toMatchObject({ pid: process.pid, isHere: true })
  expect(await readdir(folder)).toHaveLength(1)
  lock.release()
})

test.runIf(process.platform === 'linux')('a process that only has the number of the holder does not hold', async () => {
  const folder = await heldBy({ begun: '1' })
  const lock = await lockFolder(folder)
  expect(folderHolder(folder)).toMatchObject({ pid: process.pid, isHere: true })
  expect(await readdir(folder)).toHaveLength(1)
  lock.release()
})

test.each([
  [{ host: 'elsewhere' }, ' on elsewhere'],
  [{ space: 'pid:[1]' }, ' of another container'],
])('nobody knows whether %j has ended', async (holder, where) => {
  const folder = await heldBy({ ...holder, pid: 7, since: '2026-11-28T01:02:03.456Z' })
  await expect(lockFolder(folder)).rejects.toMatchObject({
    message: `${folder} is in use by process 7${where} since 2026-11-28 01:02:03 UTC`,
    hint: `if that process has ended, delete ${join(folder, 'lock-other.json')}`,
  })
  expect(hostname()).not.toBe('elsewhere')
})

test('a file that says nothing holds nothing', async () => {
  const folder = await mkdtemp(join(root, 'empty-'))
  await writeFile(join(folder, 'lock-x.json'), '')
  ;(await lockFolder(folder)).release()
  expect(await readdir(folder)).toEqual([])
})
