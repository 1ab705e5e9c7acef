import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, UsageError } from '../../util/errors.ts'
import type { Dataset } from '../dataset.ts'
import { cannotRead, readBytes } from '../files.ts'
import { checkIndices } from '../rows.ts'

/** UTF-8 to a string, a byte order mark left out. Throws a FormatError (naming `name`) with the place of the first invalid byte. */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    const place = firstInvalid(bytes)
    const found = place < bytes.length ? `byte 0x${hex(bytes[place])} at ${place}` : 'a text cut off within a character'
    throw new FormatError(`${name}: must be UTF-8, found ${found}`, {
      hint: 'convert it with iconv -t utf-8',
      cause: error,
    })
  }
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0')
}

/** Where the first byte is that can't stand there; the length if the last character is incomplete. */
function firstInvalid(bytes: Uint8Array): number {
  // A stream decoder accepts an incomplete character at the end: the longest prefix it accepts ends at the first invalid byte.
  let [good, bad] = [0, bytes.length + 1]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      good = middle
    } catch {
      bad = middle
    }
  }
  return good
}

/** Reads a UTF-8 text file of at most `maxBytes` (default 2^28). */
export async function readText(path: string, maxBytes = 2 ** 28): Promise<string> {
  return decodeUtf8(await readBytes(path, maxBytes), path)
}

/**
 * Reads all text files under a folder, sorted by path: those whose names end in one of `extensions` (default .txt), together at most
 * `maxBytes` (default 2^28).
 */
export async function readTextFolder(
  folder: string,
  options: { extensions?: readonly string[]; maxBytes?: number } = {},
): Promise<{ path: string; text: string }[]> {
  const { extensions = ['.txt'], maxBytes = 2 ** 28 } = options
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) =>
    Promise.reject(cannotRead(folder, error)),
  )
  const texts: { path: string; text: string }[] = []
  let left = maxBytes
  for (const name of names.sort()) {
    if (!extensions.some((extension) => name.endsWith(extension))) continue
    const path = join(folder, name)
    const bytes = await readBytes(path, left)
    left -= bytes.length
    texts.push({ path, text: decodeUtf8(bytes, path) })
  }
  if (texts.length === 0)
    throw new UsageError(`${folder}: must have files ending in ${extensions.join(', ')}, found none`)
  return texts
}

/** A text file, or all texts below a folder (see `readTextFolder`). */
export async function readTexts(path: string): Promise<{ path: string; text: string }[]> {
  const info = await stat(path).catch((error: unknown) => Promise.reject(cannotRead(path, error)))
  return info.isDirectory() ? readTextFolder(path) : [{ path, text: await readText(path) }]
}

export interface WindowOptions {
  /** Tokens in a window. */
  readonly length: number
  /** From the start of one window to the start of the next; default: the length, so that windows do not overlap. */
  readonly stride?: number
  /**
   * Cuts the text into this many rows of equal length and orders the windows so that, in batches of `rows` taken without shuffling,
   * row r of each batch goes on where row r of the batch before ended (for models with memory). Default: windows in text order.
   */
  readonly rows?: number
}

/**
 * Windows of a token sequence (bytes of a text, or token numbers) for next-token prediction: `input` int32 [length] and `target`
 * int32 [length], target[i] being the token after input[i]. A rest too short for a window is left out.
 */
export function tokenWindows(tokens: Uint8Array | Int32Array, options: WindowOptions): Dataset {
  const { length, stride = length, rows = 1 } = options
  for (const [name, value] of Object.entries({ length, stride, rows })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new UsageError(`tokenWindows: ${name} must be a whole number of at least 1, found ${value}`)
    }
  }
  const rowLength = Math.floor((tokens.length - 1) / rows) // the last target of a row is the first token of the next
  const windows = Math.max(0, Math.floor((rowLength - length) / stride) + 1)
  if (windows === 0) {
    const needed = rows * length + 1
    throw new UsageError(`tokenWindows: ${rows} rows of length ${length} need ${needed} tokens, found ${tokens.length}`)
  }
  const field = { dtype: 'int32', shape: [length] } as const
  const count = windows * rows
  return {
    length: count,
    fields: { input: field, target: field },
    batch(indices) {
      checkIndices(indices, count)
      const shape = [indices.length, length]
      const [input, target] = [new Int32Array(indices.length * length), new Int32Array(indices.length * length)]
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i] ?? 0
        const start = (index % rows) * rowLength + Math.floor(index / rows) * stride
        input.set(tokens.subarray(start, start + length), i * length)
        target.set(tokens.subarray(start + 1, start + 1 + length), i * length)
      }
      return { input: { dtype: 'int32', shape, data: input }, target: { dtype: 'int32', shape, data: target } }
    },
  }
}
