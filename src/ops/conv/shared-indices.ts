/** Lists of rows that convolutions of the same shape share. */

const known = new Map<string, Int32Array>()

/**
 * The `count` indices that `write` hands over, one array for each key: convolutions of the same shape then share the constant. There are hundreds of
 * thousands, so no list is made of them before.
 */
export function sharedIndices(
  key: readonly unknown[],
  count: number,
  write: (push: (index: number) => void) => void,
): Int32Array {
  const name = key.join()
  const found = known.get(name)
  if (found) return found
  const indices = new Int32Array(count)
  let next = 0
  write((index) => {
    indices[next++] = index
  })
  known.set(name, indices)
  return indices
}
