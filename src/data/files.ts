import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import { reasonOf, systemCode } from '../util/system-errors.ts'

/** What a system error (missing, no permission, a folder) says of the path that it is about. */
export function readError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' ? 'no such file or folder' : `cannot be read (${code ?? String(error)})`
}

/** A system error as one line that names the path. */
export function cannotRead(path: string, error: unknown): UsageError {
  const code = systemCode(error)
  const hint = code === undefined || code === 'ENOENT' ? undefined : reasonOf(code)
  return new UsageError(`${path}: ${readError(error)}`, { cause: error, ...(hint !== undefined && { hint }) })
}

/**
 * All bytes of a regular file, read straight into one buffer of its size. Throws a UsageError if it can't be read, a FormatError
 * if it has more than `maxBytes` bytes (nothing is allocated then).
 */
export async function readBytes(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  // A pipe would keep the program waiting until something is written to it.
  const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
  const file = await open(path, flags).catch((error: unknown) => Promise.reject(cannotRead(path, error)))
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new UsageError(`${path}: must be a regular file`)
    if (stat.size > maxBytes) {
      throw new FormatError(`${path}: must have at most ${maxBytes} bytes, found ${stat.size}`)
    }
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(stat.size).buffer)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
      if (bytesRead === 0)
        throw new FormatError(`${path}: ended after ${length} of ${bytes.length} bytes while being read`)
      length += bytesRead
    }
    return bytes
  } finally {
    await file.close()
  }
}

/** A digest of a file's or a text's content: the first 128 bits of its SHA-256, in hexadecimal. */
export function digestOf(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 32)
}

/** The bytes of one example of an array, examples on axis 0; of an array with one row for all, that row. */
function exampleBytes({ data, shape: [examples = 1] }: NDArray, index: number): Uint8Array {
  const size = data.byteLength / examples
  return new Uint8Array(data.buffer, data.byteOffset + (examples === 1 ? 0 : index) * size, size)
}

/** A digest of an example of several arrays, as `digestOf`. */
export function digestOfExample(arrays: readonly (NDArray | undefined)[], index: number): string {
  const hash = createHash('sha256')
  for (const array of arrays) if (array) hash.update(exampleBytes(array, index))
  return hash.digest('hex').slice(0, 32)
}
