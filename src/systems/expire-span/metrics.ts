/** How the numbers of trainings with memory are read. */
import type { MetricDescriptions } from '../../tasks/define.ts'

/** Of every recipe. */
export const memoryMetrics = {
  loss: { goal: 'min', unit: 'nats' },
  /** Kept by a layer, on average. */
  memories: { goal: 'min' },
  /** Of these, the ones that have not expired: what is kept is a whole number of blocks, and equally many in each row. */
  alive: { goal: 'min' },
  span_loss: { goal: 'min' },
} satisfies MetricDescriptions
