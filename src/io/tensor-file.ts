/** Files of named tensors in any of the formats. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { FormatError, reworded, UsageError } from '../util/errors.ts'
import { systemReason } from './errors.ts'
import { fileFormat, parseTensorFile, type TensorFile } from './tensor-format.ts'

/** A file's content in one array. Unlike `readFile`, it has no limit of 2 GiB. */
async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
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

function unread(path: string, error: unknown): never {
  throw new UsageError(`${path}: cannot be read (${systemReason(error)})`, {
    cause: error,
    hint: 'is there a file of that name?',
  })
}

/** The first bytes of a file, as many as `fileFormat` needs, and its size. Throws a UsageError if it cannot be read. */
export async function beginningOf(path: string): Promise<{ readonly start: Uint8Array; readonly size: number }> {
  // A pipe would keep the program waiting until something is written to it.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
  const file = await open(path, flags).catch((error: unknown) => unread(path, error))
  try {
    const found = await file.stat()
    if (!found.isFile() && !found.isDirectory()) throw new UsageError(`${path}: must be a regular file`)
    const start = new Uint8Array(16)
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return { start: start.subarray(0, bytesRead), size: found.size }
  } catch (error) {
    if (error instanceof UsageError) throw error
    return unread(path, error)
  } finally {
    await file.close()
  }
}

/**
 * Reads a file of tensors in any of the formats; every error begins with its path. Throws a UsageError if the file cannot
 * be read at all, a FormatError if it is damaged or of another format.
 */
export async function readTensorFile(path: string): Promise<TensorFile> {
  const { start, size } = await beginningOf(path)
  // Tensor by tensor: checkpoints may be larger than any array.
  if (fileFormat(start, size) === 'safetensors')
    return (await import('./safetensors-file.ts')).readSafetensorsFile(path)
  const content = await readBytes(path).catch((error: unknown) => unread(path, error))
  try {
    return await parseTensorFile(content)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw reworded(error, `${path}: ${error.message}`)
  }
}
