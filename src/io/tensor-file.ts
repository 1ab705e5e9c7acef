/** Files of named tensors, recognised by their content. */
import { readFile } from 'node:fs/promises'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, UsageError } from '../util/errors.ts'

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

/** Reads the bytes of any of the formats. Readers are loaded when they are needed. */
export async function parseTensorFile(bytes: Uint8Array): Promise<TensorFile> {
  if (beginsWith(bytes, [0x50, 0x4b])) {
    const { readZip } = await import('./zip.ts')
    if (readZip(bytes, 'archive').some(({ name }) => name.endsWith('data.pkl')))
      return (await import('./pytorch.ts')).readPytorch(bytes)
    return (await import('./npz.ts')).readNpz(bytes)
  }
  if (beginsWith(bytes, [0x93, 0x4e, 0x55, 0x4d])) {
    const { readNpy } = await import('./npy.ts')
    return { format: 'npy', tensors: new Map([['array', readNpy(bytes)]]), metadata: {} }
  }
  if (beginsWith(bytes, [0x80, 0x02]) || beginsWith(bytes, [0x80, 0x04])) {
    throw new FormatError('is a pickle: a PyTorch checkpoint of before 1.6, or no checkpoint', {
      hint: 'load it with a recent PyTorch and save it again with torch.save',
    })
  }
  if (bytes[8] === 0x7b) return (await import('./safetensors.ts')).readSafetensors(bytes)
  throw new FormatError('is none of safetensors, npz, npy, PyTorch checkpoint')
}

/** Reads a file of tensors; every error begins with its path. */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UsageError(`${path}: cannot be read`, { cause: error, hint: 'is there a file of that name?' })
  })
  try {
    return await parseTensorFile(bytes)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${path}: ${error.message}`, { cause: error, ...(error.hint && { hint: error.hint }) })
  }
}
