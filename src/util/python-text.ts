/** White space as Python's str methods see it: JavaScript's has a byte order mark too, and lacks some controls. */

const spaces: readonly (readonly [first: number, last: number])[] = [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]

const isSpace = (code: number): boolean => spaces.some(([first, last]) => code >= first && code <= last)

/** `text.strip()` */
export function pythonStrip(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** `text.split()`: the words between runs of white space. */
export function pythonWords(text: string): string[] {
  const words: string[] = []
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !isSpace(text.charCodeAt(i))) continue
    if (i > start) words.push(text.slice(start, i))
    start = i + 1
  }
  return words
}

/** The runs of white space and of other characters that a text is made of, in turn. */
export function pythonRuns(text: string): string[] {
  const runs: string[] = []
  let start = 0
  for (let i = 1; i <= text.length; i++) {
    if (i < text.length && isSpace(text.charCodeAt(i)) === isSpace(text.charCodeAt(start))) continue
    runs.push(text.slice(start, i))
    start = i
  }
  return runs
}
