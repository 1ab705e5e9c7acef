/** Reading of reference cases: NAME.json next to NAME.safetensors. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { readSafetensors } from '../io/safetensors.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { FormatError, UsageError } from '../util/errors.ts'
import { tolerances } from './tolerance.ts'

const entry = z.looseObject({
  name: z.string(),
  op: z.string(),
  args: z.record(z.string(), z.unknown()).default({}),
  inputs: z.array(z.string()).default([]),
  outputs: z.array(z.string()),
  cotangents: z.array(z.string().nullable()).default([]),
  grads: z.array(z.string()).default([]),
  views: z
    .record(z.string(), z.array(z.object({ op: z.string(), args: z.record(z.string(), z.unknown()).default({}) })))
    .optional(),
  tolerance: tolerances.optional(),
  // What is computed, in words.
  formula: z.unknown().optional(),
  note: z.unknown().optional(),
})

/** The fields of an entry that are known here. */
export const entryFields: ReadonlySet<string> = new Set(Object.keys(entry.shape))

const description = z.looseObject({
  format: z.literal(1),
  system: z.string(),
  case: z.string(),
  target: z.string(),
  config: z.record(z.string(), z.unknown()).default({}),
  mode: z.enum(['train', 'eval']).default('eval'),
  inputs: z.array(z.string()).default([]),
  outputs: z.array(z.string()).default([]),
  // Carried state, such as memories.
  states: z.array(z.string()).default([]),
  tolerance: tolerances,
  cases: z.array(entry).optional(),
  // In words: how the scalar of the gradients is formed, which code made the case, what is peculiar in it.
  loss: z.unknown().optional(),
  source: z.unknown().optional(),
  notes: z.unknown().optional(),
})

/** The fields of a case that are known here; others are its target's. */
export const caseFields: ReadonlySet<string> = new Set(Object.keys(description.shape))

/** What the JSON file of a case says. */
export type CaseDescription = z.infer<typeof description>

/** A case with its tensors. */
export interface LoadedCase {
  readonly folder: string
  readonly description: CaseDescription
  readonly tensors: ReadonlyMap<string, NDArray>
}

/** The JSON files of cases below the paths: a folder (with all inside it), or files of either kind. */
export async function findCases(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  const visit = async (path: string): Promise<void> => {
    const info = await stat(path).catch(() => {
      throw new UsageError(`${path}: no such file or folder`)
    })
    if (!info.isDirectory()) {
      found.add(path.replace(/\.safetensors$/, '.json'))
      return
    }
    for (const item of (await readdir(path, { withFileTypes: true })).sort((a, b) => a.name.localeCompare(b.name))) {
      if (item.isDirectory()) await visit(join(path, item.name))
      // A case is a pair: there are other JSON files in the same folders.
      else if (item.name.endsWith('.safetensors')) found.add(join(path, item.name.replace(/\.safetensors$/, '.json')))
    }
  }
  for (const path of paths) await visit(path)
  if (found.size === 0)
    throw new UsageError(`no reference cases in ${paths.join(', ')}`, {
      hint: 'a case is NAME.json next to NAME.safetensors',
    })
  return [...found]
}

/** Reads a case. Throws a FormatError that says what is malformed. */
export async function loadCase(path: string): Promise<LoadedCase> {
  const read = async (file: string): Promise<Uint8Array> =>
    readFile(file).catch(() => {
      throw new FormatError(`${basename(file)} is missing`)
    })
  const text = Buffer.from(await read(path)).toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new FormatError(`${basename(path)} is not valid JSON`)
  }
  const checked = description.safeParse(json)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new FormatError(`${basename(path)}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is malformed'}`)
  }
  const file = join(dirname(path), basename(path).replace(/\.json$/, '.safetensors'))
  return { folder: dirname(path), description: checked.data, tensors: readSafetensors(await read(file)).tensors }
}
