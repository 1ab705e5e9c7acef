/** Where the files go that a use writes: pages, pictures. */
import { stat } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { makeFolder } from '../io/atomic.ts'
import { UsageError } from '../util/errors.ts'

/** `a/page.html` and 2: `a/page-2.html`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}-${number}${ext}`)
}

/**
 * Gives each file of one command a place: by its name in the run directory, or where `--out` says. That is a folder, which is made, where it
 * is one, ends in a slash, or there are several inputs; else the file. A second file of a name gets a number, so that none replaces
 * another. Throws a UsageError where `out` is a file and must be a folder.
 */
export function placesOf(run: string, out: string | undefined, inputs: number): (name: string) => Promise<string> {
  const given = new Set<string>()
  const wanted = async (name: string): Promise<string> => {
    if (out === undefined) return join(run, name)
    const found = await stat(out).catch(() => undefined)
    if (inputs <= 1 && !/[\\/]$/.test(out) && !found?.isDirectory()) return out
    if (found && !found.isDirectory())
      throw new UsageError(`--out must be a folder where there are several inputs, found the file ${out}`)
    return join(out, name)
  }
  return async (name) => {
    const first = await wanted(name)
    let path = first
    for (let number = 2; given.has(path); number++) path = numbered(first, number)
    given.add(path)
    if (out !== undefined) await makeFolder(dirname(path))
    return path
  }
}
