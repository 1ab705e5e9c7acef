/** PyTorch checkpoints as `torch.save` writes them, for tests: the reader is checked against PyTorch's own in test/io. */
import { zipSync } from 'fflate'
import type { NDArray } from '../../src/tensor/dtype.ts'

const int = (value: number): string => `J${String.fromCharCode(...new Uint8Array(Int32Array.of(value).buffer))}`
const text = (value: string): string => `X${int(value.length).slice(1)}${value}`
const tuple = (values: readonly number[]): string => `(${values.map(int).join('')}t`

function tensor({ shape, data }: NDArray, key: string): string {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const storage = `(${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}${int(data.length)}tQ`
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(0)}${tuple(shape)}${tuple(strides)}\x89NtR`
}

/** A key with an object of a class: `args`, an `argparse.Namespace`. */
export function pickledObject(key: string, module: string, name: string): string {
  return `${text(key)}c${module}\n${name}\n)\x81}${text('a')}${int(1)}sb`
}

/** A file of `torch.save({ state_dict: tensors, ... })`; float32 tensors. `more`: further entries as they are pickled. */
export function pytorchCheckpoint(tensors: ReadonlyMap<string, NDArray>, more = ''): Uint8Array {
  const entries = [...tensors].map(([name, array], i) => `${text(name)}${tensor(array, String(i))}`)
  const pickle = `\x80\x02}(${text('state_dict')}}(${entries.join('')}u${more}u.`
  const storages = [...tensors.values()].map(({ data }, i) => [
    `archive/data/${i}`,
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice(),
  ])
  const members = { 'archive/data.pkl': new Uint8Array(Buffer.from(pickle, 'latin1')) }
  return zipSync({ ...members, ...Object.fromEntries(storages) }, { level: 0 })
}
