/** What the library says to people without ending: a line on the console, in Node and in a browser. */

type Listener = (message: string) => void

let listener: Listener = (message) => console.warn(`tenfold: ${message}`)

/** Says one line, through whoever listens. */
export function warn(message: string): void {
  listener(message)
}

/** Sends warnings elsewhere (a progress display, a test). Returns the listener before. Default: `console.warn`. */
export function setWarningListener(next: Listener): Listener {
  const before = listener
  listener = next
  return before
}
