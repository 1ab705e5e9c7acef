/** Tensors and variables as text, and what JavaScript's own operators do with them. */
import { UsageError } from '../util/errors.ts'
import type { NDArray } from './dtype.ts'

/** Node's name for the method that gives an object's text to `console.log`. */
export const inspectSymbol = Symbol.for('nodejs.util.inspect.custom')

/** Lists longer than this show their first and last elements. */
const longest = 6
const shownAtEachEnd = 3

function formatNumber(value: number | bigint | undefined, dtype: NDArray['dtype']): string {
  if (value === undefined) return ''
  if (dtype === 'bool') return value === 0 ? 'false' : 'true'
  return dtype === 'float32' ? String(Number(Number(value).toPrecision(5))) : String(value)
}

/** `[[1, 2, 3], [4, 5, 6]]`; long axes show both ends: `[0, 1, 2, ..., 97, 98, 99]`. */
export function formatNumbers({ data, shape, dtype }: NDArray): string {
  const write = (axis: number, start: number, count: number): string => {
    const size = shape[axis]
    if (size === undefined) return formatNumber(data[start], dtype)
    const part = size === 0 ? 0 : count / size
    const piece = (i: number): string => write(axis + 1, start + i * part, part)
    const places = Array.from({ length: Math.min(size, longest) }, (_, i) => i)
    if (size <= longest) return `[${places.map(piece).join(', ')}]`
    const beginning = places.slice(0, shownAtEachEnd).map(piece)
    const end = places.slice(0, shownAtEachEnd).map((i) => piece(size - shownAtEachEnd + i))
    return `[${[...beginning, '...', ...end].join(', ')}]`
  }
  return write(0, 0, data.length)
}

/**
 * What JavaScript makes of a tensor or variable in `${x}` (its text), and in `x * 2`, `x > 0` or `Math.max(x, 0)`: an error, since
 * these would be computed once, while tracing, with something that has no numbers yet.
 */
export function primitiveOf(value: { toString(): string }, hint: string): string {
  if (hint === 'string') return value.toString()
  throw new UsageError(`${value} was used as a JavaScript number, which it is not`, {
    hint: 'compute with ops: ops.mul(x, 2) for x * 2, ops.where(ops.greater(x, 0), a, b) for x > 0 ? a : b; numbers come from `await x.numbers()` outside of compile',
  })
}

/**
 * Makes `for (const row of x)`, `[...x]` and `const [a] = x` say what to do instead. It is not a method of the class: by its type a
 * tensor is still not iterable, which the compiler reports first.
 */
export function refuseIteration(type: { readonly prototype: { toString(): string } }): void {
  Object.defineProperty(type.prototype, Symbol.iterator, {
    configurable: true,
    value(this: { toString(): string }): never {
      throw new UsageError(`${this} was iterated over, or spread, which it cannot be`, {
        hint: 'ops.split(x, 1) cuts it along axis 0; numbers come from `await x.numbers()` outside of compile',
      })
    },
  })
}
