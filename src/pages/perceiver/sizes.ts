/** Sizes of the page's network and training. */
export const sizes = { latents: 16, width: 32, positions: 24, rows: 784, batch: 16, steps: 700 } as const
