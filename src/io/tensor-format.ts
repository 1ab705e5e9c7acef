/** The formats of named tensors, recognised by their content. */
import type { NDArray } from '../tensor/dtype.ts'
import { startsWith } from './bytes.ts'

/** A file of named tensors, whatever its format. */
export interface TensorFile {
  readonly format: 'safetensors' | 'npz' | 'npy' | 'pytorch' | 'pickle'
  readonly tensors: Map<string, NDArray>
  /** What the file says besides: texts by name. */
  readonly metadata: Record<string, string>
  /** The parts that are not read, by name, with what they are: objects of other classes, arrays of texts. Absent: nothing. */
  readonly leftOut?: ReadonlyMap<string, string>
}

// An error names a few; `tenfold info` more.
const longestList = 20

/** The parts of a file that are not read, in one line; undefined: none. */
export function describeLeftOut({ leftOut }: Pick<TensorFile, 'leftOut'>): string | undefined {
  if (!leftOut) return undefined
  const list = Array.from(leftOut, ([name, is]) => `${name} (${is})`)
  const more = list.length > longestList ? ` and ${list.length - longestList} more` : ''
  return `${list.slice(0, longestList).join(', ')}${more}`
}

/** The formats of named tensors, and those of other uses that are told apart from them. */
export type FileFormat = 'safetensors' | 'zip' | 'npy' | 'onnx' | 'pickle' | 'other'

const npyMagic = '\x93NUMPY'
// A length beyond safetensors' bound on its header cannot be a length.
const longestHeader = 100_000_000
// Fields that follow a model's first one, its version: producer, domain, opset, graph.
const onnxFields = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72]

/** Whether a file that begins so is one of safetensors: a length that is possible, and a JSON object of that length. */
function isSafetensors(bytes: Uint8Array, size: number): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)
  return length >= 2n && length <= Math.min(longestHeader, size - 8)
}

/**
 * The format of a file by its content. Safetensors come first: their length may be the beginning of any other format, but no
 * other format continues with a length and a brace. `bytes`: the first 16 at least; `size`: of the whole file.
 */
export function fileFormat(bytes: Uint8Array, size = bytes.length): FileFormat {
  if (isSafetensors(bytes, size)) return 'safetensors'
  if (startsWith(bytes, 'PK')) return 'zip'
  if (startsWith(bytes, npyMagic)) return 'npy'
  if (bytes[0] === 0x08 && (bytes[1] ?? 0xff) < 32 && onnxFields.includes(bytes[2] ?? 0)) return 'onnx'
  if (isPickle(bytes)) return 'pickle'
  return bytes[8] === 0x7b && isBinary(bytes.subarray(0, 8)) ? 'safetensors' : 'other'
}

// After the protocol: the number that `torch.save` before 1.6 begins with.
const legacyNumber = '\x8a\x0a\x6c\xfc\x9c\x46'

/** A pickle of protocol 2 to 5 by itself, which is not an old PyTorch file. */
function isPickle(bytes: Uint8Array): boolean {
  const [first, protocol = 0] = bytes
  return first === 0x80 && protocol >= 2 && protocol <= 5 && !startsWith(bytes.subarray(2), legacyNumber)
}

/** A text may have a brace anywhere: the length of a header has bytes that are not text. */
function isBinary(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)
}

/**
 * Reads the bytes of any of the formats; the one tensor of a .npy file is named `array`. Readers are loaded when they
 * are needed. Throws a FormatError on damaged and unknown files.
 */
export async function parseTensorFile(bytes: Uint8Array): Promise<TensorFile> {
  const format = fileFormat(bytes)
  switch (format) {
    case 'safetensors':
      return (await import('./safetensors.ts')).readSafetensors(bytes)
    case 'zip':
      return parseArchive(bytes)
    case 'npy': {
      const { readNpy } = await import('./npy.ts')
      return { format: 'npy', tensors: new Map([['array', readNpy(bytes)]]), metadata: {} }
    }
    case 'pickle': {
      const file = (await import('./numpy-pickle.ts')).readNumpyPickle(bytes)
      if (file.tensors.size > 0) return file
      throw (await import('./other-formats.ts')).unreadFormat(bytes, false)
    }
    default:
      throw (await import('./other-formats.ts')).unreadFormat(bytes, format === 'onnx')
  }
}

async function parseArchive(bytes: Uint8Array): Promise<TensorFile> {
  const [{ readZip }, { isPytorch, readPytorch }] = await Promise.all([import('./zip.ts'), import('./pytorch.ts')])
  return isPytorch(readZip(bytes)) ? readPytorch(bytes) : (await import('./npz.ts')).readNpz(bytes)
}
