/** The keys of a JSON text: JSON.parse keeps neither their order (numbers come first) nor all of them (the last wins). */

/** Index of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i
}

/** Keys of the outermost object, in the text's order, and the first key that any object has twice. */
export interface JsonKeys {
  readonly keys: readonly string[]
  readonly duplicate: string | undefined
}

/** Lists the keys of an object. The text must be valid JSON: the walk relies on JSON.parse having accepted it. */
export function jsonKeys(text: string): JsonKeys {
  const keys: string[] = []
  // What is open at this place: the keys of an object, or undefined for a list.
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    if (character !== '"') continue
    const end = endOfString(text, i)
    const raw = text.slice(i, end + 1)
    i = end
    while (/\s/.test(text[i + 1] ?? '')) i++
    const known = open.at(-1)
    if (text[i + 1] !== ':' || !known) continue
    const key: unknown = JSON.parse(raw)
    if (typeof key !== 'string') continue
    if (known.has(key)) return { keys, duplicate: key }
    known.add(key)
    if (open.length === 1) keys.push(key)
  }
  return { keys, duplicate: undefined }
}
