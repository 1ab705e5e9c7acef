/** Bounds of a memory: about 10 MB of words and their tokens. */
const most = 65_536
const longest = 40

/** `compute` with a memory of what short texts gave: words repeat. Emptied when it is full. */
export function remembered<T>(compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const found = compute(text)
    if (known.size >= most) known.clear()
    if (text.length <= longest) known.set(text, found)
    return found
  }
}
