/** Where the files go that a use writes: pages, pictures. */
import { stat } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { makeFolder, requireNotInput } from '../io/atomic.ts'
import { UsageError } from '../util/errors.ts'
import { belongsToRun } from './run-files.ts'

/** `a/page.html` and 2: `a/page-2.html`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}-${number}${ext}`)
}

/** Throws a UsageError where writing the file would lose what is there: an input, a part of a run. */
async function requireExpendable(path: string, inputs: readonly string[]): Promise<void> {
  const hint = 'give another file or folder: --out'
  await requireNotInput(path, inputs, hint)
  if (belongsToRun(path)) throw new UsageError(`${path} is a file that a run needs, and would be overwritten`, { hint })
}

/**
 * Gives each file of one command a place: by its name in the run directory, or where `--out` says. That is a folder, which is made, where it
 * is one, ends in a slash, or there are several inputs; else the file. A second file of a name gets a number, so that none replaces
 * another. Throws a UsageError where `out` is a file and must be a folder, or a place is that of an input or of a part of a run.
 */
export function placesOf(
  run: string,
  out: string | undefined,
  inputs: readonly string[],
): (name: string) => Promise<string> {
  const given = new Set<string>()
  const wanted = async (name: string): Promise<string> => {
    if (out === undefined) return join(run, name)
    const found = await stat(out).catch(() => undefined)
    if (inputs.length <= 1 && !/[\\/]$/.test(out) && !found?.isDirectory()) return out
    if (found && !found.isDirectory())
      throw new UsageError(`--out must be a folder where there are several inputs, found the file ${out}`)
    return join(out, name)
  }
  return async (name) => {
    const first = await wanted(name)
    let path = first
    for (let number = 2; given.has(path); number++) path = numbered(first, number)
    given.add(path)
    await requireExpendable(path, inputs)
    if (out !== undefined) await makeFolder(dirname(path))
    return path
  }
}
