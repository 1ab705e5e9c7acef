/** Arrays as reference cases have them. */
import { type DType, fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { type ReferenceCase, requiredTensor, type Settings } from '../../../verify/target.ts'

export function arrayOf(values: readonly number[], dtype: DType = 'float32', shape = [values.length]): NDArray {
  return { dtype, shape, data: fromNumbers(dtype, values) }
}

/** A copy: buffers of compiled functions and variables are written again. */
export function copyOf({ dtype, shape, data }: NDArray): NDArray {
  return { dtype, shape, data: data.slice() }
}

export function numbersOf(reference: ReferenceCase, name: string): number[] {
  return toNumbers(requiredTensor(reference.tensors, `input/${name}`).data)
}

/** Records of a case: a list of objects. */
export function recordsOf(settings: Settings, name: string): readonly Settings[] {
  const records = settings[name]
  if (Array.isArray(records)) return records as readonly Settings[]
  throw new FormatError(`"${name}" must be a list, found ${JSON.stringify(records)}`)
}

/** Texts are no tensors: they are compared here. */
export function requireSame(what: string, found: unknown, expected: unknown): void {
  const [ours, theirs] = [JSON.stringify(found), JSON.stringify(expected)]
  if (ours !== theirs) throw new FormatError(`${what} must be ${theirs}, found ${ours}`)
}
