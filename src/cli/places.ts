/** Where the files go that a use writes: pages, pictures. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { cannotWrite } from '../io/errors.ts'
import { UsageError } from '../util/errors.ts'

/** `a/page.html` and 2: `a/page-2.html`. */
function numbered(path: string, number: number): string {
  const { dir, name, ext } = parse(path)
  return join(dir, `${name}-${number}${ext}`)
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
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
    if (inputs <= 1 && !/[\\/]$/.test(out) && !(await isFolder(out))) return out
    const isFile = await stat(out).then(
      (found) => !found.isDirectory(),
      () => false,
    )
    if (isFile) throw new UsageError(`--out must be a folder where there are several inputs, found the file ${out}`)
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
