/** Numbers of distributions that are made one by one, by rejection. */
import type { Generator } from './random.ts'

/**
 * log of a number of the Gamma distribution with a shape and scale 1 (Marsaglia and Tsang 2000). The logarithm, because for
 * small shapes the number itself may be too small for any float.
 */
function drawLogGamma(random: Generator, shape: number): number {
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
    const x = drawLogGamma(random, a)
    return 1 / (1 + Math.exp(drawLogGamma(random, b) - x))
  })
}

/** The smallest positive number of float32 at full precision. */
const smallestNormal = 2 ** -126

/** `count` numbers of the Gamma distribution with a shape and scale 1; never 0, as in PyTorch. */
export function gammaNumbers(random: Generator, shape: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => Math.max(Math.exp(drawLogGamma(random, shape)), smallestNormal))
}

/** log(n!) by Stirling's series, exact to 1e-11. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1
    for (let i = 2; i <= n; i++) product *= i
    return Math.log(product)
  }
  const x = n + 1
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7)
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series
}

/** How many exponential waiting times fit into `rate`. */
function poissonByWaiting(random: Generator, rate: number): number {
  let events = -1
  for (let time = 0; time < rate; events++) time -= Math.log(1 - (random.uniform(1)[0] ?? 0))
  return Math.max(events, 0)
}

/** Transformed rejection with squeeze, for rates from 10 (Hoermann 1993, algorithm PTRS). */
function poissonByRejection(random: Generator, rate: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate)
  const a = -0.059 + 0.02483 * b
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  const acceptance = 0.9277 - 3.6224 / (b - 2)
  for (;;) {
    const [first = 0, second = 0] = random.uniform(2)
    const u = first - 0.5
    const v = 1 - second
    const edge = 0.5 - Math.abs(u)
    const events = Math.floor(((2 * a) / edge + b) * u + rate + 0.43)
    if (edge >= 0.07 && v <= acceptance) return events
    if (events < 0 || (edge < 0.013 && v > edge)) continue
    const height = Math.log((v * inverseAlpha) / (a / (edge * edge) + b))
    if (height <= events * Math.log(rate) - rate - logFactorial(events)) return events
  }
}

/** `count` numbers of the Poisson distribution: how often something happens that happens `rate` times on average. */
export function poissonNumbers(random: Generator, rate: number, count: number): Float32Array {
  const draw = rate < 10 ? poissonByWaiting : poissonByRejection
  return Float32Array.from({ length: count }, () => draw(random, rate))
}
