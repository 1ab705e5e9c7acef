/** The derivative by which fast_align learns its tension, with the two slips of the tool's code, which decide the digits. */

/** Sum over i of exp(-tension |i / n - j / m|) in closed form: two geometric series that meet at the diagonal. */
function closedForm(j: number, m: number, n: number, tension: number): number {
  const floor = Math.floor((j * n) / m)
  const ratio = Math.exp(-tension / n)
  const at = (i: number): number => Math.exp(-tension * Math.abs(i / n - j / m))
  // The tool's count is unsigned: below 0 it is huge, and the power vanishes.
  const above = n - floor
  const right = above === 0 ? 0 : (at(floor + 1) * (1 - (above > 0 ? ratio ** above : 0))) / (1 - ratio)
  const left = floor === 0 ? 0 : (at(floor) * (1 - ratio ** floor)) / (1 - ratio)
  return right + left
}

/**
 * d log Z / d tension of target position j (from 1) of m with n source words. It should be divided by Z itself; the tool divides by Z
 * of exchanged lengths.
 */
export function tensionGradient(j: number, m: number, n: number, tension: number): number {
  let sum = 0
  for (let i = 1; i <= n; i++) {
    const distance = Math.abs(i / n - j / m)
    sum -= distance * Math.exp(-tension * distance)
  }
  return sum / closedForm(j, n, m, tension)
}
