/** A table of a README, its cells as HTML that the build made. */
export interface ClaimsTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}
