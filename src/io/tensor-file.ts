import type { NDArray } from '../tensor/dtype.ts'

/** A file of named tensors, whatever its format. */
export interface TensorFile {
  readonly format: 'safetensors' | 'npz' | 'npy' | 'pytorch'
  readonly tensors: Map<string, NDArray>
  /** What the file says besides: texts by name. */
  readonly metadata: Record<string, string>
}
