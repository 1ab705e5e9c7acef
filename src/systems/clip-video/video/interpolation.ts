/** From the picture of one line to that of the next. */
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { roundHalfEven } from '../../../util/rounding.ts'

/** The published easing, 0 to 1: slow at both ends, 0.5 in the middle. */
export function ease(x: number): number {
  const u = 2 * x - 1
  return Math.tanh((1.5 * u) / (Math.sqrt(1 - u ** 2) + 1e-6)) / 2 + 0.5
}

/** Pictures between two entries: round(seconds * pictures per second). */
export function pictureCount(seconds: number, perSecond: number): number {
  return roundHalfEven(seconds * perSecond)
}

/** The share of the second entry in each of `count` pictures; both ends are among them. One picture alone is the first entry's. */
export function blendWeights(count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, (_, t) => (count === 1 ? 0 : ease(t / (count - 1))))
}

/** from + weight (to - from), for each weight: arrays of one shape. */
export function blend(from: NDArray, to: NDArray, weights: readonly number[]): NDArray[] {
  const [a, b] = [toNumbers(from.data), toNumbers(to.data)]
  return weights.map((weight) => ({
    ...from,
    data: fromNumbers(
      from.dtype,
      a.map((value, i) => value + weight * ((b[i] ?? value) - value)),
    ),
  }))
}

/** What a key picture is made of. */
export interface Scene {
  readonly latents: Float32Array
  readonly classes: Float32Array
}

/** A scene between two others: from + weight (to - from). */
export function between(from: Scene, to: Scene, weight: number): Scene {
  const mixed = (a: Float32Array, b: Float32Array): Float32Array =>
    a.map((value, i) => value + weight * ((b[i] ?? value) - value))
  return { latents: mixed(from.latents, to.latents), classes: mixed(from.classes, to.classes) }
}
