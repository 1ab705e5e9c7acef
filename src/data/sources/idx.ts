import { promisify } from 'node:util'
import { constants, gunzip, gunzipSync } from 'node:zlib'
import { elementBytes, type FileElement, readElements } from '../../io/elements.ts'
import { elementCount, type NDArray } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { bytesOf } from '../../util/vectors.ts'
import { readBytes } from '../files.ts'

/** The element types by their code, the third byte of a file; all are big-endian. */
const elementTypes: Readonly<Record<number, { readonly name: string; readonly element: FileElement }>> = {
  8: { name: 'uint8', element: 'u8' },
  9: { name: 'int8', element: 'i8' },
  11: { name: 'int16', element: 'i16' },
  12: { name: 'int32', element: 'i32' },
  13: { name: 'float32', element: 'f32' },
  14: { name: 'float64', element: 'f64' },
}

interface Header {
  readonly type: string
  readonly element: FileElement
  readonly shape: readonly number[]
  /** Where the elements start, and the bytes of the whole file. */
  readonly start: number
  readonly total: number
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  const [zero0, zero1, code = 0, rank = 0] = bytes
  if (bytes.length < 4 || zero0 !== 0 || zero1 !== 0) {
    const found = bytes.length < 4 ? `${bytes.length} bytes` : `${zero0} and ${zero1}`
    throw new FormatError(
      `${name}: an IDX file must start with two zero bytes, an element type and a rank, found ${found}`,
    )
  }
  const type = elementTypes[code]
  if (type === undefined) {
    throw new FormatError(
      `${name}: the IDX element type must be one of ${Object.keys(elementTypes).join(', ')}, found ${code}`,
    )
  }
  const start = 4 + 4 * rank
  if (bytes.length < start) {
    throw new FormatError(`${name}: an IDX header of rank ${rank} must have ${start} bytes, found ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const { name: typeName, element } = type
  return { type: typeName, element, shape, start, total: start + elementCount(shape) * elementBytes(element) }
}

/**
 * An IDX file in memory, not compressed. uint8 elements are a view of `bytes`; int8 and int16 become int32, float64 becomes float32.
 * Throws a FormatError (naming `name`) unless the file is exactly as long as its header says.
 */
export function parseIdx(bytes: Uint8Array, name = 'IDX'): NDArray {
  const { type, element, shape, start, total } = parseHeader(bytes, name)
  if (bytes.length !== total) {
    throw new FormatError(
      `${name}: an IDX file of ${type} [${shape.join(', ')}] must have ${total} bytes, found ${bytes.length}`,
    )
  }
  const body = bytes.subarray(start)
  if (element === 'u8') return { dtype: 'uint8', shape, data: bytesOf(body) } // not a Buffer
  return readElements(name, element, shape, body, false)
}

/**
 * Reads an IDX file (the format of MNIST), plain or gzip-compressed. Files of more than `maxBytes` (default 2^30, also after
 * decompression) are refused with a FormatError before they take memory.
 */
export async function readIdx(path: string, maxBytes = 2 ** 30): Promise<NDArray> {
  const bytes = await readBytes(path, maxBytes)
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b
  return parseIdx(compressed ? await decompress(bytes, maxBytes, path) : bytes, path)
}

/** Decompresses no more than the header at the beginning promises. */
async function decompress(bytes: Uint8Array, maxBytes: number, name: string): Promise<Uint8Array> {
  try {
    const beginning = gunzipSync(bytes.subarray(0, 4096), { finishFlush: constants.Z_SYNC_FLUSH })
    const { total } = parseHeader(beginning, name)
    if (total > maxBytes) {
      throw new FormatError(`${name}: must have at most ${maxBytes} bytes when decompressed, its header says ${total}`)
    }
    return await promisify(gunzip)(bytes, { maxOutputLength: total })
  } catch (error) {
    if (error instanceof FormatError) throw error
    const tooLong = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    const reason = error instanceof Error ? error.message : String(error)
    throw new FormatError(
      tooLong
        ? `${name}: has more bytes when decompressed than its IDX header says`
        : `${name}: is not valid gzip: ${reason}`,
      { cause: error },
    )
  }
}
