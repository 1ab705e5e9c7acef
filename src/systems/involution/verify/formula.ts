/** Numbers that an integer hash gives for each element of each tensor: large cases have them in place of stored weights. */
import type { NDArray } from '../../../tensor/dtype.ts'
import { elementCount } from '../../../tensor/dtype.ts'
import { FormatError } from '../../../util/errors.ts'

const fractions = 2 ** 32

function fnv1a(text: string): number {
  let hash = 2166136261
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 16777619)
  return hash >>> 0
}

function mixed(value: number): number {
  let h = value >>> 0
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h >>> 0
}

/** base + scale * (2 u - 1) with u in [0, 1) from the hash of key and place, computed in double precision. */
function formulaTensor(key: string, shape: readonly number[], base: number, scale: number): NDArray {
  const [data, start] = [new Float32Array(elementCount(shape)), fnv1a(key)]
  for (let i = 0; i < data.length; i++) {
    const hash = mixed((Math.imul(i, 0x9e3779b1) + start) >>> 0)
    data[i] = base + scale * (2 * (hash / fractions) - 1)
  }
  return { dtype: 'float32', shape, data }
}

interface Rule {
  readonly suffix: string
  readonly ranks: readonly number[]
  readonly base: number
  readonly scale: (fanIn: number) => number
}

const number = '(-?[\\d.]+(?:e-?\\d+)?)'

function matched(text: unknown, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(String(text))
  if (!found) throw new FormatError(`the parameter formula has a rule of unknown form, ${JSON.stringify(text)}`)
  return found
}

function scaleOf(text: string): Rule['scale'] {
  if (text === '') return () => 0
  const fan = new RegExp(`^scale (?:${number}\\*)?sqrt\\(${number}/fan_in\\)`).exec(text)
  if (fan) return (fanIn) => Number(fan[1] ?? 1) * Math.sqrt(Number(fan[2]) / fanIn)
  const constant = Number(matched(text, new RegExp(`^scale ${number}$`))[1])
  return () => constant
}

/** `["*conv2.conv.bias", "base 0", "scale 0.05"]`; the pattern may name the tensor's number of dimensions. */
function parseRule([pattern, base, scale]: readonly unknown[]): Rule {
  const [, suffix = '', rest = ''] = matched(pattern, /^\*(\S+)(.*)$/)
  const dimensions = /^ with (\d+)(?: or (\d+))? dimensions?/.exec(rest)
  return {
    suffix,
    ranks: (dimensions ?? []).slice(1).flatMap((rank) => (rank === undefined ? [] : [Number(rank)])),
    base: Number(matched(base, new RegExp(`^(?:int64|base) ${number}$`))[1]),
    scale: scaleOf(String(scale)),
  }
}

/** Tensors of all names and shapes, by rules of which the first that fits a name counts. */
export function formulaState(
  shapes: ReadonlyMap<string, readonly number[]>,
  rules: readonly (readonly unknown[])[],
): Map<string, NDArray> {
  const parsed = rules.map(parseRule)
  return new Map(
    [...shapes].map(([name, shape]) => {
      const fits = ({ suffix, ranks }: Rule): boolean =>
        name.endsWith(suffix) && (ranks.length === 0 || ranks.includes(shape.length))
      const rule = parsed.find(fits)
      if (!rule) throw new FormatError(`the parameter formula has no rule for "${name}"`)
      if (name.endsWith('num_batches_tracked'))
        return [name, { dtype: 'int64', shape, data: new BigInt64Array([BigInt(rule.base)]) }]
      const fanIn = elementCount(shape.slice(1))
      return [name, formulaTensor(name, shape, rule.base, rule.scale(fanIn))]
    }),
  )
}

/** `KEY "input/image": base 0, scale 1.7` for a tensor of that shape. */
export function formulaInput(text: string, shape: readonly number[]): NDArray {
  const [, key = '', base, scale] = matched(text, new RegExp(`^KEY "(.+)": base ${number}, scale ${number}$`))
  return formulaTensor(key, shape, Number(base), Number(scale))
}
