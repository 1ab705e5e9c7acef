/** A binary heap: gives what comes first of all that was put into it. */
export class Heap<T extends object> {
  readonly #items: T[] = []
  readonly #before: (a: T, b: T) => boolean

  /** `before`: whether a comes before b. */
  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  push(item: T): void {
    const items = this.#items
    let place = items.push(item) - 1
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = items[parent]
      if (above === undefined || !this.#before(item, above)) break
      items[place] = above
      place = parent
    }
    items[place] = item
  }

  /** The first one, taken out; undefined if there is none. */
  pop(): T | undefined {
    const items = this.#items
    const [first] = items
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const [a, b] = [items[left], items[left + 1]]
      const [better, next] = a && b && this.#before(b, a) ? [b, left + 1] : [a, left]
      if (better === undefined || !this.#before(better, last)) break
      items[place] = better
      place = next
    }
    items[place] = last
    return first
  }
}
