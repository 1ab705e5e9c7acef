import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeNpy } from '../../src/io/npy.ts'
import { writeNpz } from '../../src/io/npz.ts'
import { writeSafetensors } from '../../src/io/safetensors.ts'
import { parseTensorFile, readTensorFile } from '../../src/io/tensor-file.ts'
import { arrays, bytesOfText, damagedHint, fixture, sample } from './samples.ts'

const folder = await mkdtemp(join(tmpdir(), 'tenfold-'))
afterAll(() => rm(folder, { recursive: true }))

test.each<[string, Uint8Array]>([
  ['npz', writeNpz(arrays)],
  ['npz', writeNpz([])],
  ['npy', writeNpy(sample('mask'))],
  ['safetensors', writeSafetensors([])],
  ['pytorch', fixture('checkpoint.pt')],
])('a %s file is recognised, whatever its name', async (format, bytes) => {
  const path = join(folder, 'file.txt')
  await writeFile(path, bytes)
  expect((await readTensorFile(path)).format).toBe(format)
})

test('the tensor of a .npy file is named array', async () => {
  const { tensors, metadata } = await parseTensorFile(writeNpy(sample('mask')))
  expect([tensors, metadata]).toEqual([new Map([['array', sample('mask')]]), {}])
})

const kindHint = 'formats are recognised by content: is this the right file, and complete?'

test.each<[string, Uint8Array, string, string]>([
  [
    'a checkpoint of before 1.6',
    fixture('legacy.pt'),
    'PyTorch checkpoint: has the format of before PyTorch 1.6, which is not read',
    'load it with a recent PyTorch and save it again: torch.save(torch.load(path), path)',
  ],
  [
    'a pickle',
    bytesOfText('\x80\x04N.'),
    'must be a safetensors, .npz, .npy or PyTorch file, is none, but a bare pickle',
    kindHint,
  ],
  ['a text', bytesOfText('# a text'), 'must be a safetensors, .npz, .npy or PyTorch file, is none', kindHint],
  ['nothing', new Uint8Array(), 'must be a safetensors, .npz, .npy or PyTorch file, is none', kindHint],
  [
    'half a file',
    fixture('numpy.npz').subarray(0, 3000),
    'zip: the zip archive has no directory at its end',
    damagedHint,
  ],
])('%s: the error names the file', async (_case, bytes, message, hint) => {
  const path = join(folder, 'other')
  await writeFile(path, bytes)
  await expect(readTensorFile(path)).rejects.toThrowError(
    expect.objectContaining({ name: 'FormatError', message: `${path}: ${message}`, hint }),
  )
})

test.each([
  ['missing', 'ENOENT'],
  ['.', 'EISDIR'],
])('the path %s', async (name, code) => {
  const path = join(folder, name)
  await expect(readTensorFile(path)).rejects.toThrowError(
    expect.objectContaining({
      name: 'UsageError',
      message: `${path}: cannot be read (${code})`,
      hint: 'is there a file of that name?',
    }),
  )
})
