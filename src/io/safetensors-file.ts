/** Safetensors files tensor by tensor: no part of the program ever holds the whole file, which may be larger than any array. */
import { type FileHandle, open } from 'node:fs/promises'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, reworded } from '../util/errors.ts'
import { systemCode } from '../util/system-errors.ts'
import { writeFileAtomic } from './atomic.ts'
import { cannotRead, damaged } from './errors.ts'
import {
  readSafetensorsEntry,
  readSafetensorsLayout,
  type SafetensorsMetadata,
  safetensorsHeaderLength,
  safetensorsPieces,
} from './safetensors.ts'
import type { TensorFile } from './tensor-format.ts'

// One system call reads at most 2 GiB.
const largestRead = 2 ** 28

async function readExactly(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, Math.min(length - filled, largestRead), position + filled)
    if (bytesRead === 0) throw damaged(`safetensors: the file ended at byte ${position + filled} while it was read`)
    filled += bytesRead
  }
  return bytes
}

async function readFrom(file: FileHandle, onData: (bytes: Uint8Array) => void): Promise<TensorFile> {
  const { size } = await file.stat()
  const headerLength = safetensorsHeaderLength(await readExactly(file, 0, Math.min(size, 8)), size)
  const start = 8 + headerLength
  const { entries, metadata } = readSafetensorsLayout(await readExactly(file, 8, headerLength), size - start)
  const found = new Map<string, NDArray>()
  for (const entry of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const bytes = await readExactly(file, start + entry.begin, entry.end - entry.begin)
    onData(bytes)
    found.set(entry.name, readSafetensorsEntry(entry, bytes))
  }
  // In the header's order, as `readSafetensors` has them.
  const tensors = new Map<string, NDArray>()
  for (const { name } of entries) {
    const array = found.get(name)
    if (array) tensors.set(name, array)
  }
  return { format: 'safetensors', tensors, metadata }
}

/**
 * Reads a safetensors file of any size; `onData` sees the bytes of the data in the file's order. Every error begins with the
 * path: a UsageError if the file cannot be read, a FormatError as `readSafetensors` throws it.
 */
export async function readSafetensorsFile(
  path: string,
  onData: (bytes: Uint8Array) => void = () => {},
): Promise<TensorFile> {
  try {
    const file = await open(path)
    try {
      return await readFrom(file, onData)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof FormatError) throw reworded(error, `${path}: ${error.message}`)
    if (systemCode(error) === undefined) throw error
    throw cannotRead(path, error)
  }
}

/** Writes a safetensors file of any size, as `writeFileAtomic` does; returns its bytes. Throws as `safetensorsPieces` does, too. */
export async function writeSafetensorsFile(
  path: string,
  tensors: Iterable<readonly [string, NDArray]>,
  metadata: SafetensorsMetadata = {},
): Promise<number> {
  const pieces = safetensorsPieces(tensors, metadata)
  await writeFileAtomic(path, pieces)
  return pieces.reduce((sum, { length }) => sum + length, 0)
}
