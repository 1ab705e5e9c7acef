/// <reference types="svelte" />

/** The claims of a system's README, read when the pages are built (scripts/site/markup.js). */
declare module '*README.md?claims' {
  export const claims: readonly import('./claims.ts').ClaimsTable[]
}
