/** Jobs that run one after the other, in the order in which they were given. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** Jobs that have not ended. */
  get waiting(): number {
    return this.#waiting
  }

  /** Runs `job` after all that were added before, whether these succeed or not. */
  add<T>(job: () => Promise<T>): Promise<T> {
    this.#waiting++
    const result = this.#last.then(job).finally(() => {
      this.#waiting--
    })
    // A failure is reported to the caller of `result`; the next job only needs to know that it is over.
    this.#last = result.catch(() => undefined)
    return result
  }
}
