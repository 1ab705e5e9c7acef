/// <reference types="svelte" />

/** The claims of a system's README, read when the pages are built (scripts/site/markup.js). */
declare module '*README.md?claims' {
  export const claims: readonly import('./claims.ts').ClaimsTable[]
}

/** What the build knows of the site; only in what makes the HTML (scripts/site/pages.js). */
declare const builtSite: {
  /** Systems that have a page. */
  readonly names: readonly string[]
  /** Paths of systems' pages in the documentation, by the names of the systems. */
  readonly documents: Readonly<Record<string, string>>
  /** Whether the documentation lies one folder above the pages. */
  readonly hasDocs: boolean
}
