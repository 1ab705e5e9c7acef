/** What the page's diffusion learns: points of the plane on three arms, one for each class, which meet in the middle. */
import type { Generator } from '../../util/random.ts'
import { classes } from './settings.ts'

/** Directions in which the arms end. */
const ends = [(7 * Math.PI) / 6, (11 * Math.PI) / 6, Math.PI / 2]
const bend = 1.1
const noise = 0.04

/** Points [count, 2] and their classes, from -1 to 1. */
export interface ArmPoints {
  readonly points: Float32Array
  readonly labels: Int32Array
}

/** So many points, drawn evenly from the arms. */
export function pointsOnArms(count: number, random: Generator): ArmPoints {
  const [along, moved, labels] = [
    random.uniform(count),
    random.normal(2 * count),
    random.integers(0, classes.length, count),
  ]
  const points = new Float32Array(2 * count)
  for (let i = 0; i < count; i++) {
    const radius = 0.08 + 0.77 * (along[i] ?? 0)
    const angle = (ends[labels[i] ?? 0] ?? 0) + bend * (radius - 0.85)
    const place = [Math.cos(angle), Math.sin(angle)].map(
      (part, axis) => radius * part + noise * (moved[2 * i + axis] ?? 0),
    )
    points.set(place, 2 * i)
  }
  return { points, labels }
}

/** For each place [x, y, x, y, ...] the number of the point that is nearest. */
export function nearestOf(places: ArrayLike<number>, { points }: ArmPoints): number[] {
  return Array.from({ length: places.length / 2 }, (_, i) => {
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    for (let j = 0; 2 * j < points.length; j++) {
      const [dx, dy] = [
        (places[2 * i] ?? 0) - (points[2 * j] ?? 0),
        (places[2 * i + 1] ?? 0) - (points[2 * j + 1] ?? 0),
      ]
      const distance = dx * dx + dy * dy
      if (distance < least) [best, least] = [j, distance]
    }
    return best
  })
}

/** Root mean square distance from their middle. */
export function spreadOf(places: ArrayLike<number>): number {
  const count = places.length / 2
  let [x, y, squares] = [0, 0, 0]
  for (let i = 0; i < count; i++) {
    const [a, b] = [places[2 * i] ?? 0, places[2 * i + 1] ?? 0]
    x += a / count
    y += b / count
    squares += (a * a + b * b) / count
  }
  return Math.sqrt(Math.max(0, squares - x * x - y * y))
}
