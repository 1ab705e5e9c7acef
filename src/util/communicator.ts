/** Which of the processes this is that train one model together. */
export interface Ranks {
  /** 0, 1, ..., size - 1. */
  readonly rank: number
  /** How many there are. */
  readonly size: number
}

/**
 * What tenfold asks of a library that lets processes work together, such as MPI. Every process must make the same calls in the
 * same order; one call at a time. What fails on one of them cannot be continued on the others: the method throws, or the library
 * ends the process.
 */
export interface Communicator extends Ranks {
  /** Replaces each number by its sum over all processes: to the same bits on all. All must give as many numbers. */
  sum(values: Float32Array): Promise<void>
  /** Replaces the bytes by those of rank 0. All must give as many. */
  broadcast(bytes: Uint8Array): Promise<void>
  /** Waits until every process has called it, and says goodbye: no call may follow. */
  close(): Promise<void>
}
