import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listFolder, splitFolders } from '../../../src/data/sources/listing.ts'
import { told, withFolder } from '../support.ts'

async function write(folder: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), '')
  }
}

test('files at any depth; hidden ones are counted and not looked into', async () => {
  await withFolder(async (folder) => {
    await write(folder, 'b/2', 'b/c/3', 'a', '.git/HEAD', '__MACOSX/._a', 'b/Thumbs.db', 'b/.DS_Store', 'b/._2')
    const { files, folders, hidden, repeated, unreadable } = await listFolder(folder)
    expect(files).toEqual(['a', 'b/2', 'b/c/3'])
    expect(folders).toEqual(['b', 'b/c'])
    expect(hidden).toEqual(['.git', '__MACOSX', 'b/.DS_Store', 'b/._2', 'b/Thumbs.db'])
    expect([repeated, unreadable]).toEqual([[], []])
  })
})

test('links are followed once: to files, to folders, in a circle, to what is read anyway', async () => {
  await withFolder(async (folder) => {
    const root = join(folder, 'root')
    await write(folder, 'root/own/1', 'root/own/deep/2', 'else/3', 'else/sub/4', 'single')
    const link = (to: string, name: string) => symlink(join(folder, to), join(root, name))
    await link('else', 'linked')
    await link('single', 'own/file')
    await link('root/own', 'again')
    await link('root/own/1', 'own/twin')
    await link('root', 'own/deep/circle')
    await link('single', 'own/second')
    await link('root', '../else/back')
    const { files, repeated, unreadable } = await listFolder(root)
    expect(files).toEqual(['linked/3', 'linked/sub/4', 'own/1', 'own/deep/2', 'own/file'])
    expect([...repeated].sort()).toEqual(['again', 'linked/back', 'own/deep/circle', 'own/second', 'own/twin'])
    expect(unreadable).toEqual([])
  })
})

test('a link to a folder above does not read anything twice', async () => {
  await withFolder(async (folder) => {
    await write(folder, 'root/a/1', 'beside/2')
    await symlink(folder, join(folder, 'root', 'up'))
    const { files, repeated } = await listFolder(join(folder, 'root'))
    expect(files).toEqual(['a/1', 'up/beside/2'])
    expect(repeated).toEqual(['up/root'])
  })
})

test('broken links and folders without permission are named', async () => {
  await withFolder(async (folder) => {
    await write(folder, 'closed/1')
    await symlink('/nonexistent/folder', join(folder, 'gone'))
    await symlink('self', join(folder, 'self'))
    await chmod(join(folder, 'closed'), 0o000)
    const { unreadable } = await listFolder(folder)
    await chmod(join(folder, 'closed'), 0o700)
    const messages = unreadable.map(({ path, reason }) => `${path.replace(folder, '.')}: ${reason}`)
    expect(messages).toContain('./gone: is a broken link, to /nonexistent/folder')
    expect(messages).toContain('./self: is a broken link, to self')
    if (process.getuid?.() !== 0) expect(messages).toContain('./closed: cannot be read (EACCES)')
  })
})

test('a file in place of the folder', async () => {
  await withFolder(async (folder) => {
    await write(folder, 'file')
    expect((await told(() => listFolder(join(folder, 'file')))).replace(folder, '.')).toBe(
      'UsageError: ./file: cannot be read (ENOTDIR) | a part of the path is a file, not a folder',
    )
  })
})

test('a folder that is not there', async () => {
  expect(await told(() => listFolder('/nonexistent'))).toBe('UsageError: /nonexistent: no such file or folder')
})

test('folders of a divided data set', () => {
  expect(splitFolders(['Test', 'train', 'valid'])).toEqual({ train: 'train', test: 'Test', validation: 'valid' })
  expect(splitFolders(['cats', 'training'])).toEqual({ train: 'training', test: undefined, validation: undefined })
})

test.skipIf(process.platform !== 'linux')('a name that is not UTF-8 is named', async () => {
  await withFolder(async (folder) => {
    await mkdir(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]))
    await write(folder, 'a', 'lost+found/x')
    const { files, hidden, unreadable } = await listFolder(folder)
    expect([files, hidden]).toEqual([['a'], ['lost+found']])
    expect(unreadable.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      `${join(folder, 'caf\ufffd')}: has a name that is not UTF-8: rename it`,
    ])
  })
})
