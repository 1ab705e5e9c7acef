/** Clean-up for a process that ends in the middle of its work. */

const cleanUps: (() => void)[] = []

function cleanUpAll(): void {
  for (const cleanUp of cleanUps.toReversed()) cleanUp()
}

/**
 * Calls `cleanUp`, which must not throw, when the process exits (not when it is killed), the last one first. The function it
 * returns cancels that.
 */
export function atExit(cleanUp: () => void): () => void {
  if (cleanUps.length === 0) process.on('exit', cleanUpAll)
  cleanUps.push(cleanUp)
  return () => {
    cleanUps.splice(cleanUps.indexOf(cleanUp), 1)
    if (cleanUps.length === 0) process.removeListener('exit', cleanUpAll)
  }
}
