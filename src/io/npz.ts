/** NumPy's .npz: a zip archive of .npy files, a name each. Flax checkpoints have slashes in the names. */
import { type Zippable, zipSync } from 'fflate'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError } from '../util/errors.ts'
import { startsWith } from './bytes.ts'
import { arrayOrWords } from './elements.ts'
import { damaged, quoted } from './errors.ts'
import { maximumNpyHeader, readableHeader, readNpy, readNpyHeader, writeNpy } from './npy.ts'
import type { TensorFile } from './tensor-format.ts'
import { readZip, type ZipMember } from './zip.ts'

const noArray = 'no array'
const npySignature = '\x93NUMPY'

/** Unpacks a member once its array's header has confirmed the size that the archive claims. Anything but an array of numbers is only named. */
function readMember(member: ZipMember, key: string): NDArray | string {
  const what = `npz: member ${quoted(key)}`
  const head = member.peek(maximumNpyHeader + 12)
  // NumPy takes as an array what begins as one, whatever its name.
  if (!startsWith(head, npySignature) && !member.name.endsWith('.npy')) return noArray
  const header = readNpyHeader(head, what)
  if (!header.element) return `array of ${header.dtype}`
  const { fileSize } = readableHeader(header, what)
  if (fileSize !== member.size) {
    throw damaged(`${what}: the array takes ${fileSize} bytes, the archive says ${member.size}`)
  }
  return arrayOrWords(() => readNpy(member.unpack(), what))
}

/**
 * Reads a .npz file; names are the members' without `.npy`. All members together may unpack to `maximumBytes` (default
 * 4 GiB, or the file's own size). Arrays of anything but numbers and bools stand in `leftOut`. Throws a FormatError on damaged
 * files.
 */
export function readNpz(bytes: Uint8Array, options: { readonly maximumBytes?: number } = {}): TensorFile {
  const tensors = new Map<string, NDArray>()
  const leftOut = new Map<string, string>()
  for (const member of readZip(bytes, 'npz', options.maximumBytes)) {
    if (member.name.endsWith('/') && member.size === 0) continue
    const key = member.name.replace(/\.npy$/, '')
    if (tensors.has(key) || leftOut.has(key)) throw damaged(`npz: the name ${quoted(key)} occurs twice`)
    const found = readMember(member, key)
    if (typeof found === 'string') leftOut.set(key, found)
    else tensors.set(key, found)
  }
  if (tensors.size === 0 && [...leftOut.values()].every((is) => is === noArray) && leftOut.size > 0) {
    throw new FormatError(
      `npz: the archive holds no array, but ${[...leftOut.keys()].slice(0, 3).map(quoted).join(', ')}`,
      {
        hint: 'a .npz file is a zip archive of .npy files',
      },
    )
  }
  return { format: 'npz', tensors, metadata: {}, ...(leftOut.size > 0 && { leftOut }) }
}

// What is written depends on the arrays alone, not on the time of day.
const epoch = '1980-01-01T00:00:00'

/**
 * Writes a .npz file; members are stored, as by `numpy.savez`, or deflated, as by `numpy.savez_compressed`. Throws a
 * FormatError on names that occur twice, a ShapeError if an array's data do not fit its shape.
 */
export function writeNpz(
  tensors: Iterable<readonly [string, NDArray]>,
  options: { readonly compress?: boolean } = {},
): Uint8Array {
  const members: Zippable = {}
  let length = 0
  for (const [name, array] of tensors) {
    const what = `npz: member ${quoted(name)}`
    const file = `${name}.npy`
    if (Object.hasOwn(members, file)) {
      throw new FormatError(`${what} is given twice`, { hint: 'give every array its own name' })
    }
    const bytes = writeNpy(array, what)
    members[file] = bytes
    length += bytes.length
  }
  if (Object.keys(members).length > 0xffff || length > 0xf000_0000) {
    throw new FormatError('npz: must have at most 65535 arrays and 3.75 GiB', {
      hint: 'write several files, or safetensors',
    })
  }
  return zipSync(members, { level: options.compress ? 6 : 0, mtime: epoch })
}
