/** Lists of rows that convolutions of the same shape share. */
import type { Emitter } from '../define.ts'

// The programs that are written or loaded hold them; lists of shapes that are gone go with them.
const known = new Map<string, WeakRef<Int32Array>>()

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
  const found = known.get(name)?.deref()
  if (found) return found
  const indices = new Int32Array(count)
  let next = 0
  write((index) => {
    indices[next++] = index
  })
  for (const [other, list] of known) if (list.deref() === undefined) known.delete(other)
  known.set(name, new WeakRef(indices))
  return indices
}

/** The rows of a list, chosen along an axis. */
export function chosenRows(emit: Emitter, rows: string, list: Int32Array, axis = 0): string {
  return emit.node('Gather', [rows, emit.constant('int32', [list.length], list)], { axis })
}
