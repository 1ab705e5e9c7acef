/** A value that holds while a function runs. In nested calls the innermost value counts. */
export class Scoped<T> {
  #current: T

  constructor(initial: T) {
    this.#current = initial
  }

  get current(): T {
    return this.#current
  }

  /** Runs `body` with this value as the current one. */
  run<R>(value: T, body: () => R): R {
    const outer = this.#current
    this.#current = value
    try {
      return body()
    } finally {
      this.#current = outer
    }
  }
}
