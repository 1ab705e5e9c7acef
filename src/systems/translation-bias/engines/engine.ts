/** What a translator is to an audit, whatever it is made of. */

/** From which language into which, by their codes. */
export interface Direction {
  readonly source: string
  readonly target: string
}

/** A translator. */
export interface Engine {
  /** What it is exactly, for the report and for the cache: an answer of one is none of another. */
  readonly identity: string
  /** How many texts are asked at once. */
  readonly batch: number
  /** A translation of each text. Throws a UsageError or an EngineError of one line. */
  readonly translate: (
    texts: readonly string[],
    direction: Direction,
    signal?: AbortSignal,
  ) => Promise<readonly string[]>
}
