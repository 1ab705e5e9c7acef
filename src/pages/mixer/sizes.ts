/** Sizes of the page's network and training: about a minute on one thread of a laptop. */
export const sizes = { patch: 4, tokens: 49, blocks: 3, width: 64, batch: 32, steps: 800 } as const
