/** Sizes of the page's encoder and training. */
export const sizes = { width: 64, layers: 2, heads: 4, batch: 64, hidden: 2, steps: 500 } as const
