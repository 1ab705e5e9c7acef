/** A p-value in a table; below what a double holds it is 0. */
export function probability(p: number): string {
  if (Number.isNaN(p)) return 'no test'
  if (p < 1e-300) return '< 1e-300'
  return p < 1e-4 ? p.toExponential(1) : p.toFixed(4)
}
