/**
 * Gives the event loop a turn: messages, drawing and input come before what follows. Code that only awaits promises lets none of
 * them in, and a timer would wait longer (4 ms in a browser).
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** A function to await between the parts of long work: it gives the event loop a turn every 50 ms, so that a request to stop is heard. */
export function turns(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < 50) return
    await turn()
    last = performance.now()
  }
}
