/** Fourier transforms of lengths without useful factors: Bluestein's chirp (1970), a convolution by transforms of a longer, smooth length. */
import type { Tensor } from '../../tensor/tensor.ts'
import { add, mul, sub } from '../elementwise/binary.ts'
import { select } from '../indexing/selection.ts'
import { reshape, unsqueeze } from '../movement/movement.ts'
import { stack } from '../movement/rearrange.ts'
import { table, wave } from './forms.ts'
import type { Transform } from './rows.ts'

/** The smallest length of at least `least` without prime factors beyond 5. */
export function smoothLength(least: number): number {
  let length = least
  for (; ; length++) {
    let rest = length
    for (const prime of [2, 3, 5]) while (rest % prime === 0) rest /= prime
    if (rest === 1) return length
  }
}

/** exp(sign i pi position^2 / size) as [real, imaginary], the square reduced first. */
function chirp(position: number, size: number, sign: number): readonly [number, number] {
  const square = position ** 2 % (2 * size)
  return [wave('cos', square, 2 * size), sign * wave('sin', square, 2 * size)]
}

/** The transform of complex numbers in float64, by the definition in factors: for tables. [real, imaginary] of each. */
function spectrumOf(values: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const size = values.length
  const prime = [2, 3, 5].find((candidate) => size % candidate === 0)
  if (prime === undefined || size === 1) return [...values]
  const inner = size / prime
  const parts = Array.from({ length: prime }, (_, p) => spectrumOf(values.filter((_, i) => i % prime === p)))
  return Array.from({ length: size }, (_, k) => {
    let [real, imag] = [0, 0]
    for (const [p, part] of parts.entries()) {
      const [re, im] = part[k % inner] ?? [0, 0]
      const [c, s] = [wave('cos', p * k, size), wave('sin', p * k, size)]
      real += re * c + im * s
      imag += im * c - re * s
    }
    return [real, imag]
  })
}

/** The transform of the conjugate chirp over the length, divided by it: parts [2, length, 1]. */
function kernelSpectrum({ size, sign, given, kept }: Transform, length: number): Tensor {
  let spectrum: readonly (readonly [number, number])[] | undefined
  const fill = (part: number, row: number): number => {
    spectrum ??= spectrumOf(
      Array.from({ length }, (_, i) => {
        const distance = i < kept ? i : i - length
        return distance > -given ? chirp(distance, size, -sign) : [0, 0]
      }),
    )
    return (spectrum[row]?.[part] ?? 0) / length
  }
  return table(`chirp spectrum ${size} ${sign} ${given} ${kept}`, [2, length, 1], fill)
}

/** Products of [..., columns] with a table of complex numbers [2, rows, 1]. */
function turned(re: Tensor, im: Tensor, by: Tensor): readonly [Tensor, Tensor] {
  const [c, s] = [select(by, 0, 0), select(by, 1, 0)]
  return [sub(mul(re, c), mul(im, s)), add(mul(re, s), mul(im, c))]
}

/**
 * Since 2 k m = k^2 + m^2 - (k - m)^2, the transform is a product with the chirp exp(sign i pi m^2 / size), a convolution with its
 * conjugate, which transforms of a length of at least given + kept - 1 compute, and a product with the chirp again.
 */
export function chirpRows(
  x: Tensor,
  transform: Transform,
  transformRows: (x: Tensor, of: Transform) => Tensor,
): Tensor {
  const { size, sign, given, from, kept, to, weights } = transform
  const [batch, , columns] = x.sizes(3)
  const length = smoothLength(given + kept - 1)
  const chirps = (name: string, rows: number, weightAt: (row: number) => number): Tensor =>
    table(`chirp ${size} ${sign} ${rows} ${name}`, [2, rows, 1], (part, row) => {
      return (chirp(row, size, sign)[part] ?? 0) * weightAt(row)
    })
  const parts = reshape(x, [batch, given, from, columns])
  const inward = chirps(weights?.name ?? '', given, (row) => weights?.at(row) ?? 1)
  const [real, imag] = [select(parts, 0, 2), select(parts, from - 1, 2)]
  const pieces =
    from === 2
      ? turned(real, imag, inward)
      : ([mul(real, select(inward, 0, 0)), mul(real, select(inward, 1, 0))] as const)
  const wide = { size: length, from: 2, to: 2 } as const
  const spectrum = transformRows(reshape(stack(pieces, 2), [batch, given * 2, columns]), {
    ...wide,
    sign: -1,
    given,
    kept: length,
  }) // [batch, 2, length, columns]
  const product = turned(select(spectrum, 0, 1), select(spectrum, 1, 1), kernelSpectrum(transform, length))
  const back = transformRows(reshape(stack(product, 2), [batch, length * 2, columns]), {
    ...wide,
    sign: 1,
    given: length,
    kept,
  })
  const [re, im] = turned(
    select(back, 0, 1),
    select(back, 1, 1),
    chirps('', kept, () => 1),
  )
  return to === 2 ? stack([re, im], 1) : unsqueeze(re, 1)
}
