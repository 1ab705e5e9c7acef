/** What OpenAI's training loop does besides the losses. */
import type { Schedule } from '../../../optim/index.ts'

/** The learning rate, annealed to 0 in a line after each step, with that step's number: steps 0 and 1 have all of it. 0: constant. */
export function annealedRate(lr: number, annealSteps: number): Schedule {
  return (step) => (annealSteps > 0 ? lr * (1 - Math.max(0, step - 1) / annealSteps) : lr)
}

/** Which quarter of all times: 0 to 3. */
export function timeQuartile(time: number, steps: number): number {
  return Math.floor((4 * time) / steps)
}

/** Where micro-batches begin and end: the last one may be smaller. A size of 0 or less: the whole batch at once. */
export function microBatches(batch: number, size: number): [start: number, stop: number][] {
  const step = size > 0 ? size : batch
  return Array.from({ length: Math.ceil(batch / step) }, (_, i) => [i * step, Math.min(batch, (i + 1) * step)])
}
