/** Warnings of the library: a line on the console, in Node and in a browser. */

type Listener = (message: string) => void

let listener: Listener = (message) => console.warn(`tenfold: ${message}`)

/** Passes one line to the listener. */
export function warn(message: string): void {
  listener(message)
}

/** Sends warnings elsewhere (a progress display, a test). Returns the previous listener. Default: `console.warn`. */
export function setWarningListener(next: Listener): Listener {
  const before = listener
  listener = next
  return before
}
