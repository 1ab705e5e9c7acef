import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { makeFolder, removeUnfinished, requireNotInput, requireWritable, writeFileAtomic } from '../../src/io/atomic.ts'

const root = await mkdtemp(join(tmpdir(), 'tenfold-'))
afterAll(() => rm(root, { recursive: true }))

test('replaces the file and leaves nothing else behind', async () => {
  const folder = await mkdtemp(join(root, 'replace-'))
  const path = join(folder, 'state')
  await writeFileAtomic(path, Buffer.from('old'))
  await writeFileAtomic(path, Buffer.from('new'))
  expect(await readFile(path, 'utf8')).toBe('new')
  expect(await readdir(folder)).toEqual(['state'])
})

test('a failure keeps what was there and removes the temporary file', async () => {
  const folder = await mkdtemp(join(root, 'failure-'))
  const path = join(folder, 'state')
  await mkdir(path)
  await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: `${path}: cannot be written (EISDIR)`,
      hint: 'is a folder',
    }),
  )
  expect(await readdir(folder)).toEqual(['state'])
})

test('a folder that is missing', async () => {
  const path = join(root, 'missing', 'state')
  await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: `${path}: cannot be written (ENOENT)`,
      hint: 'its folder is not there',
    }),
  )
})

/** A program that writes 256 KiB of one byte after the other until it is killed. */
async function writerProgram(): Promise<string> {
  const source = fileURLToPath(new URL('../../src/io/atomic.ts', import.meta.url))
  const output = {
    ssr: source,
    outDir: root,
    emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: 'atomic.mjs' } },
  }
  await build({ configFile: false, logLevel: 'silent', build: output })
  const program = join(root, 'writer.mjs')
  await writeFile(
    program,
    `import { makeFolder, removeUnfinished, writeFileAtomic } from './atomic.mjs'
    for (let i = 1; ; i++) {
      await writeFileAtomic(process.argv[2], new Uint8Array(1 << 18).fill(i % 256))
      if (i === 1) process.stdout.write('written')
    }`,
  )
  return program
}

test('a process that is killed while it writes leaves a whole file', async () => {
  const program = await writerProgram()
  const path = join(root, 'killed')
  const expectWhole = async (): Promise<void> => {
    const bytes = await readFile(path)
    expect(bytes.length).toBe(1 << 18)
    expect(bytes.equals(Buffer.alloc(1 << 18, bytes[0]))).toBe(true)
  }
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    // Reads in the middle of writing must find a whole file, too.
    const end = performance.now() + 7 * round + 1
    do await expectWhole()
    while (performance.now() < end)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expectWhole()
  }
})

test('pieces are one file', async () => {
  const path = join(root, 'pieces')
  await writeFileAtomic(path, [Buffer.from('one '), new Uint8Array(), Buffer.from('two')])
  expect(await readFile(path, 'utf8')).toBe('one two')
})

test('a link stays a link, also one to a file that is not there yet', async () => {
  const folder = await mkdtemp(join(root, 'link-'))
  await mkdir(join(folder, 'sub'))
  const [link, target] = [join(folder, 'sub', 'link'), join(folder, 'target')]
  await symlink('../target', link)
  for (const text of ['first', 'second']) {
    await writeFileAtomic(link, Buffer.from(text))
    expect(await readFile(target, 'utf8')).toBe(text)
  }
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
})

test('links that lead in a circle stay', async () => {
  const folder = await mkdtemp(join(root, 'circle-'))
  const [path, other] = [join(folder, 'a'), join(folder, 'b')]
  await symlink(other, path)
  await symlink(path, other)
  await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toMatchObject({
    name: 'UsageError',
    message: `${path}: cannot be written (ELOOP)`,
    hint: 'its links lead in a circle',
  })
  expect((await lstat(path)).isSymbolicLink()).toBe(true)
  expect((await readdir(folder)).sort()).toEqual(['a', 'b'])
})

test('no file takes the place of a device', async () => {
  await writeFileAtomic('/dev/null', Buffer.from('gone'))
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
})

test('a name of 255 bytes', async () => {
  const path = join(root, 'n'.repeat(255))
  await writeFileAtomic(path, Buffer.from('x'))
  expect(await readFile(path, 'utf8')).toBe('x')
})

test.runIf(process.platform === 'linux')('a full disk: the reason, and the old content', async () => {
  const path = '/dev/full'
  await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toMatchObject({
    message: '/dev/full: cannot be written (ENOSPC)',
    hint: 'the disk is full',
  })
})

test('what killed writers left is removed, nothing else', async () => {
  const folder = await mkdtemp(join(root, 'unfinished-'))
  const left = `.step-1.safetensors.${randomUUID()}.tmp`
  for (const name of [left, '.own.tmp', 'step-1.safetensors']) await writeFile(join(folder, name), '')
  await removeUnfinished(folder)
  expect((await readdir(folder)).sort()).toEqual(['.own.tmp', 'step-1.safetensors'])
  await removeUnfinished(join(folder, 'missing'))
})

test('folders are made with those above them; what is in the way is said', async () => {
  const folder = join(root, 'made', 'deep')
  expect(await makeFolder(folder)).toBe(true)
  expect(await makeFolder(folder)).toBe(false)
  await writeFile(join(folder, 'file'), '')
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({
    message: `${join(folder, 'file')}: must be a folder, found a file or a broken link`,
    hint: 'choose another name',
  })
  await expect(makeFolder(join(folder, 'file', 'a', 'b'))).rejects.toMatchObject({
    message: `${join(folder, 'file', 'a', 'b')}: cannot be written (ENOTDIR)`,
    hint: 'a part of the path is a file, not a folder',
  })
})

test.runIf(process.platform === 'linux')(
  'a folder where the system makes none is an error, not an endless search',
  async () => {
    await expect(makeFolder('/proc/none/deep')).rejects.toMatchObject({
      message: '/proc/none: cannot be written (ENOENT)',
      hint: 'its folder is not there',
    })
  },
)

test('whether a file can be made is told before the work, and nothing is left of the attempt', async () => {
  const folder = join(root, 'writable')
  await makeFolder(join(folder, 'inner'))
  await requireWritable(join(folder, 'file'))
  expect(await readdir(folder)).toEqual(['inner'])
  await expect(requireWritable(join(folder, 'inner'))).rejects.toMatchObject({
    message: `${join(folder, 'inner')}: cannot be written (EISDIR)`,
    hint: 'is a folder',
  })
})

test.runIf(process.platform === 'linux')('a folder whose rights promise more than the system keeps', async () => {
  await expect(requireWritable('/proc/video.mp4')).rejects.toThrow('/proc/video.mp4: cannot be written (ENOENT)')
})

test('a file that is read is not written over, whatever it is called', async () => {
  const folder = await mkdtemp(join(root, 'input-'))
  const [input, other] = [join(folder, 'song.mp4'), join(folder, 'other.mp4')]
  await writeFile(input, 'the original')
  await writeFile(other, 'another')
  await symlink(input, join(folder, 'link.mp4'))
  await link(input, join(folder, 'same.mp4'))
  const names = [
    input,
    `${folder}/./x/../song.mp4`,
    relative('.', input),
    join(folder, 'link.mp4'),
    join(folder, 'same.mp4'),
  ]
  await mkdir(join(folder, 'x'))
  for (const path of names) {
    await expect(requireNotInput(path, ['', 'a red apple', input], 'give another')).rejects.toMatchObject({
      message: `${path} is an input, and would be overwritten`,
      hint: 'give another',
    })
    await expect(requireNotInput(input, [path], '')).rejects.toThrow('is an input')
  }
  await requireNotInput(other, [input], '')
  await requireNotInput(join(folder, 'new.mp4'), [input, join(folder, 'new.mp4')], '')
  await requireNotInput(folder, [folder], '')
})
