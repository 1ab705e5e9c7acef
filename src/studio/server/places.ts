/** Names of runs and files as they come in addresses, and where they are: never outside of the runs folder. */
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'

/** A folder below the runs folder may lie this deep. */
export const deepest = 3

/** Names for new runs: no path, no hidden file, nothing that a shell or Windows reads in its own way, and room for an ending. */
const plainName = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,99}$/u

/** Bytes of a new name: systems allow 255. */
const longestName = 240

/** What leads out of a folder, or is no name at all, on Windows only. */
const foreign = sep === '\\' ? /[\\:\p{Cc}]/u : /\0/

/** Names that Windows has given away, with any ending. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

export function isPlainName(name: string): boolean {
  return plainName.test(name) && !reserved.test(name) && !name.endsWith('.') && Buffer.byteLength(name) <= longestName
}

/** The parts of a name with `/` between them; undefined if one of them is not the name of something that lies there. */
function partsOf(name: string): string[] | undefined {
  const parts = name.split('/')
  const isHarmless = (part: string): boolean =>
    part !== '' && !part.startsWith('.') && !foreign.test(part) && part.length <= 255
  return parts.every(isHarmless) ? parts : undefined
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/**
 * The file or folder of that name (parts with `/` between) in a folder, itself without links in its path; undefined if there is none, if
 * the name does not mean something inside, or if a link leads out.
 */
async function find(folder: string, name: string): Promise<string | undefined> {
  const parts = partsOf(name)
  if (!parts) return undefined
  const path = await realpath(join(folder, ...parts)).catch(() => undefined)
  return path !== undefined && isInside(folder, path) ? path : undefined
}

/** A folder of runs. */
export class RunsFolder {
  /** Without links in its path. */
  readonly path: string
  /** As the user named it: for commands that are shown. */
  readonly shown: string

  private constructor(path: string, shown: string) {
    this.path = path
    this.shown = shown
  }

  /** The folder, which must be there. */
  static async open(path: string): Promise<RunsFolder> {
    return new RunsFolder(await realpath(path), path)
  }

  /** The folder of a run by its id; undefined if there is none inside of the runs folder. */
  async run(id: string): Promise<string | undefined> {
    if (id.split('/').length > deepest) return undefined
    const path = await find(this.path, id)
    return path !== undefined && (await stat(path)).isDirectory() ? path : undefined
  }

  /** A file of a run; undefined if there is none inside of the run. */
  async file(id: string, name: string): Promise<string | undefined> {
    const run = await this.run(id)
    const path = run === undefined ? undefined : await find(run, name)
    return path !== undefined && (await stat(path)).isFile() ? path : undefined
  }
}
