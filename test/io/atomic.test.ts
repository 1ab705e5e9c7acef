import { mkdir, mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFileAtomic } from '../../src/io/atomic.ts'

test('replaces the file and leaves nothing else behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-'))
  const path = join(folder, 'state')
  await writeFileAtomic(path, Buffer.from('old'))
  await writeFileAtomic(path, Buffer.from('new'))
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(await readdir(folder)).toEqual(['state'])
})

test('a failure keeps what was there and removes the temporary file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-'))
  await mkdir(join(folder, 'state'))
  await expect(writeFileAtomic(join(folder, 'state'), Buffer.from('new'))).rejects.toThrow()
  expect(await readdir(folder)).toEqual(['state'])
})
