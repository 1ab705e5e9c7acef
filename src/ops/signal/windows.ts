/** Windows of signal processing, as PyTorch's: constants, computed in float64. */
import { constant, type Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireFinite, requireFlag } from '../../util/check.ts'
import { checked } from '../define.ts'

/** Options of all windows. */
export interface WindowOptions {
  /** One period without its last number, for transforms; false: symmetric, for filters. Default: true. */
  readonly periodic?: boolean
}

/** `at` gives the number at a place from 0 to 1 of the window's length. */
function windowOf(
  op: string,
  length: number,
  options: WindowOptions | undefined,
  at: (place: number) => number,
): Tensor {
  return checked(() => {
    const { periodic = true } = optionsOf(op, options, { periodic: true })
    requireCount(op, 'length', length)
    requireFlag(op, 'periodic', periodic)
    const last = periodic ? length : length - 1
    const data = Float32Array.from({ length }, (_, i) => (length === 1 ? 1 : at(i / last)))
    return constant(data, [length], 'float32')
  })
}

const cosine = (turns: number): number => Math.cos(2 * Math.PI * turns)

/** 1/2 - 1/2 cos(2 pi t). */
export function hannWindow(length: number, options?: WindowOptions): Tensor {
  return windowOf('hannWindow', length, options, (t) => 0.5 - 0.5 * cosine(t))
}

/** alpha - beta cos(2 pi t). */
export function hammingWindow(
  length: number,
  options?: WindowOptions & {
    /** Default: 0.54. */ readonly alpha?: number /** Default: 0.46. */
    readonly beta?: number
  },
): Tensor {
  const {
    alpha = 0.54,
    beta = 0.46,
    ...rest
  } = checked(() => optionsOf('hammingWindow', options, { periodic: true, alpha: true, beta: true }))
  checked(() => {
    requireFinite('hammingWindow', 'alpha', alpha)
    requireFinite('hammingWindow', 'beta', beta)
  })
  return windowOf('hammingWindow', length, rest, (t) => alpha - beta * cosine(t))
}

/** 0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t). */
export function blackmanWindow(length: number, options?: WindowOptions): Tensor {
  return windowOf('blackmanWindow', length, options, (t) => 0.42 + 0.08 * cosine(2 * t) - 0.5 * cosine(t))
}

/** The triangle 1 - |2 t - 1|. */
export function bartlettWindow(length: number, options?: WindowOptions): Tensor {
  return windowOf('bartlettWindow', length, options, (t) => 1 - Math.abs(2 * t - 1))
}

/** The modified Bessel function of the first kind and order 0, by its series: all terms are positive. */
export function besselI0(x: number): number {
  let [sum, term] = [1, 1]
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / 2 / k) ** 2
    sum += term
  }
  return sum
}

/** I0(beta sqrt(1 - (2 t - 1)^2)) / I0(beta); a larger beta (default 12) is a narrower window. */
export function kaiserWindow(length: number, options?: WindowOptions & { readonly beta?: number }): Tensor {
  const { beta = 12, ...rest } = checked(() => optionsOf('kaiserWindow', options, { periodic: true, beta: true }))
  checked(() => requireFinite('kaiserWindow', 'beta', beta))
  const largest = besselI0(beta)
  return windowOf('kaiserWindow', length, rest, (t) => {
    return besselI0(beta * Math.sqrt(Math.max(0, 1 - (2 * t - 1) ** 2))) / largest
  })
}
