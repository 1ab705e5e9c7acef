import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { writeFileAtomic } from '../../src/io/atomic.ts'

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
    `import { writeFileAtomic } from './atomic.mjs'
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
