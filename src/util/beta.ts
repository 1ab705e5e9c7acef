import type { Generator } from './random.ts'

/**
 * log of a number of the Gamma distribution with a shape and scale 1 (Marsaglia and Tsang 2000). The logarithm, because for
 * small shapes the number itself may be too small for any float.
 */
function logGamma(random: Generator, shape: number): number {
  // Gamma(shape) is Gamma(shape + 1) u^(1 / shape).
  const boost = shape < 1 ? Math.log(1 - (random.uniform(1)[0] ?? 0)) / shape : 0
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
  for (;;) {
    const x = random.normal(1)[0] ?? 0
    const v = (1 + x / Math.sqrt(9 * d)) ** 3
    const u = 1 - (random.uniform(1)[0] ?? 0)
    if (v > 0 && Math.log(u) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v) + boost
  }
}

/** `count` numbers of the Beta(a, b) distribution: x / (x + y) of two Gamma numbers. */
export function betaNumbers(random: Generator, a: number, b: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const x = logGamma(random, a)
    return 1 / (1 + Math.exp(logGamma(random, b) - x))
  })
}
