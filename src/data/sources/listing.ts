/** The content of a folder: its files at any depth, and what is ignored. */
import { existsSync } from 'node:fs'
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cannotRead, readError } from '../files.ts'

/** Something that cannot be read. */
export interface Unreadable {
  /** Path of the file or folder. */
  readonly path: string
  /** In one line, without the path. */
  readonly reason: string
}

/** Names are paths relative to the folder, with `/` between, sorted. */
export interface Listing {
  readonly files: readonly string[]
  readonly folders: readonly string[]
  /** Hidden files and folders; these are not looked into. */
  readonly hidden: readonly string[]
  /** Links to what is read elsewhere in the folder, or above it: not followed. */
  readonly repeated: readonly string[]
  /** Broken links, folders without permission. */
  readonly unreadable: readonly Unreadable[]
}

/** Files that systems and programs create under names without a leading dot. */
const systemNames = new Set([
  '__macosx',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '@eadir',
  '$recycle.bin',
  'system volume information',
  'lost+found',
])

/** Whether a file or folder is hidden: `.git`, `._1.png`, `__MACOSX`, `Thumbs.db`. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase())
}

/**
 * Lists a folder. Links are followed, to files and to folders, unless their target is read already, so that nothing is read twice
 * and cycles end. Throws a UsageError if the folder itself can't be read.
 */
export async function listFolder(folder: string): Promise<Listing> {
  const walk = new Walk(folder)
  await walk.enter('').catch((error: unknown) => Promise.reject(cannotRead(folder, error)))
  await walk.followLinks()
  return walk.listing()
}

class Walk {
  readonly #root: string
  readonly #files: string[] = []
  readonly #folders: string[] = []
  readonly #hidden: string[] = []
  readonly #repeated: string[] = []
  readonly #unreadable: Unreadable[] = []
  /** Followed last: a target inside the folder is read at its own path. */
  readonly #links: string[] = []
  /** The real paths of folders, and of files that a link led to. */
  readonly #read = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async enter(name: string): Promise<void> {
    const path = join(this.#root, name)
    const entries = await readdir(path, { withFileTypes: true })
    this.#read.add(await realpath(path))
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inner = name === '' ? entry.name : `${name}/${entry.name}`
      if (isHidden(entry.name)) this.#hidden.push(inner)
      else if (entry.name.includes('\ufffd') && !existsSync(join(path, entry.name)))
        this.#refuse(inner, 'has a name that is not UTF-8: rename it')
      else if (entry.isSymbolicLink()) this.#links.push(inner)
      else if (entry.isDirectory()) await this.#enterFolder(inner)
      else if (entry.isFile()) this.#files.push(inner)
      else this.#refuse(inner, 'is neither a file nor a folder')
    }
  }

  async #enterFolder(name: string): Promise<void> {
    try {
      // Not for a folder that a link has led back to from above.
      if (this.#read.has(await realpath(join(this.#root, name)))) {
        this.#repeated.push(name)
        return
      }
      this.#folders.push(name)
      await this.enter(name)
    } catch (error) {
      this.#refuse(name, readError(error))
    }
  }

  #refuse(name: string, reason: string): void {
    this.#unreadable.push({ path: join(this.#root, name), reason })
  }

  /** Linked folders may hold further links. */
  async followLinks(): Promise<void> {
    for (const link of this.#links) {
      const path = join(this.#root, link)
      try {
        const real = await realpath(path)
        const isKnown = this.#read.has(real) || (this.#read.has(dirname(real)) && !isHidden(basename(real)))
        if (isKnown) {
          this.#repeated.push(link)
        } else if ((await stat(real)).isDirectory()) {
          await this.#enterFolder(link)
        } else {
          this.#read.add(real)
          this.#files.push(link)
        }
      } catch (error) {
        const target = await readlink(path).catch(() => readError(error))
        this.#refuse(link, `is a broken link, to ${target}`)
      }
    }
  }

  listing(): Listing {
    return {
      files: this.#files.sort(),
      folders: this.#folders.sort(),
      hidden: this.#hidden,
      repeated: this.#repeated,
      unreadable: this.#unreadable,
    }
  }
}

/** The names of the folders right below `prefix` (empty, or a folder's name and `/`). */
export function foldersBelow({ folders }: Listing, prefix: string): string[] {
  return folders.flatMap((name) => {
    const inner = name.slice(prefix.length)
    return name.startsWith(prefix) && !inner.includes('/') ? [inner] : []
  })
}

const roles = { train: ['train', 'training'], test: ['test', 'testing'], validation: ['val', 'valid', 'validation'] }

/** Which of the folders (among those that are `used`) have the names of parts of a divided data set. */
export function splitFolders(
  folders: readonly string[],
  used: (folder: string) => boolean = () => true,
): {
  readonly train: string | undefined
  readonly test: string | undefined
  readonly validation: string | undefined
} {
  const called = (names: readonly string[]): string | undefined =>
    folders.find((folder) => names.includes(folder.toLowerCase()) && used(folder))
  return { train: called(roles.train), test: called(roles.test), validation: called(roles.validation) }
}
