/** NumPy's .npz: a zip archive of .npy files, a name each. Flax checkpoints have slashes in the names. */
import { zipSync } from 'fflate'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError } from '../util/errors.ts'
import { readNpy, writeNpy } from './npy.ts'
import type { TensorFile } from './tensor-file.ts'
import { readZip } from './zip.ts'

/** Reads a .npz file; keys are the members' names without `.npy`. */
export function readNpz(bytes: Uint8Array): TensorFile {
  const tensors = new Map<string, NDArray>()
  for (const { name, unpack } of readZip(bytes, 'npz')) {
    const key = name.replace(/\.npy$/, '')
    if (tensors.has(key)) throw new FormatError(`npz: the name "${key}" occurs twice`)
    tensors.set(key, readNpy(unpack(), `npz member "${key}"`))
  }
  return { format: 'npz', tensors, metadata: {} }
}

/** Writes a .npz file; members are stored, as `numpy.savez` does, or deflated as `numpy.savez_compressed`. */
export function writeNpz(
  tensors: Iterable<readonly [string, NDArray]>,
  options: { readonly compress?: boolean } = {},
): Uint8Array {
  const members = Object.fromEntries([...tensors].map(([name, array]) => [`${name}.npy`, writeNpy(array)]))
  return zipSync(members, { level: options.compress ? 6 : 0 })
}
