/** Bit memory and bit XOR: how an example follows from random bits (paper, Section 2.1). */
import { fromNumbers, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { ShapeError } from '../../../util/errors.ts'

/** Examples of a bit task. */
export interface BitExamples {
  /** float32 [B, rows, n] */
  readonly x: NDArray
  /** int64 [B, n] */
  readonly y: NDArray
}

const examples = (x: readonly number[], y: readonly number[], [batch, rows, n]: readonly number[]): BitExamples => ({
  x: { dtype: 'float32', shape: [batch ?? 0, rows ?? 0, n ?? 0], data: fromNumbers('float32', x) },
  y: { dtype: 'int64', shape: [batch ?? 0, n ?? 0], data: fromNumbers('int64', y) },
})

/**
 * Bit memory: P strings of +-1, then one of them with some bits 0; the whole string is asked for. bits 0 or 1 [B, P, n], mask [B, n] (1:
 * the bit is shown), query [B]: which string.
 */
export function bitMemory(bits: NDArray, mask: NDArray, query: NDArray): BitExamples {
  const [batch, patterns, n] = sizes(bits.shape, 3)
  requireShape('mask', mask, [batch, n])
  requireShape('query', query, [batch])
  const signs = toNumbers(bits.data).map((bit) => 2 * bit - 1)
  const [shown, chosen] = [toNumbers(mask.data), toNumbers(query.data)]
  const wanted = chosen.map((pattern, b) => {
    const start = (b * patterns + pattern) * n
    return signs.slice(start, start + n)
  })
  const x = wanted.flatMap((string, b) => [
    ...signs.slice(b * patterns * n, (b + 1) * patterns * n),
    ...string.map((sign, i) => (shown[b * n + i] === 1 ? sign : 0)),
  ])
  return examples(x, wanted.flat(), [batch, patterns + 1, n])
}

/** Bit XOR: P strings of 0 and 1; asked for is whether the number of ones in each place is odd. bits [B, P, n]. */
export function bitXor(bits: NDArray): BitExamples {
  const [batch, patterns, n] = sizes(bits.shape, 3)
  const values = toNumbers(bits.data)
  const y = Array.from({ length: batch * n }, (_, place) => {
    const [b, i] = [Math.floor(place / n), place % n]
    let parity = 0
    for (let p = 0; p < patterns; p++) parity ^= values[(b * patterns + p) * n + i] ?? 0
    return parity
  })
  return examples(values, y, [batch, patterns, n])
}

function requireShape(name: string, { shape }: NDArray, wanted: readonly number[]): void {
  if (shape.join() === wanted.join()) return
  throw new ShapeError(`bit memory: ${name} must be [${wanted.join(', ')}], found [${shape.join(', ')}]`)
}
