/**
 * Modified Bessel functions of the first kind, in float64. The polynomials were fitted to SciPy's functions at Chebyshev's points; their
 * relative errors are below 2e-10.
 */
import type { Tensor } from '../../tensor/tensor.ts'
import { apply, type OpDefinition, type Operand, type Ops, toTensor } from '../define.ts'
import { type Doubles, defineInDoubles } from './doubles.ts'

type Unary = OpDefinition<Record<string, never>>

/** A function f of z >= 0: up to 8 by a polynomial in z / 4 - 1, beyond sqrt(z) f by one in 16 / z - 1. */
interface Fit {
  readonly near: readonly number[]
  readonly far: readonly number[]
}

/** e^-z I0(z) */
const order0: Fit = {
  near: [
    0.2070019212268668, -0.113004326534456, 0.09451562784637495, -0.0890434670005506, 0.08734344375818028,
    -0.08496283115332308, 0.07927479864899099, -0.06954659124896941, 0.0567804201053423, -0.04295691575054245,
    0.03016227839894807, -0.01977620604336801, 0.01200488093227592, -0.006604619555289053, 0.003535159765242749,
    -0.002047345014996133, 0.0009516482809182682, -0.0002057593832656127, 9.498284800744454e-5, -0.0001360473690482937,
    5.072911424376469e-5,
  ],
  far: [
    0.4021765094443172, 0.003360551958228567, 0.0001362161229998442, 1.11435955584021e-5, 1.483304323366265e-6,
    2.937246523027371e-7, 9.083409176079514e-8, 4.976337470342899e-8, 1.843805238951494e-8, -8.063786470188048e-9,
    -6.766496592831364e-9,
  ],
}
/** e^-z I1(z) / z near 0, and e^-z I1(z) beyond. */
const order1: Fit = {
  near: [
    0.04468770987592389, -0.06112433798913469, 0.06805759983363013, -0.0684826091619429, 0.06376740673268813,
    -0.05527997579883295, 0.04467452582227606, -0.03367197857074984, 0.02368638836161399, -0.01556795294416422,
    0.00958224663983445, -0.00554539816095713, 0.003010685377707757, -0.001517091500511473, 0.0007354889391678402,
    -0.000368572011319397, 0.0001589455725028943, -4.071009149580314e-5, 1.675550821457547e-5, -1.746793806233889e-5,
    6.153166903705854e-6,
  ],
  far: [
    0.3893984590265585, -0.00974957716482247, -0.0002192358118931493, -1.503917115318396e-5, -1.834377045498754e-6,
    -3.443786437806815e-7, -1.020536868633582e-7, -5.450935117318885e-8, -2.050981772798521e-8, 8.326663460057524e-9,
    7.232408780515454e-9,
  ],
}

function emitFit(d: Doubles, x: string, { near, far }: Fit, factor: string | 1): string {
  // Infinity would become 0, and 0 by infinity NaN.
  const z = d.of('Min', d.of('Abs', x), 1e300)
  const close = d.mul(d.polynomial(d.sub(d.mul(z, 0.25), 1), near), factor)
  const distant = d.div(d.polynomial(d.sub(d.div(16, z), 1), far), d.of('Sqrt', z))
  return d.where(d.of('Less', z, 8), close, distant)
}

/** e^-|x| I0(x) */
const scaled0 = (d: Doubles, x: string): string => emitFit(d, x, order0, 1)
/** e^-|x| I1(x), odd */
const scaled1 = (d: Doubles, x: string): string => d.mul(emitFit(d, x, order1, d.of('Abs', x)), d.of('Sign', x))
/** Times e^|x|, bounded to what float64 has: far beyond float32's range. */
const unscaled = (d: Doubles, x: string, scaled: string): string =>
  d.mul(scaled, d.of('Exp', d.of('Min', d.of('Abs', x), 700)))

/** y / x for a function y of order 1: its limit is 1/2 at 0, near which y has few digits. */
function quotient(o: Ops, y: Tensor, x: Tensor): Tensor {
  const isTiny = o.less(o.abs(x), 1e-30)
  return o.where(isTiny, 0.5, o.div(y, o.where(isTiny, 1, x)))
}

export const i0Op: Unary = defineInDoubles('i0', i0, {
  gradient: (o, x, _y, g) => o.mul(g, o.i1(x)),
  formula: (d, x) => unscaled(d, x, scaled0(d, x)),
})
export const i0eOp: Unary = defineInDoubles('i0e', i0e, {
  gradient: (o, x, y, g) => o.mul(g, o.sub(o.i1e(x), o.mul(o.sign(x), y))),
  formula: scaled0,
})
export const i1Op: Unary = defineInDoubles('i1', i1, {
  gradient: (o, x, y, g) => o.mul(g, o.sub(o.i0(x), quotient(o, y, x))),
  formula: (d, x) => unscaled(d, x, scaled1(d, x)),
})
export const i1eOp: Unary = defineInDoubles('i1e', i1e, {
  gradient: (o, x, y, g) => o.mul(g, o.sub(o.sub(o.i0e(x), quotient(o, y, x)), o.mul(o.sign(x), y))),
  formula: scaled1,
})

/** Modified Bessel function of the first kind, order 0. */
export function i0(x: Operand): Tensor {
  return apply(i0Op, [toTensor('i0', x)], {})
}
/** e^-|x| i0(x). */
export function i0e(x: Operand): Tensor {
  return apply(i0eOp, [toTensor('i0e', x)], {})
}
/** Modified Bessel function of the first kind, order 1. */
export function i1(x: Operand): Tensor {
  return apply(i1Op, [toTensor('i1', x)], {})
}
/** e^-|x| i1(x). */
export function i1e(x: Operand): Tensor {
  return apply(i1eOp, [toTensor('i1e', x)], {})
}
