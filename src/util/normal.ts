type Eight = readonly [number, number, number, number, number, number, number, number]

/** c[0] + c[1] x + ... + c[7] x^7 by Horner's rule, written out: weights of millions of numbers start here. */
function polynomial(c: Eight, x: number): number {
  return ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0]
}

// Coefficients a, b (centre) and c, d (flanks) of Wichura's PPND16, Algorithm AS 241, Applied Statistics 37 (1988).
const a: Eight = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
]
const b: Eight = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854,
]
const c: Eight = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
]
const d: Eight = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
]

/** The share of a normal distribution within two standard deviations: erf(sqrt 2). */
export const massWithinTwo = 0.9544997361036416

/** Standard deviation of the standard normal distribution cut off at two standard deviations, as flax and JAX have it. */
export const deviationWithinTwo = 0.8796256610342398

/**
 * The standard normal quantile of probability 1/2 + q, for |q| <= 1/2 - 1e-10 (|result| < 6.4), relative error about 1e-16.
 * Taking q, not the probability itself, keeps it exact near the median.
 */
export function inverseNormal(q: number): number {
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(a, r)) / polynomial(b, r)
  }
  const r = Math.sqrt(-Math.log(0.5 - Math.abs(q))) - 1.6
  return (Math.sign(q) * polynomial(c, r)) / polynomial(d, r)
}
