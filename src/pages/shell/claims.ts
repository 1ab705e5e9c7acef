/** A table of a README, its cells as HTML that the build made. */
export interface ClaimsTable {
  /** The words before it; empty: none. */
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}
