import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeNpy } from '../../src/io/npy.ts'
import { writeNpz } from '../../src/io/npz.ts'
import { writeSafetensors } from '../../src/io/safetensors.ts'
import { beginningOf, readTensorFile } from '../../src/io/tensor-file.ts'
import { describeLeftOut, fileFormat, parseTensorFile } from '../../src/io/tensor-format.ts'
import { UsageError } from '../../src/util/errors.ts'
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

test.skipIf(process.platform === 'win32')('a pipe is not waited for', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  await expect(beginningOf(path)).rejects.toThrow(new UsageError(`${path}: must be a regular file`))
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
    'must be a safetensors, .npz, .npy or PyTorch file, is a PyTorch file from before PyTorch 1.6, which is not read',
    'load it with a recent PyTorch and save it again: torch.save(torch.load(path), path)',
  ],
  [
    'a pickle',
    bytesOfText('\x80\x04N.'),
    'must be a safetensors, .npz, .npy or PyTorch file, is a pickle without arrays of NumPy or JAX',
    'convert it to safetensors: safetensors.torch.save_file(state_dict, path); objects of other classes are not built',
  ],
  ['a text', bytesOfText('# a text'), 'must be a safetensors, .npz, .npy or PyTorch file, is none of these', kindHint],
  [
    'nothing',
    new Uint8Array(),
    'must be a safetensors, .npz, .npy or PyTorch file, is empty',
    'copy, download or save it again',
  ],
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

const lengths = [264, 0x108, 0x0a08, 0x4b50, 0x0280, 0x0480, 0x4d93, 0x8b1f, 0x1208]
test.each(lengths)('a safetensors file whose header has %i bytes, as others begin', async (length) => {
  const { header, body } = plainSafetensors(length)
  const bytes = new Uint8Array([...new Uint8Array(BigUint64Array.of(BigInt(length)).buffer), ...header, ...body])
  expect(fileFormat(bytes)).toBe('safetensors')
  expect((await parseTensorFile(bytes)).tensors).toEqual(
    new Map([['t', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
  )
})

/** A header of the length, padded with spaces as the format allows, and one number. */
function plainSafetensors(length: number): { header: Uint8Array; body: Uint8Array } {
  const text = '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
  return { header: bytesOfText(text.padEnd(length)), body: new Uint8Array(Float32Array.of(1).buffer) }
}

const tar = new Uint8Array(512)
tar.set(bytesOfText('ustar'), 257)
test.each<[string, Uint8Array]>([
  ['a PyTorch file from before PyTorch 1.6, which is not read', bytesOfText('L119547037146038801333356L\n.')],
  [
    'a PyTorch file from before PyTorch 1.6, which is not read',
    bytesOfText('\x80\x04\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'),
  ],
  ['a tar archive', tar],
  ['an ONNX model', bytesOfText('\x08\x09\x12\x07pytorch')],
  ['an HDF5 file (Keras)', bytesOfText('\x89HDF\r\n\x1a\n\0\0')],
  ['a GGUF or GGML file (llama.cpp)', bytesOfText('GGUF\x03\0\0\0')],
  ['a TensorFlow Lite model', bytesOfText('\x1c\0\0\0TFL3')],
  ['packed with gzip', bytesOfText('\x1f\x8b\x08\0')],
  ['a Git LFS pointer, not the file itself', bytesOfText('version https://git-lfs.github.com/spec/v1\n')],
  ['a web page', bytesOfText('<!DOCTYPE html><html>')],
  ['the index of a checkpoint in several files', bytesOfText('{\n  "metadata": {"total_size": 1}}')],
])('%s is named', async (is, bytes) => {
  await expect(parseTensorFile(bytes)).rejects.toThrowError(
    expect.objectContaining({
      message: `must be a safetensors, .npz, .npy or PyTorch file, is ${is}`,
      hint: expect.any(String),
    }),
  )
})

test('what is left out in one line', () => {
  expect(describeLeftOut({})).toBeUndefined()
  const names = Array.from({ length: 22 }, (_, i) => [String(i), 'bytes'] as const)
  expect(describeLeftOut({ leftOut: new Map(names.slice(0, 2)) })).toBe('0 (bytes), 1 (bytes)')
  expect(describeLeftOut({ leftOut: new Map(names) })).toMatch(/, 19 \(bytes\) and 2 more$/)
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
