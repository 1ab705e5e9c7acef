/** Points of the plane on a curve, to see energies whole: between -1 and 1, with a little noise. */
import { Generator } from '../../../util/random.ts'

const noise = 0.03

/** From a place along the curve, 0 to 1, and a coin: a point. */
const curves = {
  moons: (t: number, coin: boolean): readonly [number, number] => {
    const angle = Math.PI * t
    return coin
      ? [0.55 * Math.cos(angle) - 0.25, 0.55 * Math.sin(angle) - 0.15]
      : [0.25 - 0.55 * Math.cos(angle), 0.15 - 0.55 * Math.sin(angle)]
  },
  ring: (t: number): readonly [number, number] => [0.65 * Math.cos(2 * Math.PI * t), 0.65 * Math.sin(2 * Math.PI * t)],
  spiral: (t: number): readonly [number, number] => {
    const angle = 3.2 * Math.PI * Math.sqrt(t)
    return [0.078 * angle * Math.cos(angle), 0.078 * angle * Math.sin(angle)]
  },
} as const

export type PlaneCurve = keyof typeof curves
export const planeCurves = Object.keys(curves) as [PlaneCurve, ...PlaneCurve[]]

/** So many points of a curve: float32 [count, 2], row by row. */
export function pointsOnCurve(name: PlaneCurve, count: number, seed: number): Float32Array {
  const random = new Generator(seed)
  const [places, coins, moved] = [random.uniform(count), random.uniform(count), random.normal(2 * count)]
  const points = new Float32Array(2 * count)
  for (let i = 0; i < count; i++) {
    const [x, y] = curves[name](places[i] ?? 0, (coins[i] ?? 0) < 0.5)
    points.set([x + noise * (moved[2 * i] ?? 0), y + noise * (moved[2 * i + 1] ?? 0)], 2 * i)
  }
  return points
}

/** The middles of a square grid of side x side cells over [-1, 1] x [-1, 1], row by row from the top: [side side, 2]. */
export function gridPoints(side: number): Float32Array {
  const points = new Float32Array(2 * side * side)
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      points.set([(2 * column + 1) / side - 1, 1 - (2 * row + 1) / side], 2 * (row * side + column))
  return points
}
