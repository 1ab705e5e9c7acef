/** Sizes of the page's task and training: those of the job `involution/specificity`, with fewer steps. */
export const task = { channels: 16, kernel_size: 5, side: 16, cues: 4 } as const
export const training = { batch: 32, steps: 500, lr: 0.03 } as const
/** Squares of one colour in a row. */
export const squares = 4
