/**
 * Discrete Fourier transforms of rows: the axis before the last, with any number of columns. By products with tables of cosines and
 * sines, whose matrices stay small because lengths are split into factors (docs/decisions/017-signal-transforms.md).
 */
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { permute, reshape, slice } from '../movement/movement.ts'
import { padAxis } from '../movement/padding.ts'
import { matmul } from '../products/matmul.ts'
import { chirpRows, smoothLength } from './convolution.ts'
import { table, wave } from './forms.ts'

/** One or two numbers an element: real, or real and imaginary. */
export type Numbers = 1 | 2

/** y[k] = sum over m of weights[m] x[m] exp(sign 2 pi i k m / size), for k below `kept` and m below `given`; the other x are 0. */
export interface Transform {
  readonly size: number
  readonly sign: 1 | -1
  /** How many rows go in, and parts of each. */
  readonly given: number
  readonly from: Numbers
  /** How many rows come out, and parts of each: 1 is the real part alone. */
  readonly kept: number
  readonly to: Numbers
  /** Factors on the rows that go in, which cost nothing: they become part of a table. `name` tells them from others. */
  readonly weights?: { readonly name: string; readonly at: (row: number) => number }
}

/** A way to compute a transform, its work in products a column, and the numbers in its largest table. */
type Form =
  | { readonly kind: 'direct'; readonly work: number; readonly numbers: number }
  | { readonly kind: 'split'; readonly work: number; readonly numbers: number; readonly outer: number }
  | { readonly kind: 'chirp'; readonly work: number; readonly numbers: number }

// What a pass over the data costs, in products a number; how many of them a chirp has; and the largest table, 16 MB.
const passes = 12
const chirpPasses = 15
const largest = 2 ** 22

const forms = new Map<string, Form>()

/** The inner transform of a split by `outer`: the factor size / outer, of which whole multiples come out. */
function innerOf({ size, sign, kept, to }: Transform, outer: number): Transform {
  const inner = size / outer
  return { size: inner, sign, given: inner, from: 2, kept: Math.ceil(kept / outer), to }
}

function splitForm(transform: Transform, outer: number): Form {
  const { size, given, from } = transform
  const inner = formOf(innerOf(transform, outer))
  const blocks = Math.ceil(given / (size / outer))
  const numbers = (size / outer) * 2 * outer * from * blocks
  return {
    kind: 'split',
    outer,
    numbers: Math.max(numbers, inner.numbers),
    work: numbers + outer * inner.work + passes * (from * given + 2 * size),
  }
}

/** The form with the least work among those whose tables are small enough; the smallest tables where none is. */
export function formOf(transform: Transform): Form {
  const { size, given, from, kept, to } = transform
  const key = [size, given, from, kept, to].join()
  const known = forms.get(key)
  if (known) return known
  const product = given * from * kept * to
  const found: Form[] = [{ kind: 'direct', work: product, numbers: product }]
  for (let outer = 2; 2 * outer <= size; outer++) {
    // Larger factors only where the table of the first step, 2 from size outer numbers, could be taken at all.
    if (size % outer === 0 && (outer ** 2 <= 4 * size || size / outer < 64)) found.push(splitForm(transform, outer))
  }
  // Never for the smooth lengths that it is made of.
  if (size > 256 && smoothLength(size) > size) {
    const length = smoothLength(given + kept - 1)
    const whole = formOf({ size: length, sign: -1, given, from: 2, kept: length, to: 2 })
    const back = formOf({ size: length, sign: 1, given: length, from: 2, kept, to: 2 })
    const numbers = Math.max(whole.numbers, back.numbers)
    found.push({ kind: 'chirp', numbers, work: whole.work + back.work + chirpPasses * passes * length })
  }
  const small = found.filter(({ numbers }) => numbers <= largest)
  const best =
    small.length > 0
      ? small.reduce((a, b) => (b.work < a.work ? b : a))
      : found.reduce((a, b) => (b.numbers < a.numbers ? b : a))
  forms.set(key, best)
  return best
}

/** One element of a table: what part `input` of a number adds to part `output` of its product with exp(sign 2 pi i product / size). */
function factor(product: number, size: number, sign: number, input: number, output: number): number {
  if (input === output) return wave('cos', product, size)
  return (output === 0 ? -sign : sign) * wave('sin', product, size)
}

const nameOf = ({ size, sign, given, from, kept, to, weights }: Transform): string =>
  `${size} ${sign} ${given} ${from} ${kept} ${to} ${weights?.name ?? ''}`

/** The whole transform as a matrix: rows (part, k), columns (m, part). */
function directTable(transform: Transform): Tensor {
  const { size, sign, given, from, kept, to, weights } = transform
  return table(`rows ${nameOf(transform)}`, [1, to * kept, given * from], (_, row, column) => {
    const m = Math.floor(column / from)
    const weight = weights ? weights.at(m) : 1
    return weight * factor((row % kept) * m, size, sign, column % from, Math.floor(row / kept))
  })
}

/**
 * The first step of a split: for each place a of A = size / outer, the transform over the blocks b of x[a + A b], turned by
 * exp(sign 2 pi i a d / size): rows (part, d), columns (b, part).
 */
function outerTable(transform: Transform, outer: number): Tensor {
  const { size, sign, given, from, weights } = transform
  const inner = size / outer
  const blocks = Math.ceil(given / inner)
  return table(`outer ${outer} ${nameOf(transform)}`, [inner, 2 * outer, blocks * from], (place, row, column) => {
    const m = place + inner * Math.floor(column / from)
    const weight = m >= given ? 0 : weights ? weights.at(m) : 1
    return weight * factor((row % outer) * m, size, sign, column % from, Math.floor(row / outer))
  })
}

/**
 * Transforms x [batch, given * from, columns], where the parts of a number are neighbours, into [batch, to, kept, columns].
 * A split is the algorithm of Cooley and Tukey (1965) with size = A B: m = a + A b, k = B c + d. The outer step transforms over b
 * for each a, with the rotations by a d / size in its tables; what is left is a transform of length A over a, of B times as many columns:
 * no element moves between the two steps.
 */
export function transformRows(x: Tensor, transform: Transform): Tensor {
  const { given, from, kept, to } = transform
  const [batch, , columns] = x.sizes(3)
  const form = formOf(transform)
  if (form.kind === 'direct') return reshape(matmul(directTable(transform), x), [batch, to, kept, columns])
  if (form.kind === 'chirp') return chirpRows(x, transform, transformRows)
  const { outer } = form
  const inner = innerOf(transform, outer)
  const blocks = Math.ceil(given / inner.size)
  const filled = padAxis(x, 1, 0, blocks * inner.size * from - sizeOf(x.shape, 1))
  const byPlace = permute(reshape(filled, [batch, blocks, inner.size, from, columns]), [0, 2, 1, 3, 4])
  const turned = matmul(outerTable(transform, outer), reshape(byPlace, [batch, inner.size, blocks * from, columns])) // [batch, A, (part, d), columns]
  const rest = transformRows(reshape(turned, [batch, inner.size * 2, outer * columns]), inner) // [batch, to, c, (d, columns)]
  return slice(reshape(rest, [batch, to, inner.kept * outer, columns]), [0, kept], 2)
}
