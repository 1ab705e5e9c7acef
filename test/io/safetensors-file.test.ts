import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { readSafetensorsFile, writeSafetensorsFile } from '../../src/io/safetensors-file.ts'
import { arrays, fixture } from './samples.ts'

const folder = await mkdtemp(join(tmpdir(), 'tenfold-'))
afterAll(() => rm(folder, { recursive: true }))

test('a file that is written and read in pieces is the one that is made in memory', async () => {
  const path = join(folder, 'a.safetensors')
  const bytes = await writeSafetensorsFile(path, arrays, { note: 'x' })
  const whole = writeSafetensors(arrays, { note: 'x' })
  expect(bytes).toBe(whole.length)
  expect((await readFile(path)).equals(whole)).toBe(true)
  const read = await readSafetensorsFile(path)
  expect(read).toEqual(readSafetensors(whole))
  expect([...read.tensors.keys()]).toEqual([...readSafetensors(whole).tensors.keys()])
})

test('the data are seen in the order of the file, by writer and reader', async () => {
  const path = join(folder, 'b.safetensors')
  const written: Uint8Array[] = []
  await writeSafetensorsFile(path, arrays, (data) => {
    written.push(...data)
    return {}
  })
  const seen: Uint8Array[] = []
  await readSafetensorsFile(path, (bytes) => seen.push(bytes.slice()))
  expect(Buffer.concat(seen).equals(Buffer.concat(written))).toBe(true)
  expect((await readFile(path)).subarray(-Buffer.concat(seen).length).equals(Buffer.concat(seen))).toBe(true)
})

test('all element types', async () => {
  const path = join(folder, 'types.safetensors')
  await writeFile(path, fixture('types.safetensors'))
  expect(await readSafetensorsFile(path)).toEqual(readSafetensors(fixture('types.safetensors')))
})

test.each([
  [0, "safetensors: the file must begin with the 8 bytes of its header's length, found 0"],
  [5, "safetensors: the file must begin with the 8 bytes of its header's length, found 5"],
])('a file of %i bytes', async (length, message) => {
  const path = join(folder, 'cut.safetensors')
  await writeFile(path, writeSafetensors(arrays).subarray(0, length))
  await expect(readSafetensorsFile(path)).rejects.toMatchObject({ name: 'FormatError', message: `${path}: ${message}` })
})

test('a file that is not there', async () => {
  const path = join(folder, 'none')
  await expect(readSafetensorsFile(path)).rejects.toMatchObject({
    name: 'UsageError',
    message: `${path}: cannot be read (ENOENT)`,
    hint: 'no such file or folder',
  })
})
