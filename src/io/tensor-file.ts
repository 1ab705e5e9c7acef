/** Files of named tensors, recognised by their content. */
import { open } from 'node:fs/promises'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import { systemReason } from './errors.ts'

/** A file of named tensors, whatever its format. */
export interface TensorFile {
  readonly format: 'safetensors' | 'npz' | 'npy' | 'pytorch'
  readonly tensors: Map<string, NDArray>
  /** What the file says besides: texts by name. */
  readonly metadata: Record<string, string>
}

function beginsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, i) => bytes[i] === byte)
}

const zipMagic = [0x50, 0x4b]
const npyMagic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
// `torch.save` before 1.6 began with the pickled number 0x1950a86a20f9469cfc6c.
const legacyMagic = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

/** After 8 bytes of length comes a JSON object. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && ![zipMagic, npyMagic, legacyMagic].some((magic) => beginsWith(bytes, magic))
}

function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5
}

/**
 * Reads the bytes of any of the formats; the one tensor of a .npy file is named `array`. Readers are loaded when they
 * are needed. Throws a FormatError on damaged and unknown files.
 */
export async function parseTensorFile(bytes: Uint8Array): Promise<TensorFile> {
  if (beginsWith(bytes, zipMagic)) {
    const [{ readZip }, { findPickle, readPytorch }] = await Promise.all([import('./zip.ts'), import('./pytorch.ts')])
    return findPickle(readZip(bytes)) ? readPytorch(bytes) : (await import('./npz.ts')).readNpz(bytes)
  }
  if (beginsWith(bytes, npyMagic)) {
    const { readNpy } = await import('./npy.ts')
    return { format: 'npy', tensors: new Map([['array', readNpy(bytes)]]), metadata: {} }
  }
  if (beginsWith(bytes, legacyMagic)) {
    throw new FormatError('PyTorch checkpoint: has the format of before PyTorch 1.6, which is not read', {
      hint: 'load it with a recent PyTorch and save it again: torch.save(torch.load(path), path)',
    })
  }
  if (isSafetensors(bytes)) return (await import('./safetensors.ts')).readSafetensors(bytes)
  const found = isPickle(bytes) ? ', but a bare pickle' : ''
  throw new FormatError(`must be a safetensors, .npz, .npy or PyTorch file, is none${found}`, {
    hint: 'formats are recognised by content: is this the right file, and complete?',
  })
}

/** The first `most` bytes of the file, or all. Unlike `readFile`, it has no limit of 2 GiB. */
async function readBytes(path: string, most = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const size = Math.min((await file.stat()).size, most)
    const bytes = new Uint8Array(size)
    let filled = 0
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, Math.min(size - filled, 2 ** 30))
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await file.close()
  }
}

/**
 * Reads a file of tensors in any of the formats; every error begins with its path. Throws a UsageError if the file cannot
 * be read at all, a FormatError if it is damaged or of another format.
 */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const read = (most?: number) =>
    readBytes(path, most).catch((error: unknown) => {
      throw new UsageError(`${path}: cannot be read (${systemReason(error)})`, {
        cause: error,
        hint: 'is there a file of that name?',
      })
    })
  // Tensor by tensor: checkpoints may be larger than any array.
  if (isSafetensors(await read(16))) return (await import('./safetensors-file.ts')).readSafetensorsFile(path)
  try {
    return await parseTensorFile(await read())
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${path}: ${error.message}`, { cause: error, ...(error.hint && { hint: error.hint }) })
  }
}
