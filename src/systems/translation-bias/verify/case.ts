/** What the reference cases of translation bias share: data files, tables as tensors, parts of the JSON. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type DType, fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'
import { checkExpected } from '../../../verify/expected.ts'
import type { CaseTarget, ReferenceCase, Settings } from '../../../verify/target.ts'

/** What a target computes: tensors by their full names, and what the case has as `expected`. */
export interface Computed {
  readonly tensors: Readonly<Record<string, NDArray>>
  readonly expected: unknown
}

/** A target that compares `expected` too. */
export function checked(run: (reference: ReferenceCase) => Promise<Computed> | Computed): CaseTarget {
  return async (reference) => {
    const { tensors, expected } = await run(reference)
    checkExpected(reference, expected)
    return new Map(Object.entries(tensors).map(([name, array]) => [`output/${name}`, array]))
  }
}

/** Numbers as a tensor; NaN for what there is no number for. */
export function array(values: readonly number[], shape = [values.length], dtype: DType = 'float32'): NDArray {
  return { dtype, shape, data: fromNumbers(dtype, values) }
}

/** Rows of equal length as a tensor. */
export function rowsArray(rows: readonly (readonly number[])[], dtype: DType = 'float32'): NDArray {
  return array(rows.flat(), [rows.length, rows[0]?.length ?? 0], dtype)
}

/** A part of a case's JSON of a known form. */
export function part<T>(settings: Settings, name: string, schema: z.ZodType<T>): T {
  const found = schema.safeParse(settings[name])
  if (found.success) return found.data
  const [issue] = found.error.issues
  const path = [name, ...(issue?.path ?? [])].map(String).join('.')
  throw new FormatError(`"${path}" of the case: ${issue?.message ?? 'is malformed'}`)
}

/** Names and anything else, in the order of the file: what a case asks for is often the keys of what it expects. */
export const anyRecord = z.record(z.string(), z.unknown())

/** The data files that a case names, with what stands for `<system>.<lang>` put in. They lie in `data` next to the cases. */
export async function dataFile({ folder }: ReferenceCase, path: string): Promise<string> {
  return readFile(join(folder, 'data', path), 'utf8').catch(() => {
    throw new FormatError(`the case needs data/${path} next to it`, {
      hint: 'the data files of the studies are not part of tenfold: see the README of the reference cases',
    })
  })
}

/** The names of the case's data files. */
export function dataNames({ config }: ReferenceCase): readonly string[] {
  return part(config, 'data', z.array(z.string()).min(1))
}
