/** Words of messages: names that may have been meant, counts of things, and shares. */

/** Edit distance (insert, delete, substitute, swap of neighbours) between two strings. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforePrevious[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.length] ?? 0
}

/** The candidates that `name` may have meant, nearest first; empty if none is near. */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = name.toLowerCase()
  const scored: { candidate: string; distance: number }[] = []
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const distance = known.includes(wanted) || wanted.includes(known) ? 1 : editDistance(wanted, known)
    if (distance <= Math.max(2, Math.floor(wanted.length / 3))) scored.push({ candidate, distance })
  }
  scored.sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
  const best = scored[0]?.distance ?? 0
  return scored
    .filter(({ distance }) => distance <= best + 1)
    .slice(0, limit)
    .map((entry) => entry.candidate)
}

/** `did you mean "a" or "b"?`, or the whole list when nothing is near. For error messages. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const all = [...candidates]
  const near = nearestNames(name, all)
  if (near.length > 0) return `did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`
  return all.length > 0 ? `known: ${all.join(', ')}` : 'no names are known here'
}

/** `1 picture`, `1,200 pictures`, `2 classes`, `3 entries`, `4 matrices`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : pluralOf(noun)}`
}

function pluralOf(noun: string): string {
  if (/s$/.test(noun)) return `${noun}es`
  return noun
    .replace(/(?<![aeiou])y$/, 'ie')
    .replace(/ix$/, 'ice')
    .concat('s')
}

/** A share as people read it: 0.123 is `12.3 %`. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`
}
