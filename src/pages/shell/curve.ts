/** Losses of several trainings over their steps, as a plot has them. */
export interface Run {
  readonly name: string
  /** One number a step, from the first on. */
  readonly losses: number[]
}

/** Points that a curve has at most: more can't be seen. */
const mostPoints = 300

/**
 * The runs as columns of equal length, beginning with the steps: each number is the mean over as many steps as leave at most 300 points.
 * A run that is shorter than the longest ends with nulls.
 */
export function columnsOf(runs: readonly Run[]): (number | null)[][] {
  const longest = Math.max(0, ...runs.map(({ losses }) => losses.length))
  const width = Math.max(1, Math.ceil(longest / mostPoints))
  const count = Math.ceil(longest / width)
  const steps = Array.from({ length: count }, (_, i) => Math.min(longest, (i + 1) * width))
  const means = runs.map(({ losses }) =>
    steps.map((_, i) => {
      const part = losses.slice(i * width, (i + 1) * width)
      return part.length > 0 ? part.reduce((sum, loss) => sum + loss, 0) / part.length : null
    }),
  )
  return [steps, ...means]
}

/** The curve without most of its noise: an average that forgets over `steps` points, corrected at its beginning. */
export function smoothed(values: readonly (number | null)[], points = 12): (number | null)[] {
  const decay = 1 - 1 / points
  let [sum, weight] = [0, 0]
  return values.map((value) => {
    if (value === null) return null
    sum = decay * sum + value
    weight = decay * weight + 1
    return sum / weight
  })
}
