/** What cases have beside their tensors: numbers, records, texts. */
import { toNumbers } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { type ReferenceCase, requiredTensor, type Settings } from '../../../verify/target.ts'

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
