/** Lists of names in words. */

/** Files by their endings, most frequent first: `5 .HEIC, 1 .txt`. */
export function countEndings(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) {
    const ending = /[^/]\.([^./]+)$/.exec(name)?.[1]
    const key = ending === undefined ? 'without an ending' : `.${ending}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([key, number]) => `${number.toLocaleString('en')} ${key}`)
    .join(', ')
}

/** The first names of a list and how many more there are. */
export function listSome(names: readonly string[], limit: number): string {
  const more = names.length > limit ? ` and ${(names.length - limit).toLocaleString('en')} more` : ''
  return `${names.slice(0, limit).join(', ')}${more}`
}
