import { Queue } from '../util/queue.ts'

/**
 * Compiled functions run one at a time, in the order of their calls: they share variables, whose buffers are swapped after each
 * call, and the runtime's threads. What waits here is a call that was not awaited before the next.
 */
export const calls = new Queue()
