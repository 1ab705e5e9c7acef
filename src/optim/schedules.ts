/** Learning rates as functions of the update's number: 0 for the first. */
export type Schedule = (step: number) => number

/** Linear from 0 (at step 0) over the warm-up, then half a cosine down to 0 at `totalSteps`. As transformers' cosine schedule. */
export function warmupCosine(lr: number, warmupSteps: number, totalSteps: number): Schedule {
  return (step) => {
    if (step < warmupSteps) return (lr * step) / Math.max(1, warmupSteps)
    const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps)
    return lr * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)))
  }
}

/** Linear from 0 over the warm-up, then linear down to 0 at `totalSteps`. As transformers' linear schedule. */
export function warmupLinear(lr: number, warmupSteps: number, totalSteps: number): Schedule {
  return (step) => {
    if (step < warmupSteps) return (lr * step) / Math.max(1, warmupSteps)
    return lr * Math.max(0, (totalSteps - step) / Math.max(1, totalSteps - warmupSteps))
  }
}
