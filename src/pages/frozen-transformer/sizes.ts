/** Sizes of the page's network and training. */
export const sizes = { bits: 5, width: 64, layers: 2, heads: 4, batch: 32, steps: 400, lr: 0.01 } as const
/** Tokens of an example: both strings. */
export const tokens = 2 * sizes.bits
