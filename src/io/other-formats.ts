/** Files that are not read as named tensors, recognised so that the error says what they are. */
import { FormatError } from '../util/errors.ts'
import { latin1, startsWith } from './bytes.ts'

interface OtherFormat {
  readonly matches: (bytes: Uint8Array) => boolean
  /** What it is, after "must be a safetensors, .npz, .npy or PyTorch file, is". */
  readonly is: string
  readonly hint: string
}

const begins =
  (...texts: readonly string[]) =>
  (bytes: Uint8Array): boolean =>
    texts.some((text) => startsWith(bytes, text))

const resave = 'load it with a recent PyTorch and save it again: torch.save(torch.load(path), path)'
const convert = 'convert it to safetensors: safetensors.torch.save_file(state_dict, path)'
const unpack = 'unpack it first'
const again = 'download it again: what was downloaded is not a file of weights'

// The number 0x1950a86a20f9469cfc6c, pickled: `torch.save` before 1.6 begins with it, in whichever protocol.
const legacyNumbers = ['\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19', 'L119547037146038801333356L\n']
const isLegacy = (bytes: Uint8Array): boolean =>
  legacyNumbers.some((number) => latin1(bytes.subarray(0, 64)).includes(number))

const isPickle = (bytes: Uint8Array): boolean => bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5

const formats: readonly OtherFormat[] = [
  { matches: (bytes) => bytes.length === 0, is: 'empty', hint: 'copy, download or save it again' },
  { matches: isLegacy, is: 'a PyTorch file from before PyTorch 1.6, which is not read', hint: resave },
  {
    matches: isPickle,
    is: 'a pickle without arrays of NumPy or JAX',
    hint: `${convert}; objects of other classes are not built`,
  },
  {
    matches: (bytes) => startsWith(bytes.subarray(257), 'ustar'),
    is: 'a tar archive',
    hint: `${unpack}; if it is a PyTorch file from before PyTorch 0.2, ${resave}`,
  },
  { matches: begins('\x89HDF\r\n\x1a\n'), is: 'an HDF5 file (Keras)', hint: convert },
  { matches: begins('GGUF', 'GGML', 'ggjt', 'fmgg', 'tjgg'), is: 'a GGUF or GGML file (llama.cpp)', hint: convert },
  { matches: (bytes) => startsWith(bytes.subarray(4), 'TFL3'), is: 'a TensorFlow Lite model', hint: convert },
  { matches: begins('\x1f\x8b'), is: 'packed with gzip', hint: unpack },
  { matches: begins('BZh'), is: 'packed with bzip2', hint: unpack },
  { matches: begins('\xfd7zXZ'), is: 'packed with xz', hint: unpack },
  { matches: begins('\x28\xb5\x2f\xfd'), is: 'packed with zstd', hint: unpack },
  { matches: begins('7z\xbc\xaf'), is: 'a 7z archive', hint: unpack },
  {
    matches: begins('version https://git-lfs'),
    is: 'a Git LFS pointer, not the file itself',
    hint: 'git lfs pull fetches the file',
  },
  { matches: (bytes) => isText(bytes, /^\s*(<!doctype html|<html|<\?xml)/i), is: 'a web page', hint: again },
  {
    matches: (bytes) => isText(bytes, /^\s*\{\s*"(metadata|weight_map)"/),
    is: 'the index of a checkpoint in several files',
    hint: 'name one of the files, or join them: safetensors.torch.save_file of all their tensors',
  },
]

function isText(bytes: Uint8Array, pattern: RegExp): boolean {
  return pattern.test(latin1(bytes.subarray(0, 200)))
}

const generalHint = 'formats are recognised by content: is this the right file, and complete?'

/** The error of a file that is of none of the formats, with what it is where that is known. */
export function unreadFormat(bytes: Uint8Array, isOnnx: boolean): FormatError {
  const expected = 'must be a safetensors, .npz, .npy or PyTorch file'
  if (isOnnx) {
    return new FormatError(`${expected}, is an ONNX model`, {
      hint: 'tenfold info lists what it holds; weights are taken from the file that it was exported from',
    })
  }
  const found = formats.find(({ matches }) => matches(bytes))
  if (!found) return new FormatError(`${expected}, is none of these`, { hint: generalHint })
  return new FormatError(`${expected}, is ${found.is}`, { hint: found.hint })
}
